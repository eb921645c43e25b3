"""Booking by hand at a desk: what is typed is booked, what is mistyped is said beside its field."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.entry import Entry, EntryKind, Way
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.money import Money
from tests import make
from tests.web.staff.conftest import Desk


def form(treasurer: Desk, path: str = "/staff/by-hand", **more: Any) -> dict[str, Any]:
    """What a person fills in, in the form that a page gave them."""
    page = treasurer.get(path).text
    token = re.search(r'name="token"[^>]*value="([^"]+)"', page)
    place = re.search(r'<option [^>]*value="([^"]*)">[^<]*Given directly', page)
    assert token
    assert place
    return {
        "token": token[1],
        "listing": place[1],
        "amount": "1,500.00",
        "currency": "CNY",
        "moment": "2026-11-20T14:05",
        "way": "cash",
        "source": "hand",
        "donations": "1",
    } | more


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def test_a_gift_makes_its_listing_and_stands_on_the_page(treasurer: Desk) -> None:
    make.campaign("after-school")
    typed = form(treasurer, donations="37", name=" Ada\tL. ", show_name="y", message="for books")
    assert treasurer.post("/staff/by-hand", **typed).status_code == 302
    (entry,) = entries()
    assert (entry.amount, entry.donations, entry.way) == (Money.parse("1500.00 CNY"), 37, Way.CASH)
    assert entry.occurred_at.isoformat() == "2026-11-20T06:05:00+00:00"
    assert db.session.get_one(Gift, entry.id).public_name == "Ada L."
    public = treasurer.client.get("/en/c/after-school").text
    assert "¥1,500.00" in public
    assert "Given directly" in public
    assert "for books" not in public
    assert "¥1,500.00 is booked" in treasurer.get("/staff/by-hand").text


def test_there_is_nowhere_to_give_to_on_no_platform(treasurer: Desk) -> None:
    make.listing(make.campaign("after-school"))
    treasurer.post("/staff/by-hand", **form(treasurer))
    public = treasurer.client.get("/en/c/after-school").text
    assert public.count('class="button main" href') == 1
    assert 'href=""' not in public


def test_a_form_that_is_sent_again_is_booked_once(treasurer: Desk) -> None:
    make.campaign()
    typed = form(treasurer)
    for _ in range(2):
        treasurer.post("/staff/by-hand", **typed)
    assert len(entries()) == 1
    assert "was booked before" in treasurer.get("/staff/by-hand").text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("amount", "", "Write how much it was."),
        ("amount", "ten", "Write an amount in CNY"),
        ("amount", "10.001", "Write an amount in CNY"),
        ("amount", "0", "above zero"),
        ("amount", "-5", "above zero"),
        ("amount", "9" * 15, "above zero"),
        ("moment", "2999-01-01T00:00", "has not come yet"),
        ("moment", "soon", "Write a date and a time"),
        ("currency", "XXX", "currency"),
        ("donations", "x", "Write a whole number"),
        ("email", "ada@", "no mail address"),
        ("listing", "999", "Choose one of the list."),
        ("source", "alipay:1", "Choose one of the list."),
        ("way", "cheque", "Choose one of the list."),
        ("note", "x" * 501, "At most 500"),
        ("reference", "x" * 129, "At most 128"),
    ],
)
def test_what_is_mistyped_is_said_beside_its_field(
    treasurer: Desk, field: str, value: str, said: str
) -> None:
    make.campaign()
    answer = treasurer.post("/staff/by-hand", **form(treasurer) | {field: value})
    assert answer.status_code == 400
    assert re.search(rf'id="{field}-error"[^§]*?{said}', answer.text)
    assert entries() == []
    assert list(db.session.scalars(select(Listing))) == []


@pytest.mark.parametrize("token", ["", "short", "with space in it", "x" * 300])
def test_a_form_without_its_own_token_books_nothing(treasurer: Desk, token: str) -> None:
    make.campaign()
    assert treasurer.post("/staff/by-hand", **form(treasurer, token=token)).status_code == 400
    assert entries() == []


def test_a_number_in_the_ledger_is_said_beside_its_field(treasurer: Desk) -> None:
    make.campaign()
    treasurer.post("/staff/by-hand", **form(treasurer, reference="B-1"))
    answer = treasurer.post("/staff/by-hand", **form(treasurer, reference="B-1"))
    assert answer.status_code == 400
    assert f"Entry {entries()[0].id} has this number already." in answer.text
    assert len(entries()) == 1


def test_a_payout_is_booked_under_its_number(treasurer: Desk) -> None:
    make.endpoint(listing=make.listing(), source="alipay:2088")
    typed = form(treasurer, "/staff/by-hand/other", kind="payout", source="alipay:2088")
    treasurer.post("/staff/by-hand/other", **typed | {"reference": "S-1"})
    (entry,) = entries()
    assert (entry.kind, entry.amount.amount) == (EntryKind.PAYOUT, "1500.00")
    assert ("alipay:2088", "line", "S-1") in [
        (key.source, key.scheme, key.value) for key in entry.keys
    ]


def test_a_refund_names_the_donation_it_takes_back(treasurer: Desk) -> None:
    make.campaign()
    typed = form(treasurer, "/staff/by-hand/other", kind="refund", regards="T-1")
    treasurer.post("/staff/by-hand/other", **typed)
    assert (entries()[0].amount.amount, entries()[0].regards) == ("-1500.00", "trade:T-1")


@pytest.mark.parametrize("kind", ["donation", "match", "x", ""])
def test_other_money_is_of_the_kinds_offered(treasurer: Desk, kind: str) -> None:
    make.campaign()
    typed = form(treasurer, "/staff/by-hand/other", kind=kind)
    assert treasurer.post("/staff/by-hand/other", **typed).status_code == 400
    assert entries() == []


def test_with_no_campaign_the_page_still_opens(treasurer: Desk) -> None:
    assert treasurer.get("/staff/by-hand").status_code == 200
