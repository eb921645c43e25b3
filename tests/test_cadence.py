"""How often a listing is asked, and from when on its figure is late."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from campaigns import cadence
from campaigns.cadence import AFTERWARDS, Cadence
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.festival import Festival
from campaigns.model.listing import Listing

SHANGHAI = ZoneInfo("Asia/Shanghai")
END = datetime(2026, 9, 10, tzinfo=SHANGHAI)
TEN, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
WEEK = timedelta(days=7)


def asked(
    ends_at: datetime | None = None, festivals: tuple[Festival, ...] = (), **more: object
) -> Cadence:
    listing = Listing(
        **{"period_seconds": 600, "grace_seconds": 660, "asked_days_after": 30} | more
    )
    return Cadence(listing, ends_at, festivals, SHANGHAI)


def festival(starts_at: datetime, hours: int = 24, period: int = 120) -> Festival:
    ends_at = starts_at + timedelta(hours=hours)
    return Festival(starts_at=starts_at, ends_at=ends_at, period_seconds=period)


def test_a_listing_is_asked_again_after_its_period() -> None:
    assert asked().next(END) == END + TEN


def test_in_the_last_days_it_is_asked_four_times_as_often() -> None:
    one = asked(END)
    assert one.period(END - WEEK) == TEN
    assert one.period(END - cadence.LAST_DAYS) == TEN / 4
    assert one.period(END - HOUR) == TEN / 4


def test_the_last_days_alone_do_not_make_it_more_than_once_a_minute() -> None:
    assert asked(END, period_seconds=120).period(END - HOUR) == timedelta(minutes=1)
    assert asked(END, period_seconds=20).period(END - HOUR) == timedelta(seconds=20)


def test_in_a_festival_it_is_asked_at_least_by_the_festivals_period() -> None:
    one = asked(festivals=(festival(END),))
    assert one.period(END) == timedelta(minutes=2)
    assert one.period(END + DAY) == TEN
    assert asked(festivals=(festival(END, period=3600),)).period(END) == TEN


def test_it_is_asked_when_a_festival_begins_and_when_raising_is_over() -> None:
    assert asked(festivals=(festival(END),), period_seconds=86400).next(END - HOUR) == END
    assert asked(END, period_seconds=3600).next(END - timedelta(minutes=5)) == END


def test_it_is_asked_when_the_last_days_begin_and_no_festival_is_missed_before() -> None:
    begin = END - cadence.LAST_DAYS
    assert asked(END, period_seconds=86400).next(begin - HOUR) == begin
    one = asked(END + WEEK, (festival(END),), period_seconds=86400)
    assert one.next(END - HOUR) == END


def test_after_the_end_it_is_asked_less_and_at_last_not_at_all() -> None:
    one = asked(END)
    assert one.period(END) == AFTERWARDS
    assert asked(END, period_seconds=86400).period(END) == DAY
    assert one.next(END + timedelta(days=29, hours=18)) is None
    assert one.next(END + timedelta(days=29, hours=23)) is None
    assert one.period(END + timedelta(days=30)) is None
    assert one.late_from(END + timedelta(days=30)) is None


def test_people_enter_daily_unless_the_period_was_meant_for_them_and_weekly_after_the_end() -> None:
    assert asked(END, period_seconds=3599).entered_next(END - WEEK) == END - WEEK + DAY
    assert asked(END, period_seconds=3600).entered_next(END - WEEK) == END - WEEK + HOUR
    assert asked(END).entered_next(END) == END + WEEK


@pytest.mark.parametrize("before", [timedelta(days=7), timedelta(days=6)])
def test_what_would_be_entered_when_the_figure_is_final_is_not(before: timedelta) -> None:
    assert asked(END).entered_next(END + timedelta(days=30) - before) is None


def test_a_listing_may_be_final_as_soon_as_raising_is_over() -> None:
    assert asked(END, asked_days_after=0).period(END) is None


@pytest.mark.parametrize(
    ("opens", "closes", "hour", "wanted"),
    [
        (9, 18, "08:59", "10T09:00"),
        (9, 18, "09:00", "10T09:00"),
        (9, 18, "17:59", "10T17:59"),
        (9, 18, "18:00", "11T09:00"),
        (9.5, 18, "09:29", "10T09:30"),
        (22, 6, "21:00", "10T22:00"),
        (22, 6, "22:00", "10T22:00"),
        (22, 6, "23:30", "10T23:30"),
        (22, 6, "05:59", "10T05:59"),
        (22, 6, "06:00", "10T22:00"),
        (9, 9, "03:00", "10T03:00"),
    ],
)
def test_working_hours_are_those_of_the_listings_zone(
    opens: float, closes: int, hour: str, wanted: str
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    one = asked(opens_at=int(opens * 60), closes_at=closes * 60, zone="Europe/Berlin")
    at = datetime.fromisoformat(f"2026-09-10T{hour}").replace(tzinfo=berlin)
    assert f"{one.opening(at.astimezone(UTC)).astimezone(berlin):%dT%H:%M}" == wanted


def test_a_figure_of_the_evening_is_not_late_before_the_morning() -> None:
    one = asked(opens_at=9 * 60, closes_at=18 * 60)
    evening = datetime(2026, 9, 10, 17, 55, tzinfo=SHANGHAI)
    morning = datetime(2026, 9, 11, 9, tzinfo=SHANGHAI)
    assert one.next(evening) == morning
    assert one.late_from(evening) == morning + timedelta(seconds=660)


def test_the_end_is_that_of_the_last_day_until_somebody_ends_it() -> None:
    campaign = Campaign(ends_on=date(2026, 9, 9))
    assert cadence.over_at(campaign, SHANGHAI) == END
    campaign.ended_at = END - WEEK
    assert cadence.over_at(campaign, SHANGHAI) == END - WEEK
    assert cadence.over_at(Campaign(), SHANGHAI) is None


def test_festivals_that_are_not_over_come_in_the_order_in_which_they_begin(app: Flask) -> None:
    late, early, twin = festival(END + DAY), festival(END), festival(END)
    over = festival(END - DAY)
    for number, one in enumerate((late, early, twin, over)):
        one.name = str(number)
        db.session.add(one)
        db.session.flush()
    assert list(cadence.coming(END)) == [early, twin, late]


@given(
    opens=st.none() | st.integers(0, 1439),
    closes=st.integers(0, 1439),
    period=st.integers(10, 200_000),
    before=st.integers(-40 * 86400, 40 * 86400),
)
def test_the_next_question_comes_later_within_hours_and_before_the_stop(
    opens: int | None, closes: int, period: int, before: int
) -> None:
    hours = {} if opens is None else {"opens_at": opens, "closes_at": closes}
    one = asked(END, (festival(END - 3 * DAY),), period_seconds=period, **hours)
    at = END + timedelta(seconds=before)
    due = one.next(at)
    if due is None:
        return
    assert due > at
    assert one.opening(due) == due
    assert one.stops_at is not None
    assert due < one.stops_at
