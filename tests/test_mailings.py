"""A mailing's life: who may take which step, and what the clock does at its hour."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from campaigns import addressing, mailings
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import DeliveryState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Role, Staff
from campaigns.model.update import UpdateText
from tests import make
from tests.mailing import HOUR, approved, begin, deliveries, follower, scheduled, state
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


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
