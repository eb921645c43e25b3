"""Who may be written to is asked when a letter is taken, and no letter is taken twice."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from campaigns import claims, mailings, suppression
from campaigns.crypto import token_hash
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.delivery import LetterKind
from campaigns.model.mailing import Mailing
from campaigns.model.suppression import SuppressionCause
from tests import make
from tests.claiming import attempts, state, take, thank_you
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


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


def test_one_that_is_due_takes_none_along_that_is_not() -> None:
    mailing = make.mailing()
    due = make.delivery(of=mailing)
    make.delivery(of=mailing, due_at=NOON + timedelta(seconds=1))
    assert [claim.id for claim in take()] == [due.id]


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


def test_a_member_of_staff_needs_no_consent() -> None:
    delivery = thank_you()
    delivery.donor_id, delivery.staff_id = None, make.staff().id
    delivery.letter, delivery.purpose = LetterKind.ALERT, Purpose.SERVICE
    assert [claim.id for claim in take()] == [delivery.id]
