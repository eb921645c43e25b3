"""Staff hand a file in: it is recognised and read, mapped, or refused beside its field."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.imported import Import, ImportRow, ImportState, SavedMapping
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests import bill, make
from tests.bill import Paid
from tests.web.staff.conftest import Desk
from tests.web.staff.files import THREE, hand_in, read, the_import
from workers.imports import work_on


def test_a_file_is_recognised_and_read(treasurer: Desk, listing: Listing) -> None:
    page = treasurer.get(read(treasurer, bill.bill(THREE), listing=listing.id)).text
    assert "Alipay account detail" in page
    assert "GB18030" in page
    assert bill.SOURCE in page
    assert "Its own sums agree with its rows." in page
    assert "Book 4 rows" in page
    assert "¥1,314.50" in page


def test_while_it_is_read_the_page_says_so(treasurer: Desk, listing: Listing) -> None:
    answer = hand_in(treasurer, bill.bill(THREE), listing=listing.id)
    page = treasurer.get(answer.location or "").text
    assert "being read" in page
    assert 'data-live="5"' in page


def test_the_same_file_again_is_recognised(treasurer: Desk, listing: Listing) -> None:
    read(treasurer, bill.bill(THREE), listing=listing.id)
    first = the_import().id
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    assert f"as import {first}" in treasurer.get(where).text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\x00\x01\x02", "The file does not look like any export we know."),
    ],
)
def test_what_is_no_export_is_refused_beside_the_field(
    treasurer: Desk, listing: Listing, content: bytes, sentence: str
) -> None:
    answer = hand_in(treasurer, content)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert db.session.scalars(select(Import)).all() == []


def test_without_a_file_nothing_happens(treasurer: Desk, listing: Listing) -> None:
    answer = treasurer.post("/staff/imports", profile="guess", listing="each", mapping="")
    assert answer.status_code == 400
    assert "Choose a file." in answer.text


def test_a_file_larger_than_other_bodies_is_taken(treasurer: Desk, listing: Listing) -> None:
    large = bill.bill([Paid(number) for number in range(30_000)])
    assert len(large) > 3 * 1024 * 1024
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
        for part in (
            (b'file"; filename="bill.csv', large),
            (b"csrf_token", treasurer.token.encode()),
            (b"profile", b"guess"),
            (b"listing", b"each"),
            (b"mapping", b""),
        )
    )
    answer = treasurer.client.post(
        "/staff/imports", data=body + b"--x--\r\n", content_type="multipart/form-data; boundary=x"
    )
    answer.close()
    assert answer.status_code == 302
    assert the_import().name == "bill.csv"


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("en", "The file is larger than 64 MB. Ask the platform for a shorter time"),
        ("zh-Hans", "文件超过 64 MB。请在平台上缩短时间范围"),
    ],
)
def test_a_file_over_64_megabytes_is_refused_unread(
    desk: Callable[..., Desk], listing: Listing, locale: str, sentence: str
) -> None:
    declared = {"CONTENT_LENGTH": str(66 * 1024 * 1024)}
    client = desk(Role.TREASURER, locale=locale).client
    answer = client.post("/staff/imports", data=b"", environ_overrides=declared)
    assert answer.status_code == 413
    assert f'id="file-error"><li>{sentence}' in answer.text


def test_who_may_not_book_is_not_told_of_imports(
    desk: Callable[..., Desk], client: FlaskClient
) -> None:
    declared = {"CONTENT_LENGTH": str(66 * 1024 * 1024)}
    for visitor in (desk(Role.EDITOR).client, client):
        answer = visitor.post("/staff/imports", data=b"", environ_overrides=declared)
        assert answer.status_code == 413
        assert "64 MB" not in answer.text


def test_another_page_takes_no_large_body(treasurer: Desk, listing: Listing) -> None:
    declared = {"CONTENT_LENGTH": str(3 * 1024 * 1024)}
    answer = treasurer.client.post("/staff/rates", data=b"", environ_overrides=declared)
    assert answer.status_code == 413


def test_a_file_without_the_token_is_refused(treasurer: Desk, listing: Listing) -> None:
    given = {"profile": "guess", "listing": "each", "file": (BytesIO(b"a,b"), "a.csv")}
    assert treasurer.client.post("/staff/imports", data=given).status_code == 400


def test_an_unknown_table_is_mapped_once(treasurer: Desk, listing: Listing) -> None:
    table = b"When it came,How much,Which\n2026-11-22 10:00,10.50,T1\n"
    where = read(treasurer, table, listing=listing.id, profile="generic", source="shop")
    assert the_import().state is ImportState.FAILED
    assert "None is known for: " in treasurer.get(where).text
    page = treasurer.get(f"{where}/mapping").text
    assert "When it came" in page
    assert "<small>2026-11-22 10:00</small>" in page
    treasurer.post(
        f"{where}/mapping",
        **{"column-0": "when", "column-1": "amount", "column-2": "trade"},
        currency="CNY", zone="Asia/Shanghai", dates="year_first", negative="refund",
        otherwise="", words="", name="Our shop",
    )  # fmt: skip
    work_on(the_import().id)
    db.session.expire_all()
    assert the_import().state is ImportState.REVIEW
    assert db.session.scalars(select(SavedMapping.name)).all() == ["Our shop"]
    row = db.session.scalars(select(ImportRow)).one()
    assert (row.trade, row.amount_minor) == ("T1", 1050)


def test_a_saved_mapping_reads_the_next_file(treasurer: Desk, listing: Listing) -> None:
    mapping = {"columns": {"when": ["Day"], "amount": ["Sum"], "trade": ["Id"]}}
    saved = SavedMapping(name="ours", mapping=mapping, created_at=make.NOON)
    db.session.add(saved)
    db.session.commit()
    read(treasurer, b"Day,Sum,Id\n2026-11-22,1.00,A\n", listing=listing.id, source="shop",
         profile="generic", mapping=saved.id)  # fmt: skip
    assert the_import().state is ImportState.REVIEW
