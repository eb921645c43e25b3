"""Claims and outcomes: nobody lost, nobody written to twice, and what nobody knows is shown."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from campaigns import claims, deliveries, leases, letters, mailings, outcomes, suppression
from campaigns.crypto import token_hash
from campaigns.db import db
from campaigns.mail.transport import Outcome, State
from campaigns.model.audit import AuditRecord
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Attempt, Claim, Delivery, DeliveryState, LetterKind
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Role
from campaigns.model.suppression import SuppressionCause
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
SENT = Outcome(State.SENT, 250, "kept")
LATER = Outcome(State.DEFERRED, 451, "4.7.1 come back later")
NEVER = Outcome(State.FAILED, 550, "5.7.1 no")
SILENT = Outcome(State.UNKNOWN, None, "no answer to the dot")


def take(by: str = "me", limit: int = 10, now: datetime = NOON) -> list[Claim]:
    leases.beat(by, now)
    return claims.claim(by, limit, now)


def end(claim: Claim, outcome: Outcome | None, now: datetime = NOON) -> None:
    outcomes.record([outcomes.Result(claim, outcome, "relay:25", now)], now)


def state(of: Delivery) -> str:
    db.session.refresh(of)
    return str(of.state)


def attempts(of: Delivery) -> list[tuple[str, int | None]]:
    rows = select(Attempt).where(Attempt.delivery_id == of.id).order_by(Attempt.id)
    return [(str(attempt.outcome), attempt.code) for attempt in db.session.scalars(rows)]


def thank_you() -> Delivery:
    letter = make.delivery()
    letter.letter, letter.mailing_id, letter.occasion = LetterKind.THANKS, None, "entry:7"
    letter.purpose = Purpose.RECEIPTS
    db.session.commit()
    return letter


def test_a_claim_names_its_process_and_keeps_only_the_hash_of_its_token() -> None:
    delivery = make.delivery()
    [claim] = take()
    assert state(delivery) == "sending"
    assert delivery.claimed_by == "me"
    assert delivery.token_hash == token_hash(claim.token)
    assert claim.to.address.text == (delivery.donor and delivery.donor.address)


def test_a_letter_is_claimed_once() -> None:
    make.delivery()
    assert len(take("one")) == 1
    assert take("another") == []


def test_no_more_is_claimed_than_asked_for() -> None:
    mailing = make.mailing()
    for _ in range(5):
        make.delivery(of=mailing)
    assert len(take(limit=3)) == 3
    assert len(take(limit=3)) == 2


def test_a_letter_is_not_claimed_before_it_is_due() -> None:
    make.delivery(due_at=NOON + timedelta(seconds=1))
    assert take() == []
    assert not claims.waiting(NOON)
    assert claims.waiting(NOON + timedelta(seconds=1))


def test_letters_to_one_person_go_before_mailings_and_mailings_share() -> None:
    mailings = make.mailing(), make.mailing()
    for mailing in mailings:
        for _ in range(4):
            make.delivery(of=mailing)
    thanks = thank_you()
    taken = take(limit=5)
    assert taken[0].id == thanks.id
    assert [claim.mailing_id for claim in taken[1:]].count(mailings[0].id) == 2


@pytest.mark.parametrize("step", [mailings.pause, mailings.cancel])
def test_nothing_is_claimed_of_a_mailing_that_was_stopped(
    step: Callable[[Mailing, None, datetime], None],
) -> None:
    delivery = make.delivery()
    step(db.session.get_one(Mailing, delivery.mailing_id), None, NOON)
    assert take() == []
    assert not claims.waiting(NOON)


def test_who_withdrew_after_queueing_gets_nothing() -> None:
    delivery = make.delivery()
    suppression.withdraw(delivery, NOON)
    assert take() == []
    assert state(delivery) == "suppressed"
    assert attempts(delivery) == [("suppressed", None)]


def test_an_address_suppressed_after_queueing_gets_nothing() -> None:
    delivery = make.delivery()
    suppression.suppress(delivery.address_hash, SuppressionCause.COMPLAINED, NOON)
    assert take() == []
    assert state(delivery) == "suppressed"


def test_who_left_everything_is_still_asked_to_confirm_what_they_ask_for() -> None:
    delivery = thank_you()
    delivery.letter, delivery.purpose = LetterKind.CONFIRM, Purpose.SERVICE
    suppression.leave_everything(delivery, NOON)
    assert [claim.id for claim in take()] == [delivery.id]


def test_an_address_that_bounced_gets_no_service_letter_either() -> None:
    delivery = thank_you()
    delivery.letter, delivery.purpose = LetterKind.CONFIRM, Purpose.SERVICE
    suppression.suppress(delivery.address_hash, SuppressionCause.BOUNCED, NOON)
    assert take() == []
    assert state(delivery) == "suppressed"


def test_many_refused_letters_do_not_hold_up_the_one_behind_them() -> None:
    mailing = make.mailing()
    for _ in range(7):
        suppression.withdraw(make.delivery(of=mailing), NOON)
    last = make.delivery(of=mailing, due_at=NOON + timedelta(seconds=1))
    assert [claim.id for claim in take(limit=2, now=NOON + timedelta(minutes=1))] == [last.id]


def test_a_letter_past_its_expiry_is_not_sent() -> None:
    delivery = make.delivery(expires_at=NOON)
    assert take() == []
    assert state(delivery) == "expired"


def test_an_erased_donor_gets_nothing() -> None:
    delivery = make.delivery()
    assert delivery.donor
    delivery.donor.address = None
    assert take() == []
    assert state(delivery) == "suppressed"


def test_a_member_of_staff_who_left_gets_nothing() -> None:
    delivery = thank_you()
    delivery.donor_id, delivery.staff_id = None, make.staff(active=False).id
    delivery.letter, delivery.purpose = LetterKind.ALERT, Purpose.SERVICE
    assert take() == []
    assert state(delivery) == "suppressed"


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


def test_without_an_expiry_a_letter_is_tried_for_five_days() -> None:
    delivery = make.delivery(created_at=NOON - timedelta(days=5))
    end(take()[0], LATER)
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


def test_claims_of_a_process_without_a_pulse_become_unknown() -> None:
    delivery = make.delivery()
    take("dead")
    leases.beat("alive", NOON + leases.LEASE)
    assert leases.bury(NOON + leases.LEASE) == 0
    later = NOON + leases.LEASE + timedelta(seconds=1)
    assert leases.bury(later) == 1
    assert leases.bury(later) == 0
    assert state(delivery) == "unknown"
    assert attempts(delivery) == [("unknown", None)]


def test_an_unknown_letter_is_never_sent_again_by_itself() -> None:
    make.delivery(state="unknown")
    assert take(now=NOON + timedelta(days=1)) == []
    assert not claims.waiting(NOON + timedelta(days=1))


def test_a_process_that_beats_keeps_its_claims_however_long_a_relay_is_silent() -> None:
    delivery = make.delivery()
    take()
    leases.beat("me", NOON + timedelta(hours=1))
    assert leases.bury(NOON + timedelta(hours=1)) == 0
    assert state(delivery) == "sending"


def test_a_pulse_from_the_future_is_no_sign_of_life() -> None:
    make.delivery()
    take("dead", now=NOON + timedelta(hours=1))
    assert leases.bury(NOON) == 1


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [(SENT, "sent"), (NEVER, "failed"), (LATER, "deferred"), (None, "queued")],
)
def test_a_process_that_thaws_tells_the_truth_about_its_letter(
    outcome: Outcome | None, becomes: str
) -> None:
    delivery = make.delivery()
    [claim] = take()
    leases.bury(NOON + timedelta(hours=1))
    end(claim, outcome)
    assert state(delivery) == becomes


def test_a_late_answer_does_not_overrule_staff_unless_the_letter_was_sent() -> None:
    delivery = make.delivery()
    [claim] = take()
    leases.bury(NOON + timedelta(hours=1))
    deliveries.settle_unknown(delivery, sent=False, by=make.staff(), now=NOON)
    end(claim, LATER)
    assert state(delivery) == "failed"
    end(claim, SENT)
    assert state(delivery) == "sent"


def test_an_outcome_of_an_earlier_claim_does_not_touch_a_later_one() -> None:
    delivery = make.delivery()
    [old] = take("frozen")
    leases.bury(NOON + timedelta(hours=1))
    deliveries.settle_unknown(delivery, sent=False, by=None, now=NOON)
    deliveries.resend(db.session.get_one(Mailing, delivery.mailing_id), None, NOON)
    [new] = take("other")
    end(old, NEVER)
    assert state(delivery) == "sending"
    end(new, SENT)
    assert state(delivery) == "sent"


def test_a_process_gives_back_what_it_claimed_and_does_not_hold() -> None:
    mailing = make.mailing()
    held, lost = make.delivery(of=mailing), make.delivery(of=mailing)
    take()
    leases.give_back("me", [held.id])
    assert (state(held), state(lost)) == ("sending", "queued")


def test_staff_settle_an_unknown_once_and_it_is_on_record() -> None:
    delivery = make.delivery(state="unknown")
    by = make.staff()
    deliveries.settle_unknown(delivery, sent=True, by=by, now=NOON)
    assert state(delivery) == "sent"
    assert attempts(delivery) == [("sent", None)]
    with pytest.raises(deliveries.NotUnknown):
        deliveries.settle_unknown(delivery, sent=False, by=by, now=NOON)
    assert db.session.scalar(select(func.count(AuditRecord.id))) == 1


def test_only_who_may_send_settles_and_resends() -> None:
    delivery = make.delivery(state="unknown")
    treasurer = make.staff(None, Role.TREASURER)
    mailing = db.session.get_one(Mailing, delivery.mailing_id)
    with pytest.raises(deliveries.NotAllowed):
        deliveries.settle_unknown(delivery, sent=True, by=treasurer, now=NOON)
    with pytest.raises(deliveries.NotAllowed):
        deliveries.resend(mailing, treasurer, NOON)


def test_failed_letters_are_sent_again_and_the_mailing_is_sending_again() -> None:
    mailing = make.mailing(state="sent", finished_at=NOON)
    failed = make.delivery(of=mailing, state="failed", created_at=NOON - timedelta(days=9))
    for other in ("sent", "unknown", "bounced", "suppressed"):
        make.delivery(of=mailing, state=other)
    assert deliveries.resend(mailing, make.staff(), NOON) == 1
    assert deliveries.resend(mailing, make.staff(), NOON) == 0
    assert str(mailing.state) == "sending"
    [claim] = take()
    end(claim, LATER)
    assert (claim.id, state(failed)) == (failed.id, "deferred")


def test_one_letter_is_sent_again() -> None:
    mailing = make.mailing()
    make.delivery(of=mailing, state="failed")
    chosen = make.delivery(of=mailing, state="failed")
    assert deliveries.resend(mailing, None, NOON, only=chosen.id) == 1
    assert [claim.id for claim in take()] == [chosen.id]


def test_links_of_a_letter_that_was_sent_again_still_work() -> None:
    mailing = make.mailing()
    delivery = make.delivery(of=mailing, state=DeliveryState.FAILED, token_hash=token_hash("first"))
    deliveries.resend(mailing, None, NOON)
    db.session.refresh(delivery)
    delivery.token_hash = token_hash("second")
    db.session.commit()
    assert letters.behind("first") == letters.behind("second") == delivery


def test_a_cancelled_mailing_is_not_sent_again() -> None:
    with pytest.raises(deliveries.NotSent):
        deliveries.resend(make.mailing(state="cancelled"), None, NOON)


def test_the_live_view_counts_by_state_and_lists_in_pages() -> None:
    mailing = make.mailing()
    for each in ("sent", "sent", "failed"):
        make.delivery(of=mailing, state=each)
    assert deliveries.counts(mailing) == {"sent": 2, "failed": 1}
    first = deliveries.of_mailing(mailing, limit=2)
    [last] = deliveries.of_mailing(mailing, after=first[-1].id)
    assert str(last.state) == "failed"
    assert deliveries.attempts([last]) == {last.id: []}
