"""How much a listing's figure can be relied on to be today's, by its contract."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import freshness
from campaigns.cadence import Cadence
from campaigns.freshness import Freshness
from campaigns.model.campaign import CampaignState
from campaigns.model.festival import Festival
from campaigns.model.listing import Asking, Listing
from tests.make import NOON

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def of(
    age: timedelta | None,
    *,
    state: CampaignState = CampaignState.LIVE,
    ends_at: datetime | None = None,
    by_entries: bool = False,
    festivals: tuple[Festival, ...] = (),
    now: datetime = NOON,
    **more: Any,
) -> Freshness:
    usual: dict[str, Any] = {
        "asking": Asking.ASKED,
        "period_seconds": 600,
        "grace_seconds": 660,
        "asked_days_after": 30,
        "failures": 0,
    }
    when = Cadence(Listing(**usual | more), ends_at, festivals, ZONE)
    as_of = None if age is None else now - age
    return freshness.of(when, state, as_of, by_entries=by_entries, now=now)


@pytest.mark.parametrize(
    ("age", "more", "expected"),
    [
        (21 * MINUTE, {}, Freshness.FRESH),
        (22 * MINUTE, {}, Freshness.LATE),
        (DAY + 21 * MINUTE, {}, Freshness.LATE),
        (DAY + 22 * MINUTE, {}, Freshness.STALE),
        (2 * DAY, {"period_seconds": 86400}, Freshness.LATE),
        (3 * DAY, {"period_seconds": 86400}, Freshness.LATE),
        (3 * DAY + 12 * MINUTE, {"period_seconds": 86400}, Freshness.STALE),
        (11 * MINUTE, {"grace_seconds": 0}, Freshness.LATE),
    ],
)
def test_a_figure_ages_by_period_and_grace(
    age: timedelta, more: dict[str, Any], expected: Freshness
) -> None:
    assert of(age, **more) is expected


def test_nobody_expects_a_figure_outside_working_hours() -> None:
    hours: dict[str, Any] = {"opens_at": 9 * 60, "closes_at": 18 * 60}
    for local, expected in (
        ("2026-09-11T08:59", Freshness.FRESH),
        ("2026-09-11T09:11", Freshness.FRESH),
        ("2026-09-11T09:12", Freshness.LATE),
        ("2026-09-12T09:12", Freshness.STALE),
    ):
        now = datetime.fromisoformat(local).replace(tzinfo=ZONE)
        evening = datetime(2026, 9, 10, 17, 55, tzinfo=ZONE)
        assert of(now - evening, now=now.astimezone(UTC), **hours) is expected


def test_in_a_festival_a_figure_is_late_sooner() -> None:
    festival = Festival(starts_at=NOON - DAY, ends_at=NOON + DAY, period_seconds=60)
    assert of(15 * MINUTE, festivals=(festival,)) is Freshness.LATE


def test_a_figure_is_broken_once_it_is_late_and_answers_go_on_bringing_none() -> None:
    assert of(22 * MINUTE, failures=3) is Freshness.BROKEN
    assert of(22 * MINUTE, failures=2) is Freshness.LATE
    assert of(20 * MINUTE, failures=9) is Freshness.FRESH
    assert of(9 * DAY, failures=3) is Freshness.BROKEN


def test_what_staff_enter_does_not_age_but_says_so() -> None:
    assert of(9 * DAY, asking=Asking.BY_HAND) is Freshness.BY_HAND
    assert of(0 * DAY, asking=Asking.REFUSED) is Freshness.REFUSED


@pytest.mark.parametrize("asking", [Asking.ASKED, Asking.BY_HAND, Asking.REFUSED])
def test_after_the_end_it_is_asked_on_and_final_when_that_stops(asking: Asking) -> None:
    after: dict[str, Any] = {"state": CampaignState.ENDED, "asking": asking}
    assert of(HOUR, ends_at=NOON - 29 * DAY, **after) is not Freshness.FINAL
    assert of(HOUR, ends_at=NOON - 30 * DAY, **after) is Freshness.FINAL
    assert of(HOUR, ends_at=NOON - DAY, asked_days_after=0, **after) is Freshness.FINAL


def test_a_campaign_that_ended_is_asked_every_six_hours_and_is_late_after_that() -> None:
    over: dict[str, Any] = {"state": CampaignState.ENDED, "ends_at": NOON - 2 * DAY}
    assert of(6 * HOUR, **over) is Freshness.FRESH
    assert of(7 * HOUR, **over) is Freshness.LATE


def test_what_staff_ended_or_closed_is_final() -> None:
    assert of(9 * DAY, asking=Asking.ENDED) is Freshness.FINAL
    assert of(9 * DAY, state=CampaignState.CLOSED) is Freshness.FINAL


def test_a_last_figure_is_not_late_between_the_last_question_and_the_stop() -> None:
    ends_at = NOON - 30 * DAY + HOUR
    assert of(3 * HOUR, ends_at=ends_at, state=CampaignState.ENDED) is Freshness.FRESH


def test_without_a_figure_what_is_known_of_its_platform_is_said() -> None:
    assert of(None) is Freshness.NONE_YET
    assert of(None, failures=3) is Freshness.BROKEN
    assert of(None, asking=Asking.REFUSED) is Freshness.REFUSED
    assert of(None, state=CampaignState.CLOSED) is Freshness.NONE_YET


def test_what_was_booked_is_no_older_because_a_platform_does_not_answer() -> None:
    assert of(22 * MINUTE, by_entries=True, failures=9) is Freshness.LATE
    assert of(0 * MINUTE, by_entries=True, asking=Asking.REFUSED) is Freshness.FRESH
    assert of(1 * MINUTE, by_entries=True, asking=Asking.BY_HAND) is Freshness.FRESH
    assert of(2 * MINUTE, by_entries=True, asking=Asking.BY_HAND) is Freshness.BY_HAND


ORDER = (Freshness.FRESH, Freshness.LATE, Freshness.STALE)


@given(
    period=st.integers(10, 200_000),
    grace=st.integers(0, 200_000),
    ages=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
)
def test_a_figure_never_grows_fresher_by_waiting(
    period: int, grace: int, ages: tuple[int, int]
) -> None:
    younger, older = (
        of(timedelta(seconds=age), period_seconds=period, grace_seconds=grace)
        for age in sorted(ages)
    )
    assert ORDER.index(younger) <= ORDER.index(older)
