"""Rows of files that name no listing: settled all alike, from the queue."""

from html import unescape
from re import findall

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import settling, unplaced
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing, Rule
from campaigns.model.placement import PlacedBy
from tests import bill, make
from tests.bill import Paid
from tests.books import totals_agree
from tests.web.staff.conftest import Desk

DESKS = [Paid(1, 1000, goods="desks"), Paid(2, 500, goods="desks"), bill.refund(9, 200, line=3)]
LAMPS = [Paid(4, 700, goods="lamps")]


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    make.listing()
    return make.listing(rule=Rule.ITEMISED)


@pytest.fixture
def pages(listing: Listing, treasurer: Desk) -> list[str]:
    """The addresses of the groups of a committed bill, the largest group first."""
    bill.commit(bill.read(bill.bill(DESKS + LAMPS)))
    return addresses(treasurer)


def addresses(treasurer: Desk) -> list[str]:
    queue = unescape(treasurer.get("/staff/settle").text)
    return findall(r'href="(/staff/settle/rows[^"]+)"', queue)


def with_verb(address: str, verb: str) -> str:
    return address.replace("/rows?", f"/rows/{verb}?")


def amounts() -> list[int]:
    return list(db.session.scalars(select(Entry.amount_minor).order_by(Entry.amount_minor)))


def test_rows_that_name_the_same_stand_together(treasurer: Desk, pages: list[str]) -> None:
    groups = {
        (group.ref, group.begins): (group.count, str(group.sums[0])) for group in unplaced.groups()
    }
    assert groups == {
        ("desks", "DON-"): (2, "15.00 CNY"),
        ("放学以后", ""): (1, "-2.00 CNY"),
        ("lamps", "DON-"): (1, "7.00 CNY"),
    }
    assert "rows of imported files name no listing" in treasurer.get("/staff").text
    assert treasurer.get(pages[0]).status_code == 200


def test_all_alike_are_booked_and_the_choice_is_remembered(
    treasurer: Desk, pages: list[str], listing: Listing
) -> None:
    treasurer.post(with_verb(pages[0], "place"), listing=listing.id, rule="ref")
    assert amounts() == [500, 1000]
    assert {entry.staff_id for entry in db.session.scalars(select(Entry))} == {treasurer.staff.id}
    assert [(one.by, one.text) for one in settling.rules()] == [(PlacedBy.REF, "desks")]
    assert totals_agree()
    again = treasurer.post(with_verb(pages[0], "place"), listing=listing.id, rule="ref")
    assert again.status_code == 302
    assert amounts() == [500, 1000]


def test_a_group_is_left_with_a_reason_and_the_queue_is_empty(
    treasurer: Desk, pages: list[str]
) -> None:
    assert treasurer.post(with_verb(pages[0], "leave"), why_left="").status_code == 400
    for page in pages:
        treasurer.post(with_verb(page, "leave"), why_left="the shop's own money")
    assert addresses(treasurer) == []
    assert amounts() == []
    records = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "left rows")).all()
    assert {record.changes["reason"][1] for record in records} == {"the shop's own money"}


def test_a_listing_must_be_chosen(treasurer: Desk, pages: list[str]) -> None:
    for fields in ({"listing": ""}, {"listing": "77777"}, {"listing": "1", "rule": "other"}):
        answer = treasurer.post(with_verb(pages[0], "place"), **{"rule": "", **fields})
        assert answer.status_code == 400
    assert amounts() == []


@pytest.mark.parametrize("file", ["", "x", "-1", "²", "9" * 30])
def test_a_file_that_is_none_is_not_found(treasurer: Desk, file: str) -> None:
    assert treasurer.get(f"/staff/settle/rows?file={file}").status_code == 404


def test_what_was_settled_meanwhile_leads_back(treasurer: Desk) -> None:
    assert treasurer.get("/staff/settle/rows?file=7").location == "/staff/settle"
