"""A pasted table of gifts is seen row by row, then booked whole or not at all, once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns.db import db
from campaigns.model.delivery import Delivery
from campaigns.model.entry import Entry, Way
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests import make
from tests.web.staff.conftest import Desk

PATH = "/staff/by-hand/table"
TABLE = (
    "日期\t金额\t姓名\t人数\t邮箱\t单号\t方式\n"
    "2026-11-20\t¥1,500.00\t林老师\t\tlin@example.org\tB-1\t转账\n"
    "2026/11/21 08:30\t37.50\t\t37\t\t\t现金\n"
)


@pytest.fixture
def treasurer(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.TREASURER, timezone="Europe/Berlin")


class Paste:
    """A page with its form; sent as often as wished."""

    def __init__(self, treasurer: Desk, **fields: Any) -> None:
        self.desk = treasurer
        page = treasurer.get(PATH).text
        token = re.search(r'name="token"[^>]*value="([^"]+)"', page)
        place = re.search(r'<option [^>]*value="([^"]*)">[^<]*Given directly', page)
        assert token
        assert place
        usual = {"listing": place[1], "currency": "CNY", "way": "bank", "source": "hand"}
        self.fields = usual | {"token": token[1], "table": TABLE} | fields

    def send(self, step: str = "do", **fields: Any) -> TestResponse:
        return self.desk.post(PATH, **self.fields | {"step": step} | fields)


@pytest.fixture
def paste(treasurer: Desk) -> Callable[..., Paste]:
    make.organisation()
    make.campaign("after-school")
    return lambda **fields: Paste(treasurer, **fields)


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def test_a_table_is_seen_before_anything_is_booked(paste: Callable[..., Paste]) -> None:
    answer = paste().send("look")
    assert answer.status_code == 200
    assert answer.text.count("lin@example.org") >= 2
    assert "Book 2 gifts" in answer.text
    assert "¥1,537.50" in answer.text.partition("What people would see")[2]
    assert entries() == []
    assert list(db.session.scalars(select(Listing))) == []


def test_a_table_is_booked_as_it_says(paste: Callable[..., Paste]) -> None:
    assert paste(thank="y", show_name="y").send().status_code == 302
    first, second = entries()
    assert (first.amount.amount, first.donations, first.way) == ("1500.00", 1, Way.BANK)
    assert first.occurred_at.isoformat() == "2026-11-20T04:00:00+00:00"  # noon in Shanghai
    assert (second.amount.amount, second.donations, second.way) == ("37.50", 37, Way.CASH)
    assert second.occurred_at.isoformat() == "2026-11-21T07:30:00+00:00"  # the staff's own zone
    assert {(key.scheme, key.value) for key in first.keys} >= {("trade", "B-1")}
    gift = db.session.scalars(select(Gift)).one()
    assert (gift.entry_id, gift.public_name, gift.show_name) == (first.id, "林老师", True)
    assert db.session.scalars(select(Delivery)).one().entry_id == first.id


def test_a_table_that_is_sent_twice_is_booked_once(paste: Callable[..., Paste]) -> None:
    table = paste()
    for _ in range(2):
        assert table.send().status_code == 302
    assert len(entries()) == 2
    seen = table.send("look").text
    assert seen.count("booked before") == 2
    assert "Book 0 gifts" in seen


def test_one_wrong_row_keeps_all_from_being_booked(paste: Callable[..., Paste]) -> None:
    wrong = TABLE + "soon\t10\tBo\t\t\t\t\n2026-11-21\tten\t\t\t\t\t\n"
    answer = paste(table=wrong).send()
    assert answer.status_code == 400
    assert "2 rows need another look" in answer.text
    assert re.search(r'id="row-4".*A time cannot be read', answer.text, re.S)
    assert re.search(r'id="row-5".*An amount cannot be read', answer.text, re.S)
    assert "Book 2 gifts" not in answer.text
    assert entries() == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2099-01-01,10,,,,,", "has not come yet"),
        (",10,,,,,", "Write the day."),
        ("2026-11-20,0,,,,,", "above zero"),
        ("2026-11-20,-5,,,,,", "above zero"),
        ("2026-11-20,1.005,,,,,", "An amount cannot be read"),
        ("2026-11-20,10,,x,,,", "whole number"),
        ("2026-11-20,10,,-3,,,", "whole number"),
        ("2026-11-20,10,,,ada@,,", "no mail address"),
        ("2026-11-20,10,,,,1.5E+20,", "rounded by a spreadsheet"),
        ("2026-11-20,10,,,,,cheque", "cash, bank or other"),
        ("2026-11-20,10,,,,,cash,more", "do not fit the columns"),
        (f"2026-11-20,10,{'x' * 201},,,,", "At most 200"),
    ],
)
def test_what_is_wrong_is_said_beside_its_row(
    paste: Callable[..., Paste], row: str, said: str
) -> None:
    table = paste(table=row, order="day,amount,name,donors,email,reference,way")
    answer = table.send("look")
    assert answer.status_code == 400
    assert re.search(rf'id="row-1".*{said}', answer.text, re.S)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"table": ""}, "Paste the rows."),
        ({"table": "day,phone\n1,2"}, "No column is called “phone”"),
        ({"table": "day,name\n1,2"}, "The column “amount” must be there once."),
        ({"table": "1,2,3"}, "Name the columns in the first row"),
        ({"table": "1,2", "order": "day,sum,x"}, "No column is called “x”"),
        ({"table": "day,amount\n" + "2026-11-20,1\n" * 501}, "At most 500 rows"),
        ({"table": "x" * 100_001}, "At most 100000"),
        ({"listing": "999"}, "Choose one of the list."),
        ({"currency": "XXX"}, "currency"),
        ({"token": ""}, ""),
    ],
)
def test_what_is_no_table_is_said(
    paste: Callable[..., Paste], fields: dict[str, str], said: str
) -> None:
    answer = paste(**fields).send()
    assert answer.status_code == 400
    assert said in answer.text
    assert entries() == []


def test_a_number_in_two_rows_or_in_the_ledger_is_wrong(paste: Callable[..., Paste]) -> None:
    twice = "day,amount,reference\n2026-11-20,10,B-9\n2026-11-20,10,B-9\n"
    assert "Row 2 has this number too." in paste(table=twice).send().text
    paste().send()
    again = paste(table="day,amount,reference\n2026-11-20,1500,B-1\n").send()
    assert f"Entry {entries()[0].id} has this number already." in again.text
    assert len(entries()) == 2


def test_five_hundred_rows_are_booked_at_once(paste: Callable[..., Paste]) -> None:
    rows = "".join(f"2026-11-20,{n}.00,N{n},n{n}@example.org\n" for n in range(1, 501))
    table = paste(table="day,amount,name,email\n" + rows)
    assert "Book 500 gifts" in table.send("look").text
    assert table.send().status_code == 302
    assert sum(entry.amount_minor for entry in entries()) == 500 * 501 // 2 * 100


def test_what_people_write_is_inert(paste: Callable[..., Paste]) -> None:
    answer = paste(table="day,amount,name\n2026-11-20,10,<script>alert(1)</script>").send("look")
    assert "<script>alert" not in answer.text
