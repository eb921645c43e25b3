"""Clocks that jump (fault row 9): no letter leaves twice, and none is lost."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from campaigns import addressing, mailings
from campaigns.db import db
from campaigns.mail.transport import Outcome
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import QuietDays
from tests import make
from tests.claiming import LATER, SENT, end, take
from tests.mailing import HOUR, approved, begin, deliveries, follower, scheduled, state
from tests.make import NOON

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def organisation(app: Flask) -> None:
    make.organisation(quiet_from=21 * 60, quiet_until=8 * 60, quiet_days=QuietDays.HOLIDAYS)


def to(*zones: str | None, at: datetime = NOON + HOUR) -> Mailing:
    """A scheduled mailing to a donor in each zone."""
    update = make.update()
    for zone in zones:
        follower(update).timezone = zone
    db.session.commit()
    return scheduled(update, at)


def by_zone(mailing: Mailing, local: str, now: datetime) -> None:
    zones = {None, "America/New_York"}
    mailings.schedule_by_zone(mailing, datetime.fromisoformat(local), zones, None, now)
    db.session.commit()


def tick(now: datetime, outcome: Outcome = SENT) -> list[int]:
    """What a tick of the post does at a moment; the mailing's letters that the relay was handed."""
    begin(now)
    claims = take(now=now)
    for claim in claims:
        end(claim, outcome, now)
    addressing.finish(now)
    db.session.commit()
    return [claim.id for claim in claims if claim.mailing_id]


def test_three_days_ahead_a_mailing_that_had_begun_is_sent_once() -> None:
    mailing = to(None, None)
    begin(NOON + HOUR)
    assert len(tick(NOON + 3 * DAY)) == 2
    assert [tick(NOON + HOUR + number * HOUR) for number in range(3)] == [[]] * 3
    assert state(mailing) == "sent"


def test_three_days_ahead_a_mailing_that_had_not_waits_for_a_person() -> None:
    mailing = to(None)
    assert tick(NOON + 3 * DAY) == []
    # The clock is right again, and its hour comes as it was set; nobody is surprised by it.
    assert tick(NOON + HOUR) == []
    assert state(mailing) == "missed"
    mailings.schedule(mailing, NOON + 2 * HOUR, None, NOON + HOUR)
    assert len(tick(NOON + 2 * HOUR)) == 1
    assert len(deliveries(mailing)) == 1


def test_one_hour_back_nothing_is_addressed_or_claimed_again() -> None:
    mailing = to(None, None)
    sent = tick(NOON + HOUR)
    assert len(sent) == 2
    assert [tick(NOON + minutes) for minutes in (0 * HOUR, HOUR / 2, HOUR)] == [[]] * 3
    assert [letter.id for letter in deliveries(mailing)] == sorted(sent)


def test_one_hour_back_a_deferred_letter_waits_and_is_sent_once() -> None:
    to(None)
    [letter] = tick(NOON + HOUR, LATER)
    assert tick(NOON) == []
    assert tick(NOON + 2 * HOUR) == [letter]
    assert tick(NOON + HOUR) == []


def test_an_hour_that_summer_time_skips_in_a_donors_zone_comes_once() -> None:
    # New York, 8 March 2026: from two o'clock straight to three, at seven in UTC.
    organisation = make.our_organisation()
    organisation.quiet_from = organisation.quiet_until = 0
    change = datetime(2026, 3, 8, 7, tzinfo=UTC)
    update = make.update()
    follower(update).timezone = "America/New_York"
    mailing = approved(update)
    by_zone(mailing, "2026-03-08T02:30", change - DAY)
    begin(datetime(2026, 3, 7, 18, 30, tzinfo=UTC))  # half past two in Shanghai
    ticks = [tick(change + number * HOUR / 4) for number in range(-8, 12)]
    assert [len(letters) for letters in ticks if letters] == [1]
    assert ticks[10] == [deliveries(mailing)[0].id]  # at half past seven


def test_an_hour_that_a_donors_clock_shows_twice_comes_once() -> None:
    # New York, 1 November 2026: from two o'clock back to one, at six in UTC.
    organisation = make.our_organisation()
    organisation.quiet_from = organisation.quiet_until = 0
    change = datetime(2026, 11, 1, 6, tzinfo=UTC)
    update = make.update()
    follower(update).timezone = "America/New_York"
    mailing = approved(update)
    by_zone(mailing, "2026-11-01T01:30", change - DAY)
    begin(datetime(2026, 10, 31, 17, 30, tzinfo=UTC))  # half past one in Shanghai
    ticks = [tick(change + number * HOUR / 2) for number in range(-4, 6)]
    assert [number for number, letters in enumerate(ticks) if letters] == [3]  # the first of both


def test_where_the_hour_has_passed_already_the_letter_goes_at_once() -> None:
    mailing = to(None)
    by_zone(mailing, "2026-11-22T12:30", NOON)
    follower(mailing.update).timezone = "Asia/Tokyo"  # of whom nobody knew when it was scheduled
    db.session.commit()
    begin(NOON + HOUR / 2)
    assert [letter.due_at for letter in deliveries(mailing)] == [NOON + HOUR / 2] * 2


def test_at_the_turn_of_the_year_a_letter_waits_out_the_holiday_once() -> None:
    new_years_eve = datetime(2026, 12, 31, 14, tzinfo=UTC)  # ten in the evening in Shanghai
    mailing = to(None, at=new_years_eve)
    # New Year's Day is a Friday, so that the weekend belongs to it: until Monday at eight.
    sent = [
        hours for hours in (0, 2, 10, 34, 58, 81, 82, 83, 106) if tick(new_years_eve + hours * HOUR)
    ]
    assert sent == [82]
    assert state(mailing) == "sent"
