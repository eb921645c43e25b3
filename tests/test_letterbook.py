"""The letter-book: each letter's state and why, counted and found as an oracle in Python does."""

import itertools
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from campaigns import deliveries, letter_reasons, letterbook
from campaigns.db import db
from campaigns.letter_reasons import Reason
from campaigns.mail import status
from campaigns.mail.status import Meaning
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.mailing import Mailing
from campaigns.model.returned import Return
from campaigns.model.suppression import Suppression, SuppressionCause
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
State = DeliveryState
EVER = (NOON - timedelta(days=99), NOON + timedelta(days=99))

ANSWERS = (
    "5.1.1 No such user here",
    "5.1.10 Recipient address has null MX",
    "The user of 15.1.1.3 is 5.1.12",
    "5.2.2 Mailbox is full.",
    "5.7.1 Not from there",
    "User unknown 5.1.1",
    "5.0.0 DT:SPM 163 smtp5",
    "Mail Content Denied [MGSD]",
    "5.1.8 sender refused",
    "No thank you",
    "4.7.26 then 5.1.1",
    "5.1.1.",
)


def tried(delivery: Delivery, answer: str, code: int | None = 550, **more: object) -> Delivery:
    values = {"at": NOON, "transport": "relay", "outcome": delivery.state, "code": code} | more
    db.session.add(Attempt(delivery_id=delivery.id, answer=answer, **values))
    db.session.commit()
    return delivery


def came_back(delivery: Delivery, *meanings: Meaning) -> Delivery:
    for number, meaning in enumerate(meanings):
        row = Return(delivery_id=delivery.id, at=NOON, door="command", key=f"{number}")
        row.meaning = meaning
        db.session.add(row)
    db.session.commit()
    return delivery


def stopped(delivery: Delivery, cause: SuppressionCause) -> None:
    db.session.add(Suppression(address_hash=delivery.address_hash, cause=cause, at=NOON))
    db.session.commit()


def why(delivery: Delivery) -> str | None:
    return letterbook.reasons([delivery.id]).get(delivery.id)


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_refusal_is_read_as_by_what_suppresses_addresses(answer: str) -> None:
    read = status.refusal(status.enhanced(answer), answer)
    reason = why(tried(make.delivery(state=State.FAILED), answer))
    assert (reason == Reason.NO_SUCH_ADDRESS) == (read is Meaning.HARD)
    assert (reason == Reason.POLICY) == (read is Meaning.POLICY)
    assert (reason == Reason.FULL) == ("5.2.2" in answer)


def test_the_reason_is_that_of_the_newest_try_that_ended_so() -> None:
    failed = make.delivery(state=State.FAILED)
    tried(failed, "5.2.2 full")
    tried(failed, "5.1.1 gone")
    tried(failed, "come later", 451, outcome=State.DEFERRED)
    assert why(failed) == Reason.NO_SUCH_ADDRESS
    assert why(tried(make.delivery(state=State.FAILED), "too large", None)) == Reason.UNFIT


def test_staff_who_settled_a_letter_are_its_reason() -> None:
    unknown = tried(make.delivery(state=State.UNKNOWN), "died", None, transport="")
    assert why(unknown) == Reason.DIED
    deliveries.settle_unknown(unknown, sent=False, by=None, now=NOON)
    assert why(unknown) == Reason.STAFF_SAID


def test_a_letter_in_doubt_says_what_left_it_there() -> None:
    assert why(tried(make.delivery(state=State.UNKNOWN), "silence", None)) == Reason.SILENT
    assert why(make.delivery(state=State.UNKNOWN)) == Reason.SET_BACK


@pytest.mark.parametrize(
    ("meaning", "reason"),
    [
        (Meaning.HARD, Reason.NO_SUCH_ADDRESS),
        (Meaning.SOFT, Reason.DID_NOT_ARRIVE),
        (Meaning.POLICY, Reason.POLICY),
    ],
)
def test_a_bounce_says_why(meaning: Meaning, reason: Reason) -> None:
    bounced = make.delivery(state=State.BOUNCED)
    assert why(came_back(bounced, Meaning.DELAYED, meaning, Meaning.AUTO_REPLY)) == reason


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (SuppressionCause.LEFT, Reason.LEFT),
        (SuppressionCause.BOUNCED, Reason.UNREACHABLE),
        (SuppressionCause.COMPLAINED, Reason.COMPLAINED),
        (SuppressionCause.STAFF, Reason.STAFF_STOPPED),
    ],
)
def test_a_suppressed_letter_says_what_stands_against_the_address(
    cause: SuppressionCause, reason: Reason
) -> None:
    delivery = tried(make.delivery(state=State.SUPPRESSED), "suppressed", None, transport="")
    stopped(delivery, cause)
    assert why(delivery) == reason
    withdrew = tried(make.delivery(state=State.SUPPRESSED), "no consent", None, transport="")
    stopped(withdrew, cause)
    assert why(withdrew) == Reason.NO_CONSENT


