"""What listings are asked by changes: contracts, festivals, plans; and when they are due then."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import contracts, editing, festivals
from campaigns.contracts import Contract
from campaigns.db import db
from campaigns.festivals import Plan
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.festival import Festival
from campaigns.model.listing import Asking, Listing
from campaigns.model.staff import Staff
from tests import make
from tests.make import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
USUAL = Contract(
    period_seconds=3600,
    grace_seconds=660,
    zone=None,
    opens_at=None,
    closes_at=None,
    asked_days_after=30,
    jump_factor=10,
    accept_falls=False,
)


@pytest.fixture
def who(app: Flask) -> Staff:
    return make.staff()


def asked(minutes_ago: int = 5, of: Campaign | None = None, **more: Any) -> Listing:
    """Asked every hour, so that it is due in 55 minutes."""
    at = NOON - minutes_ago * MINUTE
    usual: dict[str, Any] = {"period_seconds": 3600, "asked_at": at, "next_poll_at": at + HOUR}
    return make.listing(of, **usual | more)


def giving(
    who: Staff, begins: datetime = NOON - HOUR, hours: int = 24, period: int = 60
) -> Festival:
    plan = Plan("99 Giving Day", begins, begins + hours * HOUR, period)
    return festivals.create(plan, NOON, who)


def records(action: str) -> list[AuditRecord]:
    found = db.session.scalars(select(AuditRecord).where(AuditRecord.action == action))
    return list(found)


def test_a_shorter_period_counts_at_once(who: Staff) -> None:
    listing = asked()
    contracts.change(listing, replace(USUAL, period_seconds=600), NOON, who)
    assert listing.next_poll_at == NOON + 5 * MINUTE
    contracts.change(listing, replace(USUAL, period_seconds=60), NOON, who)
    assert listing.next_poll_at == NOON


def test_a_longer_period_counts_after_the_next_question(who: Staff) -> None:
    listing = asked()
    contracts.change(listing, replace(USUAL, period_seconds=86400), NOON, who)
    assert listing.next_poll_at == NOON + 55 * MINUTE


def test_a_contract_that_changes_leaves_a_record_and_the_same_again_none(who: Staff) -> None:
    listing = asked()
    to = replace(USUAL, period_seconds=600, accept_falls=True)
    for _ in range(2):
        contracts.change(listing, to, NOON, who)
    (record,) = records("change contract")
    assert record.staff_id == who.id
    assert record.changes == {"period_seconds": ["3600", "600"], "accept_falls": ["False", "True"]}


def test_a_listing_that_was_asked_for_the_last_time_is_taken_up_again(who: Staff) -> None:
    campaign = make.campaign(state=CampaignState.ENDED, ended_at=NOON - 31 * DAY)
    listing = asked(of=campaign)
    listing.next_poll_at = None
    contracts.change(listing, replace(USUAL, asked_days_after=60), NOON, who)
    assert listing.next_poll_at == NOON + 6 * HOUR - 5 * MINUTE


def test_a_festival_takes_up_nothing_that_is_over(who: Staff) -> None:
    campaign = make.campaign(state=CampaignState.ENDED, ended_at=NOON - 30 * DAY + HOUR)
    listing = asked(of=campaign)
    listing.next_poll_at = None
    giving(who)
    assert listing.next_poll_at is None


def test_a_campaign_that_goes_on_longer_is_asked_about_again(who: Staff) -> None:
    campaign = make.campaign(ends_on=date(2026, 9, 1))
    listing = asked(60, of=campaign)
    listing.next_poll_at = None
    texts = {text.locale: editing.Words(text.title) for text in campaign.texts}
    plan = editing.Plan(campaign.slug, "CNY", texts, campaign.target, ends_on=date(2026, 12, 24))
    editing.change(campaign, plan, NOON, who)
    assert listing.next_poll_at == NOON


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"period_seconds": 9}, contracts.BadPeriod),
        ({"period_seconds": 7 * 86400 + 1}, contracts.BadPeriod),
        ({"grace_seconds": 7 * 86400 + 1}, contracts.BadGrace),
        ({"opens_at": 60}, contracts.HalfHours),
        ({"closes_at": 60}, contracts.HalfHours),
        ({"zone": "Mars/Olympus"}, contracts.UnknownZone),
        ({"asked_days_after": 366}, contracts.TooLongAfter),
        ({"jump_factor": 1}, contracts.BadFactor),
        ({"jump_factor": 1001}, contracts.BadFactor),
    ],
)
def test_what_no_contract_can_be_is_refused(
    who: Staff, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        contracts.change(asked(), replace(USUAL, **wrong), NOON, who)


def test_a_festival_pulls_what_is_due_later(who: Staff) -> None:
    listing, soon = asked(), asked(59)
    giving(who)
    assert listing.next_poll_at == NOON
    assert soon.next_poll_at == NOON + MINUTE - MINUTE
    assert [record.changes["title"] for record in records("create festival")] == [
        [None, "99 Giving Day"]
    ]


def test_a_festival_to_come_has_listings_asked_as_it_begins(who: Staff) -> None:
    listing = asked()
    giving(who, NOON + 30 * MINUTE)
    assert listing.next_poll_at == NOON + 30 * MINUTE


def _failing(listing: Listing) -> None:
    listing.failures = 2


def _by_hand(listing: Listing) -> None:
    listing.asking = Asking.BY_HAND


def _a_draft(listing: Listing) -> None:
    db.session.get_one(Campaign, listing.campaign_id).state = CampaignState.DRAFT


def _asked_more_often(listing: Listing) -> None:
    listing.period_seconds, listing.next_poll_at = 30, NOON - 5 * MINUTE


@pytest.mark.parametrize("of_its_own", [_failing, _by_hand, _a_draft, _asked_more_often])
def test_a_festival_leaves_what_has_a_pace_of_its_own(
    who: Staff, of_its_own: Callable[[Listing], None]
) -> None:
    listing = asked()
    of_its_own(listing)
    db.session.commit()
    before = listing.next_poll_at
    giving(who)
    assert listing.next_poll_at == before


def test_a_festival_asks_nobody_outside_working_hours(who: Staff) -> None:
    # From 13 to 14 o'clock in Shanghai, where it is noon.
    listing = asked(opens_at=13 * 60, closes_at=14 * 60, next_poll_at=NOON + 90 * MINUTE)
    giving(who)
    assert listing.next_poll_at == NOON + HOUR


def test_a_festival_is_changed_and_deleted_with_a_record(who: Staff) -> None:
    festival = giving(who, NOON + DAY)
    sooner = Plan("99", NOON - HOUR, NOON + HOUR, 60)
    listing = asked()
    festivals.change(festival, sooner, NOON, who)
    festivals.change(festival, sooner, NOON, who)
    assert listing.next_poll_at == NOON
    festivals.delete(festival, NOON, who)
    assert db.session.scalars(select(Festival)).all() == []
    assert len(records("change festival")) == len(records("delete festival")) == 1


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"name": ""}, festivals.NoName),
        ({"name": "9" * 201}, festivals.NoName),
        ({"ends_at": NOON - HOUR}, festivals.SpanReversed),
        ({"starts_at": NOON - DAY, "ends_at": NOON}, festivals.Past),
        ({"period_seconds": 9}, festivals.BadPeriod),
        ({"period_seconds": 86401}, festivals.BadPeriod),
    ],
)
def test_what_no_festival_can_be_is_refused(
    who: Staff, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    plan = Plan("99", NOON - HOUR, NOON + HOUR, 60)
    with pytest.raises(refusal):
        festivals.create(replace(plan, **wrong), NOON, who)
