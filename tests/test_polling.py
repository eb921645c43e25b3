"""When a listing is asked again: its contract, its failures, and clocks that jump."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import hosts, polling
from campaigns.db import db
from campaigns.model.festival import Festival
from campaigns.model.host import Host, Turn
from campaigns.model.listing import Asking, Listing
from campaigns.platforms.base import Busy, PlatformError, Unreadable
from campaigns.questions import Response
from tests import make
from tests.make import NOON
from tests.test_hosts import answered, taken

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)


def settled(listing: Listing, now: datetime, error: PlatformError | None = None) -> datetime | None:
    """When it is asked again, having been asked now."""
    listing.next_poll_at = now
    db.session.commit()
    (question,) = taken(now)
    answered(question, now, error)
    return listing.next_poll_at


def test_it_is_asked_again_after_its_period_and_not_so_late_that_its_figure_is(app: Flask) -> None:
    listing = make.listing(period_seconds=3600, grace_seconds=60)
    due = settled(listing, NOON)
    assert due is not None
    assert NOON + HOUR <= due <= NOON + HOUR + timedelta(seconds=30)


def test_it_is_asked_when_a_festival_begins(app: Flask) -> None:
    begins = NOON + HOUR
    db.session.add(Festival(name="99", starts_at=begins, ends_at=begins + DAY, period_seconds=120))
    due = settled(make.listing(period_seconds=86400), NOON)
    assert due is not None
    assert begins <= due <= begins + timedelta(minutes=6)


def test_outside_its_working_hours_it_waits_for_the_next(app: Flask) -> None:
    listing = make.listing(opens_at=9 * 60, closes_at=12 * 60)
    assert taken(NOON) == []
    opening = NOON + timedelta(hours=21)
    assert listing.next_poll_at == opening
    assert len(taken(opening)) == 1


def test_one_that_opens_late_does_not_keep_others_from_being_asked(app: Flask) -> None:
    for _ in range(5):
        make.listing(opens_at=9 * 60, closes_at=12 * 60)
    sound = make.listing(next_poll_at=NOON)
    assert [question.listing_id for question in taken(NOON, limit=5)] == [sound.id]


def test_spreading_never_carries_it_past_its_closing_hour(app: Flask) -> None:
    before = NOON - timedelta(minutes=10, seconds=1)
    listing = make.listing(opens_at=9 * 60, closes_at=12 * 60, grace_seconds=7200)
    for _ in range(5):
        due = settled(listing, before)
        assert due is not None
        assert NOON - SECOND <= due < NOON


def test_days_after_the_end_nobody_asks_any_more(app: Flask) -> None:
    campaign = make.campaign(state="ended", ended_at=NOON - 30 * DAY + HOUR)
    listing = make.listing(campaign)
    assert settled(listing, NOON) is None
    listing.next_poll_at = NOON
    db.session.commit()
    assert taken(NOON + DAY) == []
    assert listing.asking is Asking.ASKED
    assert listing.next_poll_at is None


def test_a_failing_one_is_asked_ever_less_but_every_six_hours_at_least(app: Flask) -> None:
    listing, now, waits = make.listing(), NOON, []
    for _ in range(9):
        due = settled(listing, now, Unreadable("Not what we know."))
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits[:5] == sorted(waits[:5])
    assert timedelta(minutes=20) <= waits[0] <= timedelta(minutes=22)
    assert polling.LONGEST_WAIT <= waits[-1] <= polling.LONGEST_WAIT * 1.1


def test_a_failing_one_is_not_asked_more_often_than_a_sound_one(app: Flask) -> None:
    listing = make.listing(period_seconds=86400)
    due = settled(listing, NOON, Unreadable("Not what we know."))
    assert due is not None
    assert due >= NOON + DAY


def test_what_a_page_asks_for_is_longer_than_any_of_our_waits(app: Flask) -> None:
    due = settled(make.listing(), NOON, Busy("Patience.", retry_after=DAY))
    assert due is not None
    assert due >= NOON + DAY


def ahead(listing: Listing, by: timedelta) -> None:
    """The listing is asked while the clock is wrong, and its host fails and rests."""
    answered(taken(NOON + by)[0], NOON + by, Busy("Patience.", retry_after=HOUR))
    db.session.refresh(listing)


@pytest.mark.parametrize("by", [HOUR, 3 * DAY, 400 * DAY])
def test_a_clock_that_was_ahead_keeps_no_listing_from_being_asked(
    app: Flask, by: timedelta
) -> None:
    listing = make.listing()
    ahead(listing, by)
    assert taken(NOON + SECOND) == []
    mended(NOON + SECOND)
    assert len(taken(NOON + SECOND)) == 1
    mended(NOON + SECOND)
    assert taken(NOON + SECOND) == [], "mending again makes nobody ask twice"


@pytest.mark.parametrize("by", [HOUR, 400 * DAY])
def test_a_worker_that_died_by_a_wrong_clock_leaves_its_host_awake(
    app: Flask, by: timedelta
) -> None:
    """Its turn was over and its host told to rest, and then the listing was not put off."""
    make.listing()
    (question,) = taken(NOON + by)
    patience = Response(question, error=Busy("Patience.", retry_after=HOUR))
    hosts.end([patience.outcome], NOON + by)
    db.session.commit()
    mended(NOON)
    assert len(taken(NOON + hosts.LEASE)) == 1


def test_a_host_rests_no_longer_than_any_could_ask_for(app: Flask) -> None:
    listing = make.listing()
    db.session.add(Host(name=listing.host, rests_until=NEVER))
    mended(NOON)
    assert len(taken(NOON)) == 1
    db.session.get_one(Host, listing.host).rests_until = NOON + DAY
    mended(NOON)
    assert db.session.get_one(Host, listing.host).rests_until == NOON + DAY


@pytest.mark.parametrize(
    ("longest", "told"),
    [
        (6.6 * HOUR, {}),
        (26.4 * HOUR, {"failures": 1}),
        (30.6 * HOUR, {"opens_at": 600, "closes_at": 660}),
        (52.8 * HOUR, {"period_seconds": 48 * 3600}),
    ],
)
def test_nothing_is_left_alone_for_longer_than_its_cadence_allows(
    app: Flask, longest: timedelta, told: dict[str, Any]
) -> None:
    within, beyond = (
        make.listing(asked_at=NOON, next_poll_at=NOON + longest + more, **told)
        for more in (hosts.SKEW, hosts.SKEW + SECOND)
    )
    mended(NOON)
    db.session.expire_all()
    assert within.next_poll_at == NOON + longest + hosts.SKEW
    assert beyond.next_poll_at == NOON


def test_one_under_way_while_the_clock_is_set_back_is_asked_after_one_lease(app: Flask) -> None:
    make.listing()
    assert len(taken(NOON + 3 * DAY)) == 1
    mended(NOON)
    assert taken(NOON + hosts.LEASE - SECOND) == []
    mended(NOON + hosts.LEASE)
    assert len(taken(NOON + hosts.LEASE)) == 1


def test_a_turn_that_is_absurdly_far_off_comes_at_once(app: Flask) -> None:
    listing = make.listing(next_poll_at=NEVER, asked_at=NOON)
    mended(NOON)
    db.session.refresh(listing)
    assert listing.next_poll_at == NOON


def test_a_turn_that_is_far_off_by_contract_stays_there(app: Flask) -> None:
    due = NOON + 20 * DAY
    listing = make.listing(period_seconds=19 * 86400, next_poll_at=due, asked_at=NOON)
    mended(NOON)
    db.session.refresh(listing)
    assert listing.next_poll_at == due


def test_one_waiting_for_an_answer_is_not_asked_again_though_the_clock_jumps(app: Flask) -> None:
    make.listing()
    (question,) = taken(NOON)
    later = NOON + 3 * DAY
    assert polling.take_due(later, but=[question.listing_id]) == []
    assert len(polling.take_due(later)) == 1


def test_turns_are_forgotten_when_they_count_no_more(app: Flask) -> None:
    make.listing()
    taken(NOON)
    mended(NOON + hosts.LEASE - SECOND)
    assert len(db.session.scalars(select(Turn)).all()) == 1
    mended(NOON + hosts.LEASE)
    assert db.session.scalars(select(Turn)).all() == []


def test_a_listing_that_was_deleted_meanwhile_is_no_matter(app: Flask) -> None:
    listing = make.listing()
    (question,) = taken(NOON)
    db.session.delete(listing)
    db.session.commit()
    answered(question, NOON, Unreadable("Not what we know."))
    assert db.session.scalars(select(Host.failures)).one() == 0


def mended(now: datetime) -> None:
    polling.mend(now)
    db.session.commit()
