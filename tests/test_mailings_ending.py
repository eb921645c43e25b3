"""A mailing ends: sent, paused, cancelled, expired, and nobody is written to afterwards."""

import pytest
from sqlalchemy import select

from campaigns import addressing, mailings
from campaigns.db import db
from campaigns.model.delivery import OPEN, Delivery, DeliveryState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Role
from tests import make
from tests.mailing import HOUR, begin, scheduled, state
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


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
    for each in (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.SENDING):
        claimed_by = "x" if each is DeliveryState.SENDING else None
        states.append(make.delivery(of=mailing, state=each, claimed_by=claimed_by))
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
