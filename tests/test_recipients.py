"""Who was told about an update: everybody who got a letter or ever agreed, and why not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from campaigns import recipients
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.suppression import Suppression, SuppressionCause
from campaigns.model.update import Update
from tests import digesting, make
from tests.make import NOON

State = DeliveryState
BEFORE, AFTER = NOON - timedelta(hours=1), NOON + timedelta(hours=1)


@pytest.fixture
def update(app: object) -> Update:
    make.organisation()
    return make.update(make.campaign())


def told(update: Update, state: str = "", reason: str = "") -> list[tuple[int, str, str | None]]:
    """Each person with what became of the letter and why."""
    begun = recipients.mailings(update.id)
    sought = recipients.Sought(update.id, state, reason)
    query = recipients.found(sought, begun).order_by(Donor.id)
    return [(row.id, row.state, row.reason) for row in db.session.execute(query)]


def agreed(update: Update, *said: tuple[bool, datetime], **more: Any) -> Donor:
    donor = make.donor(**more)
    for given, at in said:
        make.consent(donor, campaign_of(update), given=given, at=at)
    return donor


def campaign_of(update: Update) -> Campaign:
    return db.session.get_one(Campaign, update.campaign_id)


def stopped(donor: Donor, at: datetime, cause: SuppressionCause = SuppressionCause.LEFT) -> None:
    db.session.add(Suppression(address_hash=donor.address_hash or "", cause=cause, at=at))
    db.session.commit()


def test_who_has_a_letter_stands_with_it(update: Update) -> None:
    mailing = make.mailing(update)
    sent = make.delivery(of=mailing, state=State.SENT, settled_at=AFTER, locale="zh-Hans")
    [row] = db.session.execute(recipients.found(recipients.Sought(update.id), [mailing]))
    assert (row.id, row.delivery_id, row.mailing_id) == (sent.donor_id, sent.id, mailing.id)
    assert (row.state, row.locale, row.reason) == ("sent", "zh-Hans", None)
    assert row.at == AFTER


def test_a_letter_that_failed_says_why(update: Update) -> None:
    failed = make.delivery(of=make.mailing(update), state=State.FAILED)
    refused = {"at": NOON, "transport": "relay", "outcome": State.FAILED, "code": 550}
    db.session.add(Attempt(delivery_id=failed.id, answer="5.2.2 full", **refused))
    db.session.commit()
    assert told(update) == [(failed.donor_id, "failed", "mailbox full")]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([(True, BEFORE)], "not chosen"),
        ([(True, AFTER)], "agreed later"),
        ([(True, BEFORE), (False, BEFORE)], "no consent"),
        ([(True, BEFORE), (False, AFTER)], "not chosen"),
        ([(True, BEFORE), (False, BEFORE), (True, AFTER)], "no consent"),
    ],
)
def test_who_agreed_and_has_no_letter_says_why(
    update: Update, said: list[tuple[bool, datetime]], reason: str
) -> None:
    make.mailing(update)
    donor = agreed(update, *said)
    assert told(update) == [(donor.id, "none", reason)]


def test_who_was_suppressed_at_the_hour_says_by_what(update: Update) -> None:
    make.mailing(update)
    left, bounced, later = (agreed(update, (True, BEFORE)) for _ in range(3))
    stopped(left, BEFORE)
    stopped(bounced, BEFORE, SuppressionCause.BOUNCED)
    stopped(later, AFTER)
    reasons = [reason for _, _, reason in told(update)]
    assert reasons == ["left", "unreachable", "not chosen"]


def test_who_was_forgotten_has_no_address(update: Update) -> None:
    make.mailing(update)
    donor = agreed(update, (True, BEFORE), address=None, name=None)
    assert told(update) == [(donor.id, "none", "no address")]


def test_who_never_agreed_or_agreed_to_something_else_is_not_there(update: Update) -> None:
    make.mailing(update)
    agreed(update, (False, BEFORE))
    make.consent(make.donor(), make.campaign(), at=BEFORE)
    make.consent(make.donor(), at=BEFORE)
    make.donor()
    assert told(update) == []


def test_an_issue_is_about_consent_to_the_newsletter(app: object) -> None:
    issue = make.update(kind="issue", number=1)
    issue.campaign_id = None
    make.mailing(issue, purpose="newsletter")
    reader = make.donor()
    make.consent(reader, at=BEFORE)
    make.consent(make.donor(), make.campaign(), at=BEFORE)
    assert told(issue) == [(reader.id, "none", "not chosen")]


def test_of_several_letters_the_one_that_came_furthest_tells(update: Update) -> None:
    first, second = make.mailing(update), make.mailing(update)
    failed = make.delivery("ada@example.org", of=first, state=State.FAILED)
    again = Delivery(
        **{
            column.key: getattr(failed, column.key)
            for column in Delivery.__table__.columns
            if column.key not in ("id", "mailing_id", "state")
        },
        mailing_id=second.id,
        state=State.SENT,
    )
    db.session.add(again)
    db.session.commit()
    assert told(update) == [(failed.donor_id, "sent", None)]


def test_a_merged_person_stands_once_with_either_rows_letter(update: Update) -> None:
    sent = make.delivery(of=make.mailing(update), state=State.SENT)
    person = agreed(update, (True, BEFORE))
    assert sent.donor is not None
    sent.donor.merged_into = person.id
    db.session.commit()
    assert told(update) == [(person.id, "sent", None)]


def everybody(update: Update) -> list[tuple[int, str, str | None]]:
    mailing: Mailing = make.mailing(update)
    for state in (State.SENT, State.SENT, State.SUPPRESSED, State.QUEUED):
        make.delivery(of=mailing, state=state)
    for said in ((True, BEFORE), (True, AFTER), (True, AFTER)):
        agreed(update, said)
    return told(update)


def test_filters_and_counts_are_of_the_whole_list(update: Update) -> None:
    whole = everybody(update)
    assert len(whole) == 7
    counts = recipients.counts(recipients.mailings(update.id))
    for state, reason, number in counts:
        found = told(update, state, reason or "")
        assert found == [row for row in whole if row[1:] == (state, reason)]
        assert len(found) == number
    assert sum(number for *_, number in counts) == 7
    assert told(update, "none") == [row for row in whole if row[1] == "none"]


def test_a_mailing_that_has_not_begun_tells_nobody(update: Update) -> None:
    make.mailing(update, state="scheduled", started_at=None)
    assert recipients.mailings(update.id) == []


def test_who_reads_by_the_month_waits_for_their_letter_and_was_told_by_it(update: Update) -> None:
    donor = digesting.reader(update)
    mailing = digesting.mailed(update)
    assert told(update) == [(donor.id, recipients.NO_LETTER, "digest")]
    [digest] = digesting.written()
    [row] = db.session.execute(recipients.found(recipients.Sought(update.id), [mailing]))
    assert (row.id, row.delivery_id, row.mailing_id) == (donor.id, digest.id, mailing.id)
    assert (row.state, row.reason) == ("queued", None)
