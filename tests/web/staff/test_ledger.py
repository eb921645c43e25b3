"""The ledger and its notices: found by filters, paged by key, without people for those who may
not see them."""

import json
import re
from datetime import timedelta

import pytest

from campaigns import bookings, ledger
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, NoticeBody, Verdict
from campaigns.model.rate import Rate
from campaigns.money import Money
from campaigns.platforms.base import Key
from campaigns.web.staff import masked
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

BODY = '{"data": {"amount": "10.00", "donor": {"name": "Ada", "email": "ada@example.org"}}}'


def book(listing: Listing, number: int, kind: EntryKind = EntryKind.DONATION) -> Entry:
    at = NOON + timedelta(minutes=number)
    keys = (Key("trade", f"T-{number}"),)
    booking = bookings.Booking(listing, kind, Money(1000, "CNY"), at, "x", keys, Door.WEBHOOK)
    entry = db.session.get_one(Entry, ledger.book(booking, NOON).entry_id)
    db.session.commit()
    return entry


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="entry-(\d+)"', page)]


def link(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def test_pages_follow_each_other_while_entries_are_added(treasurer: Desk) -> None:
    listing = make.listing()
    first = [book(listing, number).id for number in range(120)]
    page_1 = treasurer.get("/staff/ledger").text
    book(listing, 999)
    page_2 = treasurer.get(link(page_1, "next")).text
    page_3 = treasurer.get(link(page_2, "next")).text
    seen = numbers(page_1) + numbers(page_2) + numbers(page_3)
    assert seen == first[::-1]
    assert 'rel="next"' not in page_3
    assert numbers(treasurer.get(link(page_3, "prev")).text) == numbers(page_2)


def test_entries_are_found_by_campaign_and_kind(treasurer: Desk) -> None:
    ours, other = make.listing(), make.listing()
    gift, fee = book(ours, 1), book(ours, 2, EntryKind.FEE)
    book(other, 3)
    page = treasurer.get(f"/staff/ledger?campaign={ours.campaign_id}").text
    assert numbers(page) == [fee.id, gift.id]
    page = treasurer.get(f"/staff/ledger?campaign={ours.campaign_id}&kind=fee").text
    assert numbers(page) == [fee.id]


@pytest.mark.parametrize(
    "query", ["campaign=x&kind=y", "before=²", "after=" + "9" * 40, "before=-1", "listing=-7"]
)
def test_a_filter_that_is_none_counts_as_none(treasurer: Desk, query: str) -> None:
    entry = book(make.listing(), 1)
    answer = treasurer.get(f"/staff/ledger?{query}")
    assert answer.status_code == 200
    assert numbers(answer.text) == [entry.id]


def test_an_entry_shows_every_number_it_is_known_by(treasurer: Desk) -> None:
    entry = book(make.listing(), 7)
    reversal = ledger.reverse(entry, "counted twice", NOON)
    db.session.commit()
    page = treasurer.get(f"/staff/ledger/{entry.id}").text
    assert "number: <code>T-7</code>" in page
    assert f"/staff/ledger/{reversal.id}" in page
    assert "counted twice" in treasurer.get(f"/staff/ledger/{reversal.id}").text


def test_who_gave_is_shown_to_those_who_may_see_donors(treasurer: Desk) -> None:
    entry, donor = book(make.listing(), 1), make.donor("ada@example.org")
    db.session.add(Gift(entry_id=entry.id, donor_id=donor.id))
    assert "ada@example.org" in treasurer.get(f"/staff/ledger/{entry.id}").text


def test_people_are_hidden_in_a_body_and_money_is_not() -> None:
    shown = masked.told(json.loads(BODY), in_full=False)
    assert '"amount": "10.00"' in shown
    assert "Ada" not in shown
    assert "ada@" not in shown


def test_a_body_that_is_no_json_is_hidden_whole() -> None:
    assert masked.raw(b"name=Ada", in_full=False) == masked.HIDDEN
    assert masked.raw(b"name=Ada\xff", in_full=True) == "name=Ada\ufffd"


def notice(verdict: Verdict, event: str) -> Notice:
    endpoint = make.endpoint(campaign=make.campaign())
    row = Notice(
        endpoint_id=endpoint.id,
        event_id=event,
        body_hash="0" * 64,
        headers={},
        received_at=NOON,
        verdict=verdict,
        body=NoticeBody(content=BODY.encode()),
    )
    db.session.add(row)
    db.session.commit()
    return row


def test_notices_are_found_by_what_became_of_them(treasurer: Desk) -> None:
    notice(Verdict.BOOKED, "evt-booked")
    notice(Verdict.UNMATCHED, "evt-unmatched")
    page = treasurer.get("/staff/notices?verdict=unmatched").text
    assert "evt-unmatched" in page
    assert "evt-booked" not in page


def test_a_notice_is_shown_as_it_arrived_until_its_body_is_deleted(treasurer: Desk) -> None:
    row = notice(Verdict.BOOKED, "evt")
    assert "ada@example.org" in treasurer.get(f"/staff/notices/{row.id}").text
    row.body = None
    assert "has been deleted" in treasurer.get(f"/staff/notices/{row.id}").text


def test_an_unmatched_notice_is_booked_again_on_request(treasurer: Desk) -> None:
    row, done = notice(Verdict.UNMATCHED, "a"), notice(Verdict.BOOKED, "b")
    for one in (row, done):
        treasurer.post(f"/staff/notices/{one.id}/again")
    assert (row.verdict, done.verdict) == (Verdict.WAITING, Verdict.BOOKED)
    assert row.next_try_at is not None


RATE = {"day": "2026-11-20", "base": "usd", "quote": "CNY", "rate": "7.1052", "source": "PBOC"}


def test_a_rate_is_kept_and_can_be_replaced(treasurer: Desk) -> None:
    treasurer.post("/staff/rates", **RATE)
    treasurer.post("/staff/rates", **RATE | {"rate": "7.2"})
    row = db.session.query(Rate).one()
    assert (row.base, str(row.rate), row.staff_id) == ("USD", "7.2", treasurer.staff.id)


@pytest.mark.parametrize(
    ("field", "value"),
    [("rate", "0"), ("rate", "NaN"), ("rate", "much"), ("rate", "1e999"), ("base", "XXX"),
     ("quote", "USD"), ("day", "soon"), ("source", " ")],
)  # fmt: skip
def test_a_rate_that_cannot_be_is_refused(treasurer: Desk, field: str, value: str) -> None:
    assert treasurer.post("/staff/rates", **RATE | {field: value}).status_code == 400
    assert db.session.query(Rate).count() == 0
