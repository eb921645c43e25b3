"""At its hour a mailing is addressed to its segment, once, and says whom it skipped and why."""

from datetime import timedelta

import pytest

from campaigns import mailings, suppression
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Purpose
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.mailing import MailingState
from campaigns.model.segment import EVERYONE
from campaigns.model.suppression import SuppressionCause
from campaigns.model.update import UpdateKind
from tests import make
from tests.mailing import HOUR, approved, begin, deliveries, follower, scheduled, state
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


def test_nothing_is_addressed_before_the_hour() -> None:
    update = make.update()
    follower(update)
    mailing = scheduled(update)
    begin(NOON)
    assert state(mailing) == "scheduled"
    assert deliveries(mailing) == []


def test_at_the_hour_each_donor_of_the_segment_gets_one_delivery() -> None:
    update = make.update()
    ada, li = follower(update, "ada@example.org"), follower(update, "li@example.org")
    mailing = scheduled(update)
    begin()
    begin()
    assert [delivery.donor_id for delivery in deliveries(mailing)] == [ada.id, li.id]
    assert mailing.skipped == {}


def test_who_is_skipped_is_counted_by_reason() -> None:
    update = make.update()
    written = follower(update)
    follower(update).address = None
    follower(update).merged_into = written.id
    suppressed = follower(update)
    suppression.suppress(suppressed.address_hash or "", SuppressionCause.BOUNCED, NOON)
    left = follower(update)
    make.consent(left, db.session.get(Campaign, update.campaign_id), given=False)
    mailing = scheduled(update)
    begin()
    assert [delivery.donor_id for delivery in deliveries(mailing)] == [written.id]
    assert mailing.skipped == {"no address": 1, "suppressed": 1, "no consent": 1}


def test_a_donor_who_gave_without_agreeing_is_of_the_segment_yet_skipped() -> None:
    update = make.update()
    listing = make.listing(db.session.get(Campaign, update.campaign_id))
    entry = Entry(
        kind=EntryKind.DONATION,
        amount_minor=100,
        currency="CNY",
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source="hand",
        occurred_at=NOON,
        day=NOON.date(),
        booked_at=NOON,
        door=Door.HAND,
    )
    db.session.add(entry)
    db.session.flush()
    db.session.add(Gift(entry_id=entry.id, donor_id=make.donor().id))
    mailing = scheduled(update)
    begin()
    assert mailing.skipped == {"no consent": 1}


def test_an_issue_goes_to_who_agreed_to_the_newsletter() -> None:
    update = make.update(kind=UpdateKind.ISSUE, campaign_id=None)
    reader = make.donor()
    make.consent(reader)
    follower(make.update())
    mailing = mailings.draft(update, EVERYONE, None, NOON)
    assert mailing.purpose is Purpose.NEWSLETTER
    mailings.submit(mailing, None, NOON)
    mailings.approve(mailing, None, NOON)
    mailings.schedule(mailing, NOON, None, NOON)
    begin()
    assert [delivery.donor_id for delivery in deliveries(mailing)] == [reader.id]


def test_an_hour_missed_by_more_than_its_grace_waits_for_a_person() -> None:
    update = make.update()
    follower(update)
    mailing = scheduled(update)
    late = NOON + 3 * HOUR
    begin(late)
    assert state(mailing) == "missed"
    assert deliveries(mailing) == []
    mailings.schedule(mailing, late, make.staff(), late)
    begin(late)
    assert state(mailing) == "sending"
    assert len(deliveries(mailing)) == 1


def test_an_hour_missed_within_its_grace_begins_late() -> None:
    mailing = scheduled()
    begin(NOON + HOUR + timedelta(minutes=59))
    assert state(mailing) == "sending"


def test_a_mailing_that_expired_while_the_service_was_down_ends() -> None:
    mailing = approved()
    mailings.schedule(mailing, NOON + HOUR, None, NOON, expires_at=NOON + 2 * HOUR)
    begin(NOON + 2 * HOUR)
    assert state(mailing) == "expired"


def test_what_is_sent_is_public_from_its_hour_on_and_not_before() -> None:
    update = make.update()
    scheduled(update)
    begin(NOON)
    assert update.published_at is None
    begin()
    assert update.published_at == NOON + HOUR


def test_what_was_public_before_keeps_its_moment() -> None:
    update = make.update(published_at=NOON)
    scheduled(update)
    begin()
    assert update.published_at == NOON


def test_an_appeal_is_sent_and_not_published() -> None:
    appeal = make.update(kind=UpdateKind.APPEAL)
    mailing = make.mailing(appeal, state=MailingState.SCHEDULED, started_at=None)
    begin()
    assert state(mailing) == "sending"
    assert appeal.published_at is None
