"""Claims and outcomes: nobody lost, nobody written to twice, and what nobody knows is shown."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from campaigns import claims, deliveries, leases, letters
from campaigns.crypto import token_hash
from campaigns.db import db
from campaigns.mail.transport import Outcome
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Role
from tests import make
from tests.claiming import LATER, NEVER, SENT, attempts, end, state, take
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


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
    assert deliveries.resend(mailing, None, NOON, [Delivery.id == chosen.id]) == 1
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
