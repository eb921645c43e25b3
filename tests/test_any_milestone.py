"""Milestones: each is noted once, whatever becomes of figure and target."""

from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import select

from campaigns import drafting
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.drafted import Drafted, Occasion
from campaigns.model.listing import Asking
from campaigns.model.report import ReportState
from campaigns.model.update import Update
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
HOUR = timedelta(hours=1)


def tick(hours: int = 0) -> None:
    now = NOON + hours * HOUR
    drafting.draft(drafting.due(now), now)
    db.session.commit()


def noted(campaign: Campaign) -> list[int]:
    rows = select(Drafted.number).where(Drafted.campaign_id == campaign.id)
    return sorted(db.session.scalars(rows.where(Drafted.occasion == Occasion.MILESTONE)))


def titles(campaign: Campaign) -> list[str]:
    updates = select(Update).where(Update.campaign_id == campaign.id).order_by(Update.id)
    return [update.text("en", "en").title for update in db.session.scalars(updates)]


def reaching(percent: int, **more: Any) -> Campaign:
    campaign = make.campaign(target_minor=10_000, **more)
    make.report(make.listing(campaign), percent * 100, NOON)
    return campaign


def test_each_milestone_is_drafted_when_the_public_figure_reaches_it() -> None:
    campaign = make.campaign(target_minor=10_000)
    listing = make.listing(campaign)
    for hour, raised in enumerate((4_999, 5_000, 8_999, 9_000, 9_999, 10_000, 20_000)):
        make.report(listing, raised, NOON + hour * HOUR)
        tick(hour)
    assert noted(campaign) == [50, 90, 100]
    assert titles(campaign) == [
        "“After school” is halfway there",
        "“After school” has nine tenths of its target",
        "“After school” has reached its target",
    ]


def test_of_two_that_are_jumped_over_at_once_the_higher_is_told() -> None:
    campaign = reaching(95)
    tick()
    assert noted(campaign) == [50, 90]
    assert titles(campaign) == ["“After school” has nine tenths of its target"]


def test_a_figure_that_is_being_checked_reaches_nothing() -> None:
    campaign = reaching(10)
    listing = campaign.listings[0]
    make.report(listing, 10_000, NOON + HOUR, state=ReportState.QUARANTINED)
    tick(2)
    assert noted(campaign) == []


def test_figures_by_hand_and_stale_ones_count_as_the_page_shows_them() -> None:
    campaign = reaching(60)
    make.report(make.listing(campaign, asking=Asking.BY_HAND), 3_000, NOON)
    tick(24 * 20)
    assert noted(campaign) == [50, 90]


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.ENDED, CampaignState.CLOSED])
def test_what_does_not_raise_reaches_nothing(state: CampaignState) -> None:
    campaign = reaching(100, state=state)
    tick()
    assert noted(campaign) == []


def test_a_title_with_braces_is_words() -> None:
    campaign = reaching(50)
    for text in campaign.texts:
        text.title = "{{ donor.name }} " + "长" * 180
    tick()
    (title,) = titles(campaign)
    assert title.startswith("“donor.name 长")
    assert len(title) < 70


STEPS = st.lists(
    st.tuples(st.integers(0, 250), st.sampled_from([None, None, 40, 100, 100, 200])),
    min_size=1,
    max_size=8,
)


@hypothesis.settings(
    max_examples=6,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(steps=STEPS)
def test_any_rises_falls_and_targets_note_each_milestone_once(
    steps: list[tuple[int, int | None]],
) -> None:
    campaign = make.campaign(target_minor=None)
    listing = make.listing(campaign)
    expected: set[int] = set()
    letters = 0
    for hour, (raised, target) in enumerate(steps):
        make.report(listing, raised, NOON + hour * HOUR)
        campaign.target_minor = target
        reached = {mark for mark in (50, 90, 100) if target and raised * 100 >= mark * target}
        letters += not reached <= expected
        expected |= reached
        tick(hour)
        tick(hour)
        assert noted(campaign) == sorted(expected)
        assert len(titles(campaign)) == letters
