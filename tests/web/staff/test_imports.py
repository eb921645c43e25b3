"""Staff hand a file in, see what it would change, decide, book and undo it."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.imported import Import, ImportRow, ImportState, SavedMapping
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import MAY, Permission, Role
from tests import bill, make
from tests.bill import Paid
from tests.web.staff.conftest import Desk
from workers.imports import work_on

THREE = [Paid(1, 10000, party="张三 (zs@example.org)", note="加油"), bill.fee(1, 60, line=2),
         Paid(9, 123450), bill.refund(1, 2000, line=4)]  # fmt: skip


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing(rule=Rule.ITEMISED)


@pytest.fixture
def treasurer(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.TREASURER)


def hand_in(at: Desk, content: bytes, name: str = "bill.csv", **more: Any) -> TestResponse:
    given = {"profile": "guess", "listing": "each", "mapping": ""} | more
    return at.post("/staff/imports", file=(BytesIO(content), name), **given)


def the_import() -> Import:
    return db.session.scalars(select(Import).order_by(Import.id.desc()).limit(1)).one()


def read(at: Desk, content: bytes, **more: Any) -> str:
    """Hand a file in and let a worker read it; the address of its page."""
    answer = hand_in(at, content, **more)
    assert answer.status_code == 302, answer.text
    work_on(the_import().id)
    db.session.expire_all()
    return str(answer.location)


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


def test_booked_it_is_in_the_ledger(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    assert treasurer.post(f"{where}/commit").status_code == 302
    assert "0 of 4 rows" in treasurer.get(where).text
    work_on(the_import().id)
    db.session.expire_all()
    assert "booked" in treasurer.get(where).text
    entry = db.session.scalars(select(Entry).order_by(Entry.id)).first()
    assert entry is not None
    assert f"{where}/rows/0" in treasurer.get(f"/staff/ledger/{entry.id}").text


def test_pressed_twice_it_is_booked_once(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/commit")
    again = treasurer.post(f"{where}/commit")
    assert again.status_code == 302
    assert "has moved on meanwhile" in treasurer.get(where).text


def test_undoing_needs_a_reason(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/commit")
    work_on(the_import().id)
    db.session.expire_all()
    assert treasurer.post(f"{where}/undo", reason=" ").status_code == 400
    assert treasurer.post(f"{where}/undo", reason="wrong month").status_code == 302
    work_on(the_import().id)
    db.session.expire_all()
    assert the_import().state is ImportState.UNDONE
    assert "wrong month" in treasurer.get(where).text


def test_the_same_file_again_is_recognised(treasurer: Desk, listing: Listing) -> None:
    read(treasurer, bill.bill(THREE), listing=listing.id)
    first = the_import().id
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    assert f"as import {first}" in treasurer.get(where).text


def test_rows_are_shown_by_verdict(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill([Paid(1), Paid(1), Paid(2)]), listing=listing.id)
    page = treasurer.get(f"{where}?verdict=booked").text
    assert "The same movement stands further up in this file: 6" in page
    assert Paid(2).trade not in page


def test_single_rows_are_left_out(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/rows", row=["0", "2"], decision="leave")
    assert "Book 2 rows" in treasurer.get(where).text
    treasurer.post(f"{where}/rows", row=["0"], decision="")
    assert "Book 3 rows" in treasurer.get(where).text


def test_all_rows_of_a_kind_are_left_out(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/all", verdict="new", kind="fee", decision="leave")
    assert "Book 3 rows" in treasurer.get(where).text


def test_it_can_be_read_in_another_charset(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    given = {"profile": "alipay_account", "listing": listing.id, "mapping": "", "member": ""}
    treasurer.post(f"{where}/read", charset="utf-8", **given)
    work_on(the_import().id)
    db.session.expire_all()
    assert the_import().state is ImportState.FAILED
    treasurer.post(f"{where}/read", charset="gb18030", **given)
    work_on(the_import().id)
    db.session.expire_all()
    assert the_import().state is ImportState.REVIEW


def test_a_row_stands_as_in_the_file(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    page = treasurer.get(f"{where}/rows/0").text
    assert "业务流水号" in page
    assert "zs@example.org" in page


def test_who_may_not_see_donors_sees_no_names(
    treasurer: Desk, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    monkeypatch.setitem(MAY, Role.TREASURER, MAY[Role.TREASURER] - {Permission.SEE_DONORS})
    for page in (where, f"{where}/rows/0"):
        text = treasurer.get(page).text
        assert "张三" not in text
        assert "zs@example.org" not in text
        assert "张•••" in text


def test_an_unknown_table_is_mapped_once(treasurer: Desk, listing: Listing) -> None:
    table = b"When it came,How much,Which\n2026-11-22 10:00,10.50,T1\n"
    where = read(treasurer, table, listing=listing.id, profile="generic", source="shop")
    assert the_import().state is ImportState.FAILED
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


def test_rows_without_a_listing_lead_to_the_queue(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE))
    assert "4 new rows name no listing" in treasurer.get(where).text
    treasurer.post(f"{where}/commit")
    work_on(the_import().id)
    db.session.expire_all()
    assert "4 rows name no listing" in treasurer.get(where).text
    assert 'href="/staff/settle"' in treasurer.get(where).text


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


def test_an_amount_that_the_footer_does_not_state_is_shown(
    treasurer: Desk, listing: Listing
) -> None:
    changed = bill.bill(THREE).replace(b"100.00,0.00", b"900.00,0.00")
    page = treasurer.get(read(treasurer, changed, listing=listing.id)).text
    assert "Its own sums do not agree with its rows." in page
    assert "¥800.00" in page


def test_an_import_that_nobody_wants_is_discarded(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    assert "Discard the import" in treasurer.get(where).text
    assert treasurer.post(f"{where}/discard", reason=" ").status_code == 400
    assert treasurer.post(f"{where}/discard", reason="the wrong month").status_code == 302
    assert "being discarded" in treasurer.get(where).text
    work_on(the_import().id)
    db.session.expire_all()
    page = treasurer.get(where).text
    assert "the wrong month" in page
    assert "Discard the import" not in page
    assert treasurer.get(f"{where}/rows/0").status_code == 404


def test_what_is_booked_is_not_offered_to_be_discarded(treasurer: Desk, listing: Listing) -> None:
    where = read(treasurer, bill.bill(THREE), listing=listing.id)
    treasurer.post(f"{where}/commit")
    assert "Discard the import" not in treasurer.get(where).text
    treasurer.post(f"{where}/discard", reason="too late")
    assert "has moved on meanwhile" in treasurer.get(where).text
    assert the_import().state is ImportState.COMMITTING
