"""Each entry leads back to what it was made from, and each figure to its entries."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from campaigns import byhand, correcting, ledger
from campaigns.bookings import Booking
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage, Way
from campaigns.model.file import File
from campaigns.model.imported import Import, ImportRow, RowVerdict
from campaigns.model.listing import Listing, Rule
from campaigns.model.notice import Notice, Verdict
from campaigns.model.staff import Role
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk


@pytest.fixture
def treasurer(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.TREASURER, name="Lin the treasurer")


@pytest.fixture
def listing(treasurer: Desk) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


def book(listing: Listing, number: int = 1, **more: Any) -> Entry:
    given: dict[str, Any] = {
        "listing": listing,
        "kind": EntryKind.DONATION,
        "amount": Money.parse("500.00 CNY"),
        "occurred_at": NOON,
        "source": "hand",
        "keys": (Key("trade", f"T-{number}"),),
        "door": Door.WEBHOOK,
    }
    entry_id = ledger.book(Booking(**given | more), NOON).entry_id
    db.session.commit()
    return db.session.get_one(Entry, entry_id)


def page(treasurer: Desk, entry: Entry) -> str:
    return treasurer.get(f"/staff/ledger/{entry.id}").text


def test_an_entry_leads_to_its_figure(treasurer: Desk, listing: Listing) -> None:
    text = page(treasurer, book(listing))
    assert f'href="/staff/listings/{listing.id}"' in text
    assert f'href="/staff/campaigns/{listing.campaign_id}"' in text
    assert f"/staff/ledger?listing={listing.id}&amp;day=2026-11-22" in text


def test_what_counts_in_no_figure_says_so(treasurer: Desk, listing: Listing) -> None:
    payout = book(listing, 1, kind=EntryKind.PAYOUT)
    match = book(listing, 2, kind=EntryKind.MATCH, stage=MatchStage.ANNOUNCED)
    for entry in (payout, match):
        assert "in no public figure" in page(treasurer, entry)
    assert "in no public figure" not in page(treasurer, book(listing, 3))


def test_a_notice_is_named_with_its_endpoint(treasurer: Desk, listing: Listing) -> None:
    notice = Notice(
        endpoint_id=make.endpoint("bank-post", listing=listing).id,
        event_id="evt",
        body_hash="0" * 64,
        headers={},
        received_at=NOON,
        verdict=Verdict.BOOKED,
    )
    db.session.add(notice)
    db.session.commit()
    text = page(treasurer, book(listing, notice_id=notice.id))
    assert f'href="/staff/notices/{notice.id}"' in text
    assert "bank-post" in text


def test_a_row_of_a_file_is_named(treasurer: Desk, listing: Listing) -> None:
    file = File(sha256="0" * 64, size=1, media_type="text/csv", created_at=NOON)
    db.session.add(file)
    db.session.flush()
    source = Import(
        file_id=file.id,
        name="may.zip",
        member="may.csv",
        profile="x",
        source="x",
        created_at=NOON,
        counted_at=NOON,
    )
    db.session.add(source)
    db.session.flush()
    row = ImportRow(import_id=source.id, position=4, number=9, verdict=RowVerdict.NEW)
    entry = Entry(
        kind=EntryKind.DONATION,
        amount_minor=100,
        currency="CNY",
        donations=1,
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source="x",
        occurred_at=NOON,
        day=NOON.date(),
        booked_at=NOON,
        door=Door.FILE,
        import_id=source.id,
        import_row=4,
    )
    db.session.add_all([row, entry])
    db.session.commit()
    assert "Row 9 of “may.csv”" in page(treasurer, entry)


def test_who_decided_stands_on_every_page_of_the_same_money(
    treasurer: Desk, listing: Listing
) -> None:
    movement = Movement(listing, EntryKind.DONATION, Money(100, "CNY"), NOON, Way.CASH)
    first = db.session.get_one(
        Entry, byhand.book(movement, "a-form-of-its-own", NOON, treasurer.staff).entry_id
    )
    written = byhand.booking(movement, None, NOON, treasurer.staff)
    second = correcting.anew(first, written, "the wrong day", NOON, treasurer.staff)
    third = correcting.anew(second, written, "and again", NOON, treasurer.staff)
    reversals = [correcting.reversal_of(one) for one in (first, second)]
    chain = [first, second, third, *filter(None, reversals)]
    for entry in chain:
        text = page(treasurer, entry)
        for other in chain:
            assert entry is other or f'href="/staff/ledger/{other.id}"' in text
        assert text.count("Lin the treasurer") > 3
        assert "the wrong day" in text
        assert "booked by hand" in text


def test_days_lead_from_a_figure_to_its_entries(treasurer: Desk, listing: Listing) -> None:
    book(listing, 1)
    book(listing, 2, amount=Money.parse("20.00 CNY"))
    later = book(listing, 3, occurred_at=NOON + timedelta(days=1), donations=37)
    other = make.listing(db.session.get_one(Campaign, listing.campaign_id))
    book(other, 4, amount=Money.parse("7.00 CNY"), kind=EntryKind.FEE)
    text = treasurer.get(f"/staff/ledger/days/listing/{listing.id}").text
    assert re.search(r"37 donations.*¥520\.00", text, re.S)
    assert "7.00" not in text
    whole = treasurer.get(f"/staff/ledger/days/campaign/{listing.campaign_id}").text
    assert "-¥7.00" in whole or "−¥7.00" in whole
    link = re.search(r'href="(/staff/ledger\?day=2026-11-23[^"]+)"', text)
    assert link
    day = treasurer.get(link[1].replace("&amp;", "&")).text
    assert re.findall(r'id="entry-(\d+)"', day) == [str(later.id)]


def test_many_days_are_turned_like_pages(treasurer: Desk, listing: Listing) -> None:
    for number in range(70):
        book(listing, number, occurred_at=NOON - timedelta(days=number))
    path = f"/staff/ledger/days/listing/{listing.id}"
    first = treasurer.get(path).text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = treasurer.get(older[1]).text
    assert (first.count('scope="row"'), second.count('scope="row"')) == (60, 10)
    assert treasurer.get(f"{path}?before=soon").status_code == 200


def test_a_listing_without_entries_says_so(treasurer: Desk, listing: Listing) -> None:
    assert (
        "has no entries behind it" in treasurer.get(f"/staff/ledger/days/listing/{listing.id}").text
    )


@pytest.mark.parametrize("day", ["soon", "2026-13-01", ""])
def test_a_day_that_is_none_filters_nothing(treasurer: Desk, listing: Listing, day: str) -> None:
    entry = book(listing)
    assert f'id="entry-{entry.id}"' in treasurer.get(f"/staff/ledger?day={day}").text
