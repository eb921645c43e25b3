"""A mailing's life: who may take which step, and what the clock does at its hour."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from campaigns import addressing, mailings, segments, suppression
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Purpose
from campaigns.model.delivery import OPEN, Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Role, Staff
from campaigns.model.suppression import SuppressionCause
from campaigns.model.update import Update, UpdateKind, UpdateText
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
HOUR = timedelta(hours=1)


def approved(update: Update | None = None) -> Mailing:
    update = update or make.update()
    mailing = mailings.draft(update, {"campaign": update.campaign_id}, make.staff(), NOON)
    mailings.submit(mailing, make.staff(), NOON)
    mailings.approve(mailing, make.staff(), NOON)
    return mailing


def scheduled(update: Update | None = None) -> Mailing:
    mailing = approved(update)
    mailings.schedule(mailing, NOON + HOUR, None, NOON)
    db.session.commit()
    return mailing


def state(of: Mailing) -> str:
    return str(of.state)


def begin(now: datetime = NOON + HOUR) -> None:
    for mailing in addressing.due(now):
        addressing.start(mailing, segments.members(mailing.segment), now)
    db.session.commit()


def follower(of: Update, to: str | None = None) -> Donor:
    donor = make.donor(to)
    make.consent(donor, db.session.get(Campaign, of.campaign_id))
    return donor


def deliveries(of: Mailing) -> list[Delivery]:
    return list(
        db.session.scalars(
            select(Delivery).where(Delivery.mailing_id == of.id).order_by(Delivery.id)
        )
    )


def test_the_usual_life_from_draft_to_sent() -> None:
    update = make.update()
    follower(update)
    mailing = scheduled(update)
    assert state(mailing) == "scheduled"
    begin()
    assert state(mailing) == "sending"
    for delivery in deliveries(mailing):
        delivery.state = DeliveryState.SENT
    addressing.finish(NOON + 2 * HOUR)
    assert state(mailing) == "sent"


def test_the_author_cannot_approve_where_others_work() -> None:
    author = make.staff()
    make.staff()
    mailing = mailings.draft(make.update(), {}, author, NOON)
    mailings.submit(mailing, author, NOON)
    with pytest.raises(mailings.OwnMailing):
        mailings.approve(mailing, author, NOON)
    assert state(mailing) == "in_review"


def test_the_only_member_of_staff_approves_their_own() -> None:
    author = make.staff()
    make.staff(active=False)
    mailing = mailings.draft(make.update(), {}, author, NOON)
    mailings.submit(mailing, author, NOON)
    mailings.approve(mailing, author, NOON)
    assert state(mailing) == "approved"


def test_who_changes_the_text_in_review_becomes_its_author() -> None:
    changer = make.staff()
    mailing = mailings.draft(make.update(), {}, make.staff(), NOON)
    mailings.submit(mailing, changer, NOON)
    mailings.text_changed(mailing.update, changer, NOON)
    with pytest.raises(mailings.OwnMailing):
        mailings.approve(mailing, changer, NOON)


def test_who_changes_the_text_of_a_draft_becomes_its_author() -> None:
    changer = make.staff()
    mailing = mailings.draft(make.update(), {}, make.staff(), NOON)
    mailings.text_changed(mailing.update, changer, NOON)
    assert state(mailing) == "draft"
    mailings.submit(mailing, changer, NOON)
    with pytest.raises(mailings.OwnMailing):
        mailings.approve(mailing, changer, NOON)


def test_who_wrote_the_words_cannot_approve_a_mailing_that_another_made_of_them() -> None:
    writer, update = make.staff(), make.update()
    update.author_id = writer.id
    mailing = mailings.draft(update, {}, make.staff(), NOON)
    mailings.submit(mailing, writer, NOON)
    with pytest.raises(mailings.OwnMailing):
        mailings.approve(mailing, writer, NOON)


@pytest.mark.parametrize(
    ("role", "step"),
    [
        (Role.TREASURER, mailings.submit),
        (Role.EDITOR, mailings.approve),
        (Role.FUNDRAISER, mailings.pause),
        (Role.FUNDRAISER, mailings.resume),
        (Role.TREASURER, mailings.cancel),
    ],
)
def test_each_step_asks_for_its_permission(
    role: Role, step: Callable[[Mailing, Staff, object], None]
) -> None:
    mailing = mailings.draft(make.update(), {}, None, NOON)
    with pytest.raises(mailings.NotAllowed):
        step(mailing, make.staff(None, role), NOON)


def test_approval_freezes_the_text_of_each_language_and_the_sender() -> None:
    make.organisation(sender="我们 <we@example.org>")
    mailing = approved()
    mailing.update.texts[0].title = "changed behind the back"
    assert {text.locale: text.subject for text in mailing.texts} == {
        "zh-Hans": "第一批书桌到了",
        "en": "The first desks have arrived",
    }
    assert mailing.sender == "我们 <we@example.org>"


def test_an_update_without_a_text_is_not_submitted() -> None:
    update = make.update()
    update.texts = [UpdateText(locale="en", title="Only a title", body=" ")]
    mailing = mailings.draft(update, {}, None, NOON)
    with pytest.raises(mailings.NothingToSay):
        mailings.submit(mailing, None, NOON)


def test_a_text_that_changed_after_it_was_opened_is_not_approved() -> None:
    mailing = mailings.draft(make.update(), {}, None, NOON)
    mailings.submit(mailing, None, NOON)
    with pytest.raises(mailings.ChangedMeanwhile):
        mailings.approve(mailing, None, NOON, text_of=NOON - HOUR)


def test_a_change_after_approval_goes_back_to_review() -> None:
    mailing = scheduled()
    mailings.text_changed(mailing.update, make.staff(), NOON)
    assert state(mailing) == "in_review"
    assert (mailing.approved_at, mailing.scheduled_at, mailing.texts) == (None, None, [])


def test_a_change_of_segment_after_approval_goes_back_to_review() -> None:
    mailing = approved()
    mailings.change_segment(mailing, {"everyone": True}, None, NOON)
    assert state(mailing) == "in_review"
    assert mailing.segment == {"everyone": True}


def test_a_change_does_not_touch_what_is_already_being_sent() -> None:
    mailing = make.mailing()
    mailings.text_changed(mailing.update, None, NOON)
    assert state(mailing) == "sending"
    assert len(mailing.texts) == 2


def test_what_is_sent_back_carries_the_reason() -> None:
    mailing = mailings.draft(make.update(), {}, None, NOON)
    mailings.submit(mailing, None, NOON)
    mailings.send_back(mailing, "Which school?", make.staff(), NOON)
    assert (mailing.state, mailing.note) == (MailingState.DRAFT, "Which school?")


def test_a_step_taken_twice_is_refused_and_changes_nothing() -> None:
    mailing = approved()
    records = select(func.count(AuditRecord.id))
    before = db.session.scalar(records)
    with pytest.raises(mailings.WrongState):
        mailings.approve(mailing, make.staff(), NOON)
    assert db.session.scalar(records) == before


def test_every_step_leaves_a_record_of_who_took_it() -> None:
    by = make.staff()
    mailing = mailings.draft(make.update(), {}, by, NOON)
    mailings.submit(mailing, by, NOON)
    actions = db.session.scalars(select(AuditRecord.action).where(AuditRecord.staff_id == by.id))
    assert set(actions) == {"draft mailing", "in_review mailing"}


def test_an_hour_in_the_past_is_refused() -> None:
    mailing = approved()
    with pytest.raises(mailings.BadHour):
        mailings.schedule(mailing, NOON - HOUR, None, NOON)
    with pytest.raises(mailings.BadHour):
        mailings.schedule(mailing, NOON + HOUR, None, NOON, expires_at=NOON + HOUR)


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


def test_the_count_of_a_segment_is_who_would_be_written_to() -> None:
    update = make.update()
    follower(update)
    follower(update).address = None
    assert segments.count({"campaign": update.campaign_id}) == 1
    assert segments.count({"everyone": True}) == 0
    make.consent(make.donor())
    assert segments.count({"everyone": True}) == 1


@pytest.mark.parametrize("definition", [{}, {"campaign": "1"}, {"campaign": True}, {"tag": 1}])
def test_an_unknown_segment_is_refused(definition: dict[str, object]) -> None:
    with pytest.raises(segments.UnknownSegment):
        segments.count(definition)


def test_an_issue_goes_to_who_agreed_to_the_newsletter() -> None:
    update = make.update(kind=UpdateKind.ISSUE, campaign_id=None)
    reader = make.donor()
    make.consent(reader)
    follower(make.update())
    mailing = mailings.draft(update, segments.EVERYONE, None, NOON)
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
    mailings.confirm_missed(mailing, late, make.staff(), late)
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


@pytest.mark.parametrize("state", sorted(OPEN))
def test_a_mailing_is_not_sent_while_a_delivery_is_open(state: DeliveryState) -> None:
    delivery = make.delivery()
    delivery.state = state
    delivery.claimed_by = "x" if state is DeliveryState.SENDING else None
    addressing.finish(NOON)
    assert delivery.mailing_id
    assert db.session.get_one(Mailing, delivery.mailing_id).state is MailingState.SENDING


@pytest.mark.parametrize("state", sorted(set(DeliveryState) - OPEN))
def test_any_outcome_counts_towards_sent(state: DeliveryState) -> None:
    delivery = make.delivery()
    delivery.state = state
    addressing.finish(NOON)
    assert delivery.mailing_id
    assert db.session.get_one(Mailing, delivery.mailing_id).state is MailingState.SENT


def test_cancelling_leaves_those_in_hand_and_cancels_the_others() -> None:
    mailing = make.mailing()
    states = []
    for state in (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.SENDING):
        claimed_by = "x" if state is DeliveryState.SENDING else None
        states.append(make.delivery(of=mailing, state=state, claimed_by=claimed_by))
    mailings.cancel(mailing, make.staff(), NOON)
    assert [delivery.state for delivery in states] == ["cancelled", "cancelled", "sending"]


def test_a_letter_that_comes_back_deferred_after_cancelling_is_cancelled_too() -> None:
    mailing = make.mailing()
    delivery = make.delivery(of=mailing, state=DeliveryState.SENDING, claimed_by="x")
    mailings.cancel(mailing, None, NOON)
    delivery.state, delivery.claimed_by = DeliveryState.DEFERRED, None
    addressing.finish(NOON + HOUR)
    db.session.refresh(delivery)
    assert delivery.state is DeliveryState.CANCELLED


def test_pausing_and_resuming_returns_to_where_it_was() -> None:
    mailing = scheduled()
    for _ in range(2):
        mailings.pause(mailing, None, NOON)
        assert state(mailing) == "paused"
        mailings.resume(mailing, None, NOON)
        assert state(mailing) == "scheduled"
    begin()
    mailings.pause(mailing, None, NOON)
    mailings.resume(mailing, None, NOON)
    assert state(mailing) == "sending"


def test_an_expired_mailing_ends_and_its_open_letters_with_it() -> None:
    mailing = make.mailing(expires_at=NOON + HOUR)
    queued = make.delivery(of=mailing)
    addressing.finish(NOON + HOUR)
    db.session.refresh(queued)
    assert state(mailing) == "expired"
    assert queued.state is DeliveryState.EXPIRED


def test_a_mailing_that_pauses_itself_says_why() -> None:
    mailing = make.mailing()
    addressing.pause_itself(mailing.id, 30, 100, NOON)
    assert state(mailing) == "paused"
    assert "30" in (mailing.note or "")
    assert "100" in (mailing.note or "")
    mailings.resume(mailing, None, NOON)
    assert (mailing.state, mailing.note) == (MailingState.SENDING, None)


def test_who_may_send_gets_a_letter_when_a_mailing_pauses_itself() -> None:
    editor, treasurer = make.staff(None, Role.EDITOR), make.staff(None, Role.TREASURER)
    mailing = make.mailing()
    addressing.pause_itself(mailing.id, 30, 100, NOON)
    addressing.pause_itself(mailing.id, 30, 100, NOON)
    alerts = db.session.scalars(select(Delivery).where(Delivery.staff_id.is_not(None))).all()
    assert [alert.staff_id for alert in alerts] == [editor.id]
    assert treasurer.id != editor.id


def test_who_may_send_gets_a_letter_when_an_hour_was_missed() -> None:
    mailing, editor = scheduled(), make.staff(None, Role.EDITOR)
    begin(NOON + 3 * HOUR)
    occasions = select(Delivery.occasion).where(Delivery.staff_id == editor.id)
    [occasion] = db.session.scalars(occasions).all()
    assert occasion.startswith(f"alert:missed:{mailing.id}:")
