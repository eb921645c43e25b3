"""What became of a letter: written down once, tried again later, and learnt from."""

from datetime import timedelta

import pytest

from campaigns import outcomes, suppression
from campaigns.db import db
from campaigns.mail.transport import Outcome, State
from campaigns.model.consent import Purpose
from campaigns.model.delivery import DeliveryState
from tests import make
from tests.claiming import LATER, NEVER, SENT, SILENT, attempts, end, state, take
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [(SENT, "sent"), (LATER, "deferred"), (NEVER, "failed"), (SILENT, "unknown")],
)
def test_an_outcome_is_recorded_with_an_attempt(outcome: Outcome, becomes: str) -> None:
    delivery = make.delivery()
    end(take()[0], outcome)
    assert state(delivery) == becomes
    assert delivery.claimed_by is None
    assert delivery.attempts == 1
    assert attempts(delivery) == [(becomes, outcome.code)]


def test_recording_the_same_outcome_again_changes_nothing() -> None:
    delivery = make.delivery()
    [claim] = take()
    end(claim, SENT)
    end(claim, SENT)
    assert attempts(delivery) == [("sent", 250)]


def test_of_several_that_come_late_each_is_told_whatever_the_others_became() -> None:
    mailing = make.mailing()
    known, unknown, queued = (make.delivery(of=mailing) for _ in range(3))
    taken = {one.id: one for one in take()}
    end(taken[known.id], SENT)
    for delivery in (unknown, queued):
        delivery.state, delivery.claimed_by = DeliveryState.UNKNOWN, None
    db.session.commit()
    late = [(known, SENT), (unknown, SENT), (queued, None)]
    outcomes.record([outcomes.Result(taken[one.id], of, "relay", NOON) for one, of in late], NOON)
    assert [state(one) for one in (known, unknown, queued)] == ["sent", "sent", "queued"]
    assert [attempts(one) for one in (known, unknown, queued)] == [[("sent", 250)]] * 2 + [[]]


def test_a_link_used_before_the_outcome_was_recorded_confuses_nobody() -> None:
    delivery = make.delivery()
    [claim] = take()
    delivery.token_hash = None
    db.session.commit()
    end(claim, SENT)
    assert state(delivery) == "sent"


def test_a_letter_never_offered_is_queued_again_and_keeps_its_tries() -> None:
    delivery = make.delivery()
    end(take()[0], None)
    assert state(delivery) == "queued"
    assert delivery.attempts == 0
    assert attempts(delivery) == []
    assert len(take()) == 1


def test_delays_grow_and_differ() -> None:
    mailing, waits, now = make.mailing(), [], NOON
    delivery = make.delivery(of=mailing)
    for _ in range(4):
        end(take(now=now)[0], LATER, now)
        db.session.refresh(delivery)
        waits.append((delivery.due_at - now).total_seconds())
        now = delivery.due_at
    assert waits == sorted(waits)
    assert 45 <= waits[0] <= 75
    assert 27 * 45 <= waits[3] <= 27 * 75
    assert any(wait % 60 for wait in waits)


def test_a_deferred_letter_expires_instead_of_coming_too_late() -> None:
    delivery = make.delivery(expires_at=NOON + timedelta(seconds=30))
    end(take()[0], LATER)
    assert state(delivery) == "expired"


def test_without_an_expiry_a_letter_is_tried_for_five_days_from_its_first_try() -> None:
    delivery = make.delivery(created_at=NOON - timedelta(days=9))
    end(take()[0], LATER)
    assert state(delivery) == "deferred"
    late = NOON + timedelta(days=5)
    end(take(now=late)[0], LATER, late)
    assert state(delivery) == "expired"


def test_the_second_claim_carries_another_token() -> None:
    delivery = make.delivery()
    [first] = take()
    end(first, LATER)
    db.session.refresh(delivery)
    [second] = take(now=delivery.due_at)
    assert second.token != first.token
    assert second.attempts == 1


@pytest.mark.parametrize(
    ("answer", "suppressed"),
    [
        ("5.1.1 no such mailbox", True),
        ("5.1.10 null MX", True),
        ("5.1.8 bad sender", False),
        ("5.7.1 policy", False),
        ("relay 15.1.1 said no", False),
    ],
)
def test_only_a_missing_address_is_suppressed(answer: str, suppressed: bool) -> None:
    delivery = make.delivery()
    end(take()[0], Outcome(State.FAILED, 550, answer))
    assert suppression.forbids(delivery.address_hash, Purpose.SERVICE) is suppressed
