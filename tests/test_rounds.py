"""When a figure that staff read themselves is due: people are no machines."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from campaigns import rounds
from campaigns.db import db
from campaigns.model.campaign import CampaignState
from campaigns.model.festival import Festival
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.report import ReportState
from tests import make
from tests.make import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
pytestmark = pytest.mark.usefixtures("app")


def listing(**more: Any) -> Listing:
    """By hand, with a figure of noon."""
    one = make.listing(**{"asking": Asking.BY_HAND} | more)
    make.report(one, 1_000_000, NOON)
    return one


def due(after: timedelta) -> list[int]:
    return [stop.listing.id for stop in rounds.due(NOON + after)]


@pytest.mark.parametrize("asking", [Asking.BY_HAND, Asking.REFUSED])
def test_a_figure_is_due_a_day_after_the_last(asking: Asking) -> None:
    one = listing(asking=asking)
    assert due(DAY - HOUR) == []
    assert due(DAY) == [one.id]


def test_a_period_that_was_meant_for_people_counts() -> None:
    often = listing(period_seconds=6 * 3600)
    seldom = listing(period_seconds=3 * 86400)
    assert due(6 * HOUR) == [often.id]
    assert due(3 * DAY) == [often.id, seldom.id]


def test_nobody_is_asked_to_enter_figures_by_the_minute_because_a_festival_is_on() -> None:
    listing()
    db.session.add(Festival(name="99", starts_at=NOON, ends_at=NOON + DAY, period_seconds=120))
    db.session.commit()
    assert due(DAY - HOUR) == []


def test_it_is_due_within_the_listings_hours() -> None:
    one = listing(opens_at=14 * 60, closes_at=18 * 60)
    assert due(DAY + HOUR) == []
    assert due(DAY + 2 * HOUR) == [one.id]


def test_a_figure_that_waits_for_a_verdict_was_entered() -> None:
    one = listing()
    make.report(one, 900_000, NOON + 23 * HOUR, state=ReportState.QUARANTINED)
    assert due(DAY + HOUR) == []


def test_without_any_figure_it_is_due_a_day_after_it_was_added() -> None:
    one = make.listing(asking=Asking.BY_HAND)
    assert due(DAY - HOUR) == []
    assert due(DAY) == [one.id]


def test_who_is_refused_has_a_day_from_the_refusal() -> None:
    one = listing(asking=Asking.REFUSED, asked_at=NOON + 3 * DAY)
    assert due(3 * DAY + HOUR) == []
    assert due(4 * DAY) == [one.id]


def test_after_the_end_it_is_due_once_a_week_and_in_the_end_never() -> None:
    campaign = make.campaign(state=CampaignState.ENDED, ended_at=NOON - HOUR)
    one = make.listing(campaign, asking=Asking.BY_HAND)
    make.report(one, 1_000_000, NOON)
    assert due(6 * DAY) == []
    assert due(7 * DAY) == [one.id]
    assert due(31 * DAY) == []


@pytest.mark.parametrize(
    "more",
    [{"asking": Asking.ASKED}, {"asking": Asking.ENDED}, {"url": ""}, {"rule": Rule.ITEMISED},
     {"asking": Asking.ASKED, "failures": 3}],
)  # fmt: skip
def test_what_staff_do_not_owe_is_never_due(more: dict[str, Any]) -> None:
    listing(**more)
    assert due(9 * DAY) == []


def test_campaigns_with_what_is_due_longest_come_first(app: Flask) -> None:
    first, second = make.campaign(), make.campaign()
    later = make.listing(first, asking=Asking.BY_HAND)
    make.report(later, 1, NOON + HOUR)
    fresh = make.listing(second, asking=Asking.BY_HAND)
    make.report(fresh, 1, NOON + DAY)
    sooner = make.listing(second, asking=Asking.BY_HAND)
    make.report(sooner, 1, NOON)
    order = [stop.listing.id for stop in rounds.of(NOON + DAY + 2 * HOUR)]
    assert order == [sooner.id, fresh.id, later.id]
