"""Letters arrive at decent hours: where the recipient lives, and not on days off."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import daysoff, hours
from campaigns.hours import Hours
from campaigns.model.consent import Purpose
from campaigns.model.organisation import QuietDays
from tests import make

SHANGHAI = Hours("Asia/Shanghai", "CN", 21 * 60, 8 * 60, QuietDays.NONE)
HOLIDAYS = Hours("Asia/Shanghai", "CN", 21 * 60, 8 * 60, QuietDays.HOLIDAYS)
DAYS_OFF = Hours("Asia/Shanghai", "CN", 21 * 60, 8 * 60, QuietDays.DAYS_OFF)
ALWAYS = Hours("Asia/Shanghai", "CN", 0, 0, QuietDays.NONE)


def opens(kept: Hours, local: str, zone: str = "Asia/Shanghai", **more: Purpose) -> str:
    """When a letter may go that would go at `local`, both as clocks there show it."""
    purpose = more.get("purpose", Purpose.UPDATES)
    at = kept.opens(zone, purpose, kept.moment(datetime.fromisoformat(local), zone))
    there = at.astimezone(kept._there(zone))
    return f"{there:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("2026-11-23T08:00", "2026-11-23T08:00"),
        ("2026-11-23T20:59", "2026-11-23T20:59"),
        ("2026-11-23T21:00", "2026-11-24T08:00"),
        ("2026-11-23T03:30", "2026-11-23T08:00"),
        ("2026-12-31T22:00", "2027-01-01T08:00"),
    ],
)
def test_a_letter_waits_for_the_morning(asked: str, goes: str) -> None:
    assert opens(SHANGHAI, asked) == goes


def test_the_hour_is_that_of_the_recipient() -> None:
    evening_in_shanghai = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert SHANGHAI.opens(None, Purpose.UPDATES, evening_in_shanghai) == evening_in_shanghai
    in_auckland = SHANGHAI.opens("Pacific/Auckland", Purpose.UPDATES, evening_in_shanghai)
    assert in_auckland == datetime(2026, 11, 23, 19, tzinfo=UTC)  # eight in the morning


def test_a_zone_that_nobody_knows_is_the_organisations() -> None:
    night = datetime(2026, 11, 22, 18, tzinfo=UTC)
    for zone in ("Asia/Atlantis", "../etc", ""):
        assert SHANGHAI.opens(zone, Purpose.UPDATES, night) == night + timedelta(hours=6)


def test_quiet_may_be_the_afternoon_or_never() -> None:
    nap = Hours("Asia/Shanghai", "CN", 12 * 60, 14 * 60, QuietDays.NONE)
    assert opens(nap, "2026-11-23T12:30") == "2026-11-23T14:00"
    assert opens(nap, "2026-11-23T03:00") == "2026-11-23T03:00"
    till_eight = Hours("Asia/Shanghai", "CN", 0, 8 * 60, QuietDays.NONE)
    assert opens(till_eight, "2026-11-23T00:00") == "2026-11-23T08:00"
    assert opens(till_eight, "2026-11-23T23:59") == "2026-11-23T23:59"
    assert opens(ALWAYS, "2026-11-23T03:00") == "2026-11-23T03:00"


def test_service_letters_wait_for_nothing_and_thanks_only_for_the_hour() -> None:
    holiday_night = "2026-10-01T03:00"
    assert opens(HOLIDAYS, holiday_night, purpose=Purpose.SERVICE) == holiday_night
    assert opens(HOLIDAYS, holiday_night, purpose=Purpose.RECEIPTS) == "2026-10-01T08:00"
    assert opens(HOLIDAYS, holiday_night) == "2026-10-08T08:00"


def test_a_weekend_within_a_holiday_belongs_to_it() -> None:
    # The State Council's notice for 2026: National Day, Thursday 1 to Wednesday 7 October.
    quiet = [day for day in range(1, 12) if HOLIDAYS.is_quiet(date(2026, 10, day))]
    assert quiet == [1, 2, 3, 4, 5, 6, 7]
    assert not HOLIDAYS.is_quiet(date(2026, 11, 22))  # a Sunday like any other


def test_people_work_on_made_up_days_and_may_be_written_to() -> None:
    saturday_before, saturday_made_up = date(2026, 10, 17), date(2026, 10, 10)
    assert DAYS_OFF.is_quiet(saturday_before)
    assert not DAYS_OFF.is_quiet(saturday_made_up)
    assert daysoff.made_up("CN", saturday_made_up)
    assert opens(DAYS_OFF, "2026-10-09T22:00") == "2026-10-10T08:00"


def test_holidays_have_names_in_both_languages() -> None:
    assert daysoff.holiday("CN", date(2026, 10, 1), "zh-Hans") == "国庆节"
    assert daysoff.holiday("CN", date(2026, 10, 1), "en") == "National Day"
    assert daysoff.holiday("CN", date(2026, 10, 7), "zh-Hans") == "休息日"
    assert daysoff.holiday("CN", date(2026, 10, 7), "en") == "Day off"
    assert daysoff.holiday("CN", date(2026, 11, 23)) is None


def test_a_country_that_nobody_knows_has_no_holidays() -> None:
    assert not daysoff.knows("XX")
    assert not daysoff.of_holiday("XX", date(2026, 1, 1))
    assert daysoff.holiday("XX", date(2026, 1, 1)) is None


def test_an_hour_that_summer_time_skips_comes_as_much_later() -> None:
    # New York, 8 March 2026: from two o'clock straight to three.
    skipped = SHANGHAI.moment(datetime(2026, 3, 8, 2, 30), "America/New_York")  # noqa: DTZ001
    assert skipped == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)  # half past three
    till_skipped = Hours("America/New_York", "US", 21 * 60, 150, QuietDays.NONE)
    assert opens(till_skipped, "2026-03-08T01:00", "America/New_York") == "2026-03-08T03:30"


def test_an_hour_that_clocks_show_twice_is_the_first() -> None:
    # New York, 1 November 2026: from two o'clock back to one.
    twice = SHANGHAI.moment(datetime(2026, 11, 1, 1, 30), "America/New_York")  # noqa: DTZ001
    assert twice == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_before_staff_kept_anything_the_night_is_quiet(app: object) -> None:
    assert hours.ours() == HOLIDAYS
    make.organisation(quiet_from=0, quiet_until=0, quiet_days=QuietDays.DAYS_OFF, country="DE")
    assert hours.ours() == Hours("Asia/Shanghai", "DE", 0, 0, QuietDays.DAYS_OFF)


@settings(max_examples=15, derandomize=True)
@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_when_it_opens_it_is_open(begins: int, ends: int, zone: str, now: datetime) -> None:
    """Also at summer-time changes: nothing is put off to an hour from which it is put off again."""
    kept = Hours(zone, "CN", begins, ends, QuietDays.HOLIDAYS)
    at = kept.opens(None, Purpose.UPDATES, now)
    assert now <= at == kept.opens(None, Purpose.UPDATES, at)
