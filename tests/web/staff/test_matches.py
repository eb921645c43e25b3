"""Matched money at the desk: entered with who matches, taken further in view of its effect."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.entry import Entry, EntryKind, MatchStage
from campaigns.model.listing import Listing, Rule
from tests import make
from tests.web.staff.conftest import Desk

PATH = "/staff/by-hand/matches"
MOMENT = "2026-11-20T14:05"


@pytest.fixture
def listing(treasurer: Desk) -> Listing:
    return make.listing(make.campaign("after-school"), rule=Rule.ITEMISED)


def enter(treasurer: Desk, listing: Listing, **more: Any) -> Entry:
    token = re.search(r'name="token"[^>]*value="([^"]+)"', treasurer.get(PATH).text)
    assert token
    fields = {
        "token": token[1],
        "by": "A company",
        "stage": "announced",
        "listing": str(listing.id),
        "amount": "8,800.00",
        "currency": "CNY",
        "moment": MOMENT,
        "source": "hand",
    }
    answer = treasurer.post(PATH, **fields | more)
    assert answer.status_code == 302, answer.text
    return entries()[-1]


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def step(treasurer: Desk, entry: Entry, stage: str, do: str = "do", **more: Any) -> Any:
    fields = {"stage": stage, "amount": "8800.00", "moment": MOMENT, "reason": "", "step": do}
    return treasurer.post(f"{PATH}/{entry.id}", **fields | more)


def test_a_match_is_entered_with_who_matches(treasurer: Desk, listing: Listing) -> None:
    entry = enter(treasurer, listing, reference="M-1")
    assert (entry.kind, entry.stage) == (EntryKind.MATCH, MatchStage.ANNOUNCED)
    page = treasurer.get(PATH).text
    assert "A company" in page
    assert "announced" in page
    page = treasurer.get(f"/staff/ledger/{entry.id}").text
    assert re.search(r"<dt>Matched by</dt><dd>A company</dd>", page)
    assert "8,800.00" not in treasurer.client.get("/en/c/after-school").text


def test_each_step_is_seen_before_it_is_made(treasurer: Desk, listing: Listing) -> None:
    entry = enter(treasurer, listing)
    seen = step(treasurer, entry, "confirmed", do="look")
    assert seen.status_code == 200
    assert "¥8,800.00" in seen.text.partition("What people would see")[2]
    assert len(entries()) == 1
    step(treasurer, entry, "confirmed")
    assert "confirmed, not yet received" in treasurer.client.get("/en/c/after-school").text
    step(treasurer, entries()[-1], "received")
    assert "confirmed, not yet received" not in treasurer.client.get("/en/c/after-school").text
    assert [entry.stage for entry in entries()] == ["announced"] * 2 + ["confirmed"] * 2 + [
        "received"
    ]


def test_a_form_that_stood_open_is_told_of_what_happened(treasurer: Desk, listing: Listing) -> None:
    entry = enter(treasurer, listing)
    for _ in range(2):
        answer = step(treasurer, entry, "confirmed")
    assert answer.location == f"/staff/ledger/{entry.id}"
    assert "brought this match further" in treasurer.get(f"/staff/ledger/{entry.id}").text
    assert len(entries()) == 3


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"stage": "announced"}, "stage"),
        ({"stage": "x"}, "stage"),
        ({"amount": ""}, "amount"),
        ({"amount": "0", "reason": "none"}, "amount"),
        ({"amount": "8,000.00"}, "reason"),
        ({"moment": "2999-01-01T00:00"}, "moment"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    treasurer: Desk, listing: Listing, typed: dict[str, str], field: str
) -> None:
    entry = enter(treasurer, listing)
    for do in ("look", "do"):
        answer = step(treasurer, entry, **{"stage": "confirmed", "do": do} | typed)
        assert answer.status_code == 400
        assert f'id="{field}-error"' in answer.text
    assert len(entries()) == 1


def test_what_was_received_or_is_no_match_goes_no_further(
    treasurer: Desk, listing: Listing
) -> None:
    entry = enter(treasurer, listing, stage="received")
    assert treasurer.get(f"{PATH}/{entry.id}").status_code == 302
    assert step(treasurer, entry, "received").status_code == 400
    assert len(entries()) == 1


def test_who_matches_must_be_said(treasurer: Desk, listing: Listing) -> None:
    assert treasurer.post(PATH, listing=str(listing.id), by=" ").status_code == 400
    assert entries() == []
