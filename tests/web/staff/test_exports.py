"""Exports of entries and donors: with the page's filter, to those who may see it, on record."""

import csv
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from urllib.parse import unquote

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns import bookings, ledger
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from campaigns.money import Money
from campaigns.platforms.base import Key
from campaigns.web.staff import exports
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

EVIL = '=HYPERLINK("http://evil.example")'


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(make.campaign("spring"))


def book(listing: Listing, days: int, yuan: int = 10, currency: str = "CNY") -> Entry:
    booking = bookings.Booking(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=Money(yuan * 100, currency),
        occurred_at=NOON - timedelta(days=days),
        source="@shop",
        keys=(Key("trade", f"T-{days}"), Key("order", f"=O-{days}")),
        door=Door.WEBHOOK,
    )
    entry = db.session.get_one(Entry, ledger.book(booking, NOON).entry_id)
    db.session.commit()
    return entry


def table(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_entries_are_exported_with_the_filter_of_the_page(
    treasurer: Desk, listing: Listing
) -> None:
    kept = [book(listing, day) for day in (3, 2)]
    book(listing, 9)
    book(make.listing(), 4)
    days = "since=2026-11-18&until=2026-11-20"
    answer = treasurer.get(f"/staff/exports/entries.csv?campaign={listing.campaign_id}&{days}")
    rows = table(answer)
    assert [int(row["Number"]) for row in rows] == [kept[1].id, kept[0].id]
    assert rows[0]["Amount"] == "10.00"
    assert rows[0]["When"] == "2026-11-20 12:00:00"
    assert rows[0]["Came by"] == "'@shop"
    assert set(rows[0]["Known as"].split("; ")) == {"order =O-2", "trade T-2"}
    page = treasurer.get(f"/staff/ledger?campaign={listing.campaign_id}&{days}").text
    assert f"/staff/exports/entries.csv?campaign={listing.campaign_id}" in page


def test_a_reversed_entry_stands_with_its_reversal(treasurer: Desk, listing: Listing) -> None:
    entry = book(listing, 1)
    ledger.reverse(entry, "-cmd|calc", NOON)
    rows = table(treasurer.get("/staff/exports/entries.csv"))
    assert [row["Amount"] for row in rows] == ["-10.00", "10.00"]
    assert rows[0]["Takes back"] == str(entry.id)
    assert rows[0]["Reason"] == "'-cmd|calc"


@pytest.mark.parametrize(("locale", "name"), [("en", "entries"), ("zh-Hans", "账目")])
def test_the_file_has_a_name_in_the_readers_language(
    desk: Callable[..., Desk], listing: Listing, locale: str, name: str
) -> None:
    book(listing, 1)
    answer = desk(Role.TREASURER, locale=locale).get("/staff/exports/entries.xlsx")
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment; filename=entries-20")
    assert unquote(said.partition("filename*=UTF-8''")[2]).startswith(f"{name}-20")
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).active
    assert sheet is not None
    assert sheet.max_row == 2
    assert answer.headers["Cache-Control"] == "no-store"


def give(listing: Listing, days: int, yuan: int, currency: str, donor_id: int) -> None:
    entry = book(listing, days, yuan, currency)
    db.session.add(Gift(entry_id=entry.id, donor_id=donor_id))
    db.session.commit()


def test_donors_are_exported_once_each_with_what_they_gave(
    treasurer: Desk, listing: Listing
) -> None:
    ada, bo = make.donor("ada@example.org", name=EVIL), make.donor("bo@example.org", name="Bo")
    old = make.donor("ada@old.example", merged_into=ada.id)
    give(listing, 1, 10, "CNY", ada.id)
    give(listing, 2, 5, "CNY", old.id)
    give(listing, 3, 7, "USD", ada.id)
    rows = table(treasurer.post("/staff/exports/donors.csv"))
    assert [row["Address"] for row in rows] == ["bo@example.org", "ada@example.org"]
    given = [(row["Gifts"], row["Given in CNY"], row["Given in USD"]) for row in rows]
    assert given == [("0", "0.00", "0.00"), ("3", "15.00", "7.00")]
    assert rows[1]["Name"] == f"'{EVIL}"
    assert rows[1]["Last gift"] == "2026-11-21"
    some = table(treasurer.post("/staff/exports/donors.csv", q="bo@example.org"))
    assert [int(row["Number"]) for row in some] == [bo.id]


def test_who_took_donors_away_is_on_record_without_whom_they_looked_for(treasurer: Desk) -> None:
    make.donor("ada@example.org")
    answer = treasurer.post("/staff/exports/donors.xlsx", q="ada@example.org")
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).active
    assert sheet is not None
    assert sheet.max_row == 2
    record = db.session.scalars(select(AuditRecord)).one()
    assert (record.action, record.staff_id) == ("exported donors", treasurer.staff.id)
    assert record.changes == {"format": [None, "xlsx"], "search": [None, "some"]}


def test_a_workbook_that_would_take_long_is_not_begun(
    treasurer: Desk, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2):
        book(listing, day)
    monkeypatch.setattr(exports, "LONGEST_BOOK", 1)
    answer = treasurer.get("/staff/exports/entries.xlsx?kind=donation")
    assert answer.location == "/staff/ledger?kind=donation"
    assert "too many entries" in treasurer.get("/staff/ledger").text
    assert len(table(treasurer.get("/staff/exports/entries.csv"))) == 2


def test_other_formats_are_not_found(treasurer: Desk) -> None:
    assert treasurer.get("/staff/exports/entries.pdf").status_code == 404
    assert treasurer.post("/staff/exports/donors.pdf").status_code == 404


@pytest.mark.parametrize("role", [Role.FUNDRAISER, Role.EDITOR, Role.APPROVER])
def test_who_may_not_see_them_exports_nothing(desk: Callable[..., Desk], role: Role) -> None:
    sitting = desk(role)
    assert sitting.get("/staff/exports/entries.csv").status_code == 403
    assert sitting.post("/staff/exports/donors.csv").status_code == 403
    assert db.session.scalars(select(AuditRecord)).all() == []