def test_what_merging_called_off_says_so() -> None:
    delivery = make.delivery(state=State.SUPPRESSED)
    assert delivery.donor is not None
    delivery.donor.merged_into = make.donor().id
    db.session.commit()
    assert why(delivery) == Reason.MERGED


@pytest.mark.parametrize("state", [State.SENT, State.QUEUED, State.EXPIRED, State.COMPLAINED])
def test_other_states_have_no_reason(state: State) -> None:
    assert why(tried(make.delivery(state=state), "5.1.1", None)) is None


def many() -> Mailing:
    """Letters of a mailing that differ in all that can be asked for; and one of another."""
    mailing = make.mailing()
    for number, (state, answer, domain, days) in enumerate(
        itertools.product(
            (State.SENT, State.FAILED, State.SUPPRESSED),
            ("5.1.1", "5.2.2 full"),
            ("example.org", "mail.example.org", "例子.公司"),
            (0, 1),
        )
    ):
        at = NOON - timedelta(days=days)
        delivery = make.delivery(f"one{number}@{domain}", of=mailing, state=state, settled_at=at)
        tried(delivery, answer)
    tried(make.delivery("other@example.org", state=State.FAILED, settled_at=NOON), "5.1.1")
    return mailing


def looked_at() -> list[tuple[Delivery, str | None, datetime, str]]:
    """Each row with its reason, when it last got on, and its domain."""
    return [
        (
            row,
            why(row),
            row.settled_at or row.claimed_at or row.created_at,
            ((row.donor and row.donor.address) or "").rpartition("@")[2],
        )
        for row in db.session.scalars(select(Delivery).order_by(Delivery.id))
    ]


def test_filters_find_what_looking_at_each_row_finds() -> None:
    mailing, tomorrow = many(), NOON + timedelta(days=1)
    rows = looked_at()
    for state, reason, domain, (since, until) in itertools.product(
        (None, State.SENT, State.FAILED),
        (None, Reason.NO_SUCH_ADDRESS, Reason.LEFT),
        ("", "example.org", "例子.公司"),
        ((None, None), (NOON, tomorrow), (None, NOON)),
    ):
        sought = letterbook.Sought(mailing.id, None, state, reason, domain, since, until)
        expected = [
            row.id
            for row, its_reason, at, its_domain in rows
            if row.mailing_id == mailing.id
            and state in (None, row.state)
            and reason in (None, its_reason)
            and domain in ("", its_domain)
            and (since or EVER[0]) <= at < (until or EVER[1])
        ]
        found = db.session.scalars(letterbook.found(sought).order_by(Delivery.id))
        assert [row.id for row in found] == expected, sought
        newest_first = [row.id for row in db.session.execute(letterbook.rows(sought))]
        assert newest_first == expected[::-1]


def test_counts_are_those_of_the_lists_they_lead_to() -> None:
    mailing = many()
    counts = letterbook.counts(mailing)
    for state, reason, number in counts:
        assert letterbook.count(letterbook.Sought(mailing.id, state=state, reason=reason)) == number
    assert sum(number for *_, number in counts) == 36


def test_a_domain_is_no_pattern() -> None:
    delivery = make.delivery("ada@example.org")
    for domain in ("%", "example_org", "xample.org", "org"):
        assert letterbook.count(letterbook.Sought(delivery.mailing_id, domain=domain)) == 0


def test_letters_to_a_person_are_those_of_all_their_rows() -> None:
    first, second = make.delivery("a@example.org"), make.delivery("b@example.org")
    assert first.donor is not None
    first.donor.merged_into = second.donor_id
    db.session.commit()
    for donor_id in (first.donor_id, second.donor_id):
        assert letterbook.count(letterbook.Sought(donor_id=donor_id)) == 2


def test_what_failed_for_one_reason_is_sent_again_and_no_other() -> None:
    mailing = many()
    sought = letterbook.Sought(mailing.id, state=State.FAILED, reason=Reason.FULL)
    wanted = {row.id for row in db.session.scalars(letterbook.found(sought))}
    assert len(wanted) == 6
    queued = deliveries.resend(mailing, None, NOON, sought.clauses(), reason="space again")
    now = db.session.scalars(select(Delivery.id).where(Delivery.state == State.QUEUED))
    assert (queued, set(now)) == (6, wanted)
    one = db.session.get_one(Delivery, min(wanted))
    [deed] = letterbook.deeds(one)
    assert deed.changes == {"letters": [None, "6"], "reason": [None, "space again"]}


def test_who_may_not_be_written_to_any_more_is_counted_before() -> None:
    failed = make.delivery(state=State.FAILED)
    sought = letterbook.Sought(failed.mailing_id, state=State.FAILED)
    assert letterbook.unwelcome(sought) == 0
    stopped(failed, SuppressionCause.BOUNCED)
    assert letterbook.unwelcome(sought) == 1


def test_words_of_staff_are_those_that_settling_writes() -> None:
    delivery = make.delivery(state=State.UNKNOWN)
    deliveries.settle_unknown(delivery, sent=True, by=None, now=NOON)
    [attempt] = letterbook.attempts([delivery.id])[delivery.id]
    assert attempt.answer == letter_reasons.BY_STAFF
