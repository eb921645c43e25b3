"""A table of rates is seen row by row, then kept whole or not at all."""

import re
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from campaigns import bookings, ledger
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.entry import Door, EntryKind
from campaigns.model.listing import Rule
from campaigns.model.rate import Rate
from campaigns.model.staff import Role
from campaigns.money import Money
from tests import make
from tests.web.staff.conftest import Desk

PATH = "/staff/rates/table"
TABLE = (
    "日期,币种,汇率,来源\n"
    "2026-11-20,USD,7.1052,中国人民银行\n"
    "2026-11-21,usd,7.11,中国人民银行\n"
    "2026/11/20,EUR,8.2,中国人民银行\n"
)


def rates() -> dict[tuple[str, str], Decimal]:
    return {(str(row.day), row.base): row.rate for row in db.session.scalars(select(Rate))}


def test_a_table_is_seen_then_kept(treasurer: Desk) -> None:
    seen = treasurer.post(PATH, table=TABLE, quote="CNY")
    assert seen.status_code == 200
    assert "Keep 3 rates" in seen.text
    assert rates() == {}
    treasurer.post(PATH, table=TABLE, quote="CNY", step="do")
    assert rates() == {
        ("2026-11-20", "USD"): Decimal("7.1052"),
        ("2026-11-21", "USD"): Decimal("7.11"),
        ("2026-11-20", "EUR"): Decimal("8.2"),
    }
    row = db.session.get_one(Rate, (make.NOON.date().replace(day=20), "EUR", "CNY"))
    assert (row.source, row.staff_id) == ("中国人民银行", treasurer.staff.id)


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_in_its_charset_and_travels_on(treasurer: Desk, charset: str) -> None:
    file = (BytesIO(TABLE.encode(charset)), "rates.csv")
    seen = treasurer.post(PATH, file=file, quote="CNY", table="")
    assert "Keep 3 rates" in seen.text
    carried = re.search(r'<textarea[^>]*name="table"[^>]*>\s*(.*?)</textarea>', seen.text, re.S)
    assert carried
    treasurer.post(PATH, table=carried[1], quote="CNY", step="do")
    assert len(rates()) == 3


def test_a_rate_of_the_same_day_is_replaced_in_view_of_the_old_one(treasurer: Desk) -> None:
    for _ in range(2):
        treasurer.post(PATH, table=TABLE, quote="CNY", step="do")
    records = select(AuditRecord).where(AuditRecord.action == "entered rate")
    assert len(list(db.session.scalars(records))) == 3
    changed = TABLE.replace("7.1052", "7.2")
    seen = treasurer.post(PATH, table=changed, quote="CNY").text
    assert seen.count("known already") == 2
    assert re.search(r"replaces.*7\.1052", seen, re.S)
    assert "Keep one rate" in seen or "Keep 1 rate" in seen
    treasurer.post(PATH, table=changed, quote="CNY", step="do")
    assert rates()["2026-11-20", "USD"] == Decimal("7.2")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("soon,USD,7.1,PBOC", "Write a day"),
        ("2026-11-20,XXX,7.1,PBOC", "code, such as CNY"),
        ("2026-11-20,USD,much,PBOC", "Write a rate"),
        ("2026-11-20,USD,,PBOC", "Write a rate"),
        ("2026-11-20,USD,0,PBOC", "above zero"),
        ("2026-11-20,USD,NaN,PBOC", "above zero"),
        ("2026-11-20,USD,1e999,PBOC", "above zero"),
        ("2026-11-20,USD,7.12345678901,PBOC", "ten decimals"),
        ("2026-11-20,CNY,7.1,PBOC", "between two currencies"),
        ("2026-11-20,USD,7.1,", "where the rate comes from"),
        ("2026-11-21,USD,7.1,PBOC", "stand above already"),
        ("2026-11-20,USD,7.1,PBOC,more", "do not fit the columns"),
    ],
)
def test_one_wrong_row_keeps_all_from_being_kept(treasurer: Desk, row: str, said: str) -> None:
    table = f"day,currency,rate,source\n2026-11-21,USD,7.1,PBOC\n{row}\n"
    answer = treasurer.post(PATH, table=table, quote="CNY", step="do")
    assert answer.status_code == 400
    assert re.search(rf'id="row-3".*{said}', answer.text, re.S)
    assert rates() == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Name the columns"),
        (b"\x00\xff\xfe", "no table of text"),
        (b"PK\x03\x04" + bytes(100), ""),
        (b"a" * (1024 * 1024 + 1), "1 MB"),
        (b"day,currency,rate\n" + b"2026-11-20,USD,7\n" * 2001, "2000 rows"),
        (b"day,currency\n2026-11-20,USD", "The column “rate”"),
        (b"day,currency,rate,phone\n1,2,3,4", "No column is called “phone”"),
    ],
)
def test_what_is_no_table_is_said_beside_the_file(
    treasurer: Desk, content: bytes, said: str
) -> None:
    file = FileStorage(BytesIO(content), "rates.csv")
    fields = {"csrf_token": treasurer.token, "file": file, "quote": "CNY", "table": ""}
    boundary, body = encode_multipart(fields)
    form = f"multipart/form-data; boundary={boundary}"
    answer = treasurer.client.post(PATH, data=body, content_type=form)
    assert answer.status_code == 400
    assert said in answer.text
    assert rates() == {}


def test_only_who_may_enter_rates_reaches_it(desk: Callable[..., Desk]) -> None:
    for role in (Role.FUNDRAISER, Role.EDITOR, Role.APPROVER):
        sitting = desk(role)
        assert sitting.get(PATH).status_code == 403
        assert sitting.post(PATH, table=TABLE).status_code == 403


def test_a_missing_rate_is_said_on_the_page_until_it_is_entered(treasurer: Desk) -> None:
    listing = make.listing(make.campaign("after-school"), rule=Rule.ITEMISED)
    booking = bookings.Booking(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=Money.parse("100.00 USD"),
        occurred_at=make.NOON,
        source="hand",
        keys=(),
        door=Door.HAND,
    )
    ledger.book(booking, make.NOON)
    before = treasurer.client.get("/en/c/after-school").text
    assert re.search(r"without a rate to convert it:.*\$100\.00", before, re.S)
    table = "day,currency,rate,source\n2026-11-22,USD,7.1052,PBOC\n"
    treasurer.post(PATH, table=table, quote="CNY", step="do")
    after = treasurer.client.get("/en/c/after-school").text
    assert "without a rate" not in after
    assert "¥710.52" in after
