"""Reports that grow while nothing is booked: who notices, when, and when it is over."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st

from campaigns import ledger, needs, reconciliation, silences
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, EntryKind
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Role
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.make import NOON
from tests.statements import counted

MINUTE = timedelta(minutes=1)
PERIOD = 10  # minutes, as listings have it unless staff say otherwise
numbers = count(1)


def at(minute: int) -> datetime:
    return NOON + minute * MINUTE


def reports(of: Listing, figures: dict[int, int]) -> None:
    """By minute, in yuan."""
    for minute, yuan in figures.items():
        make.report(of, yuan * 100, at(minute))


def booked(
    of: Listing, yuan: int, minute: int, door: Door = Door.WEBHOOK, late: int = 0,
    by: WebhookEndpoint | None = None,
) -> None:  # fmt: skip
    """A gift of this minute, booked `late` minutes later."""
    notice = make.notice(by, str(next(numbers))) if by else None
    booking = Booking(
        of, EntryKind.DONATION, Money(yuan * 100, "CNY"), at(minute), "x",
        (Key("trade", f"t{next(numbers)}"),), door, notice_id=notice.id if notice else None,
    )  # fmt: skip
    ledger.book(booking, at(minute + late))
    db.session.commit()


def silent(listing: Listing, minute: int) -> bool:
    return listing.id in reconciliation.silent([listing], at(minute))


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


@pytest.fixture
def endpoint(listing: Listing) -> WebhookEndpoint:
    return make.endpoint(listing=listing, created_at=at(-1000))


def growing(minutes: Iterable[int]) -> dict[int, int]:
    """A platform that gets a yuan a minute."""
    return {minute: 1000 + minute for minute in minutes}


def test_an_endpoint_that_stops_is_noticed_after_two_periods(
    listing: Listing, endpoint: WebhookEndpoint
) -> None:
    for minute in range(-100, 1, 5):
        booked(listing, 1, minute)
    reports(listing, growing(range(-100, 61, PERIOD)))
    when = next(minute for minute in range(1, 61) if silent(listing, minute))
    # The first report may be behind what is booked, the third stands for two periods.
    assert when == 5 * PERIOD
    found = silences.of([listing], at(60))[listing.id]
    assert (found.since, found.endpoint_id) == (at(0), endpoint.id)


def test_it_ends_when_entries_catch_up_or_somebody_says_why(
    listing: Listing, endpoint: WebhookEndpoint
) -> None:
    booked(listing, 100, -5)
    reports(listing, {0: 100, 10: 100, 20: 160, 40: 160})
    assert silent(listing, 60)
    booked(listing, 60, 15, Door.HAND)
    assert not silent(listing, 60)
    reports(listing, {70: 200, 80: 200})
    assert silent(listing, 100)
    standing = reconciliation.standing([listing], at(100))[listing.id]
    gap = standing.last.gap
    assert gap is not None
    reconciliation.explain(standing, gap, "A stall at the market.", at(100), make.staff())
    assert not silent(listing, 100)
    reports(listing, {110: 250})
    assert silent(listing, 140)


def test_a_page_that_shows_late_what_is_booked_is_no_silence(
    listing: Listing, endpoint: WebhookEndpoint
) -> None:
    booked(listing, 60, 0)
    reports(listing, {-10: 100, 10: 100, 20: 160, 30: 160, 40: 160})
    assert not silent(listing, 60)
    booked(listing, 160, -100)
    reports(listing, {50: 200})
    assert not silent(listing, 90)


def test_one_large_gift_whose_notice_is_on_its_way_is_no_silence(
    listing: Listing, endpoint: WebhookEndpoint
) -> None:
    booked(listing, 5, -600)
    reports(listing, {-590: 5, -580: 5, 0: 5, 10: 9000, 20: 9000, 29: 9000})
    assert not silent(listing, 29)
    assert silent(listing, 30)
    booked(listing, 8995, 9, late=23)
    assert not silent(listing, 32)


def test_what_comes_late_comes_nevertheless(listing: Listing, endpoint: WebhookEndpoint) -> None:
    reports(listing, growing(range(-100, 61, PERIOD)))
    booked(listing, 1, -60, late=110)
    assert not silent(listing, 60)
    assert silent(listing, 80)


def test_a_listing_that_is_only_reported_promised_no_entries(listing: Listing) -> None:
    reports(listing, growing(range(0, 61, PERIOD)))
    booked(listing, 5, 0, Door.HAND)
    assert not silent(listing, 10_000)
    make.endpoint(campaign=make.campaign(), heard_at=NOON)
    assert not silent(listing, 10_000)


def test_by_files_entries_may_come_as_late_as_gaps_may_wait(listing: Listing) -> None:
    booked(listing, 5, 0, Door.FILE)
    reports(listing, growing(range(-100, 61, PERIOD)))
    days = listing.tolerance_days * 24 * 60
    assert not silent(listing, days)
    assert silent(listing, days + 60)
    found = silences.of([listing], at(days + 60))[listing.id]
    assert (found.by_file, found.endpoint_id) == (True, None)
    listing.tolerance_minor = None
    assert not silent(listing, days + 60)


def test_of_a_campaigns_endpoint_the_listings_are_known_by_what_it_told(app: Flask) -> None:
    campaign = make.campaign()
    endpoint = make.endpoint(campaign=campaign)
    told, untold = make.listing(campaign), make.listing(campaign)
    booked(told, 1, 0, by=endpoint)
    for one in (told, untold):
        reports(one, growing(range(-100, 61, PERIOD)))
    found = silences.of([told, untold], at(60))
    assert {id: one.endpoint_id for id, one in found.items()} == {told.id: endpoint.id}


def test_nothing_is_missed_from_before_an_endpoint_was_made(listing: Listing) -> None:
    reports(listing, growing(range(-100, 11, PERIOD)))
    make.endpoint(listing=listing, created_at=at(10))
    reports(listing, {20: 1010, 30: 1010})
    assert not silent(listing, 60)
    reports(listing, {40: 1030})
    assert silent(listing, 60)


def test_one_cause_is_one_thing_to_do_and_no_gap_beside_it(app: Flask) -> None:
    campaign = make.campaign()
    endpoint = make.endpoint(campaign=campaign)
    for _ in range(2):
        one = make.listing(campaign)
        booked(one, 1, 0, by=endpoint)
        reports(one, growing(range(-100, 61, PERIOD)))
    filed = make.listing()
    booked(filed, 1, 0, Door.FILE)
    reports(filed, growing(range(-100, 61, PERIOD)))
    said = needs.of(make.staff(None, Role.TREASURER), at(10 * 24 * 60))
    assert [(one.what, one.count, one.endpoint) for one in said] == [
        (needs.What.UNHEARD, 2, endpoint),
        (needs.What.NO_FILE, 1, None),
    ]


def test_many_listings_are_one_statement(app: Flask) -> None:
    many = [make.listing(period_seconds=60 * number, tolerance_days=number) for number in (1, 2, 3)]
    with counted() as statements:
        silences.of(many, at(60))
    assert len(statements) == 1


GIFTS = st.dictionaries(st.integers(0, 60), st.integers(1, 50), min_size=1, max_size=6)


@hypothesis.settings(
    max_examples=6,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(
    gifts=GIFTS,
    behind=st.integers(0, 30),
    late=st.integers(0, 2 * PERIOD),
    stops=st.integers(0, 60),
)
def test_an_endpoint_is_noticed_if_and_only_if_it_stops(
    app: Flask, gifts: dict[int, int], behind: int, late: int, stops: int
) -> None:
    """The platform's page is `behind` and its posts are `late`, in minutes, until it `stops`.

    An hour after that there is another gift.
    """
    listing = make.listing(rule=Rule.ITEMISED)
    make.endpoint(listing=listing, created_at=at(-60))
    gifts |= {stops + 60: 1}
    told = {minute: yuan for minute, yuan in gifts.items() if minute <= stops}
    first_lost = min(gifts.keys() - told.keys())
    for minute in range(-PERIOD, stops + 60 + behind + 4 * PERIOD, PERIOD):
        for when in [when for when in told if when + late <= minute]:
            booked(listing, told.pop(when), when, late=late)
        shown = sum(yuan for when, yuan in gifts.items() if when <= minute - behind)
        if shown:
            reports(listing, {minute: shown})
        noticed = silent(listing, minute)
        assert minute >= first_lost + behind or not noticed
    assert noticed
