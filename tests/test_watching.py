"""Staff are written once when a listing's figure turns bad, once when it recovers, and no more."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import progress, rounds, watching
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Delivery
from campaigns.model.listing import Asking, Listing, Rule, Told
from campaigns.model.staff import Role
from tests import make
from tests.make import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.staff(None, Role.FUNDRAISER)
    listing = make.listing()
    make.report(listing, 100_000, NOON)
    return listing


def look(minutes: float) -> None:
    """One tick, so long after noon."""
    now = NOON + minutes * MINUTE
    found = progress.many(watching.watched(now), now)
    shown = [(figure.listing, figure.freshness) for one in found for figure in one.listings]
    watching.tell(watching.news(shown, {stop.listing.id for stop in rounds.due(now)}), now)
    db.session.commit()


def told() -> list[str]:
    occasions = db.session.scalars(select(Delivery.occasion).order_by(Delivery.id))
    return [occasion.split(":")[1] for occasion in occasions]


def change(listing: Listing, **more: Any) -> None:
    for name, value in more.items():
        setattr(listing, name, value)
    db.session.commit()


def test_nobody_is_written_while_figures_come_or_are_merely_late(listing: Listing) -> None:
    for minutes in (1, 30, 600):
        look(minutes)
    assert told() == []


def test_a_figure_that_turns_stale_is_told_once_and_so_is_its_recovery(listing: Listing) -> None:
    for days in (2, 2.1, 3, 9):
        look(days * 1440)
    assert told() == ["stale"]
    make.report(listing, 100_100, NOON + 9 * DAY)
    for minutes in (1, 2, 60, 120):
        look(9 * 1440 + minutes)
    assert told() == ["stale", "recovered"]


def test_a_late_figure_is_no_recovery(listing: Listing) -> None:
    look(2 * 1440)
    make.report(listing, 100_100, NOON + DAY)
    look(2 * 1440 + 1)
    look(4 * 1440)
    assert told() == ["stale"]
    assert listing.told is Told.STALE


def test_from_bad_to_worse_is_told_and_from_worse_to_bad_is_not(listing: Listing) -> None:
    look(2 * 1440)
    change(listing, failures=3)
    look(2 * 1440 + 60)
    change(listing, asking=Asking.REFUSED)
    look(2 * 1440 + 120)
    change(listing, asking=Asking.ASKED, failures=0)
    look(2 * 1440 + 180)
    change(listing, failures=4)
    look(2 * 1440 + 240)
    assert told() == ["stale", "broken", "refused"]


def test_a_refusal_is_told_at_once_also_before_any_figure(app: Flask) -> None:
    make.staff(None, Role.TREASURER)
    make.listing(asking=Asking.REFUSED)
    look(0)
    assert told() == ["refused"]


def test_failures_that_leave_the_figure_fresh_are_not_told(listing: Listing) -> None:
    change(listing, failures=3)
    look(15)
    assert told() == []
    look(30)
    assert told() == ["broken"]


def test_reports_that_fail_are_told_though_the_figure_is_by_gifts(listing: Listing) -> None:
    change(listing, failures=3, rule=Rule.ITEMISED)
    look(30)
    assert told() == ["broken"]


@pytest.mark.parametrize("hands", [Asking.BY_HAND, Asking.ENDED])
def test_what_staff_take_into_their_hands_is_no_news_to_them(
    listing: Listing, hands: Asking
) -> None:
    look(2 * 1440)
    change(listing, asking=hands, asked_at=NOON + 2 * DAY)
    look(2 * 1440 + 60)
    assert told() == ["stale"]
    assert listing.told is None


def test_once_a_campaign_is_closed_nothing_more_is_told(listing: Listing) -> None:
    look(2 * 1440)
    db.session.get_one(Campaign, listing.campaign_id).state = CampaignState.CLOSED
    db.session.commit()
    look(2 * 1440 + 60)
    look(9 * 1440)
    assert told() == ["stale"]
    assert listing.told is None


def test_after_the_end_it_is_watched_until_it_is_final(listing: Listing) -> None:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    campaign.state, campaign.ended_at = CampaignState.ENDED, NOON
    db.session.commit()
    look(3 * 1440)
    assert told() == ["stale"]
    look(31 * 1440)
    assert (told(), listing.told) == (["stale"], None)


def test_a_draft_is_not_watched(listing: Listing) -> None:
    db.session.get_one(Campaign, listing.campaign_id).state = CampaignState.DRAFT
    db.session.commit()
    look(9 * 1440)
    assert told() == []


def test_who_knows_that_a_figure_is_due_is_not_told_that_it_is_refused(listing: Listing) -> None:
    change(listing, asking=Asking.REFUSED, told=Told.DUE)
    look(30)
    assert (told(), listing.told) == ([], Told.REFUSED)
    change(listing, asking=Asking.ASKED, failures=3, told=Told.DUE)
    look(60)
    assert told() == ["broken"]


def test_those_who_may_enter_figures_are_written_each_in_their_language(app: Flask) -> None:
    for role in Role:
        make.staff(f"{role}@example.org", role, locale="en")
    make.staff("left@example.org", Role.TREASURER, active=False)
    make.listing(asking=Asking.REFUSED)
    look(0)
    written = db.session.scalars(select(Delivery)).all()
    assert {letter.locale for letter in written} == {"en"}
    assert len(written) == len({Role.FUNDRAISER, Role.TREASURER, Role.ADMINISTRATOR})


def test_of_two_ticks_at_once_one_writes(listing: Listing) -> None:
    now = NOON + 2 * DAY
    found = progress.many(watching.watched(now), now)
    news = watching.news(((one.listing, one.freshness) for one in found[0].listings), ())
    for minute in (0, 1):
        watching.tell(news, now + minute * MINUTE)
    db.session.commit()
    assert told() == ["stale"]
