"""Two rows become one person who is written to once, leaves once, and can be parted again."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import claims, donors, merging, segments, suppression
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent, Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.merge import Merge
from campaigns.model.staff import Staff
from campaigns.model.suppression import Suppression, SuppressionCause
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def lin(app: Flask) -> Staff:
    return make.staff()


@pytest.fixture
def two(app: Flask) -> tuple[Donor, Donor]:
    """Ada at her old address, and at the one that stays."""
    return make.donor("ada@old.example"), make.donor("ada@new.example")


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign()


def merged(two: tuple[Donor, Donor], lin: Staff) -> Merge:
    made = merging.merge(*two, LATER, lin)
    db.session.commit()
    return made


def mailing(campaign: Campaign) -> Mailing:
    return make.mailing(make.update(campaign))


def letter(of: Mailing, to: Donor, state: DeliveryState = DeliveryState.QUEUED) -> Delivery:
    row = Delivery(
        letter="mailing",
        mailing_id=of.id,
        donor_id=to.id,
        address_hash=to.address_hash,
        campaign_id=of.update.campaign_id,
        purpose=of.purpose,
        locale="en",
        state=state,
        due_at=NOON,
        created_at=NOON,
    )
    db.session.add(row)
    db.session.commit()
    return row


def written_to() -> list[str]:
    """The addresses that the next letters go to."""
    found = [claim.to.address.text for claim in claims.claim("post", 10, LATER)]
    db.session.commit()
    return found


def members(campaign: Campaign) -> set[int]:
    return set(db.session.scalars(segments.members({"campaign": campaign.id}, NOON)))


def test_the_old_address_leads_to_the_person(two: tuple[Donor, Donor], lin: Staff) -> None:
    merged(two, lin)
    assert donors.at(Address.parse("Ada@old.example")) == two[1]


def test_what_was_agreed_to_by_either_address_counts_for_the_person(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    make.consent(two[0], campaign)
    merged(two, lin)
    assert suppression.consents(two[1].id, Purpose.UPDATES, campaign.id)
    assert members(campaign) == {two[1].id}
    assert (
        segments.reach({"campaign": campaign.id}, Purpose.UPDATES, campaign.id, NOON).written_to
        == 1
    )


def test_the_last_word_counts_whichever_address_it_was_said_by(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    make.consent(two[1], campaign)
    make.consent(two[0], campaign, given=False, at=NOON + timedelta(minutes=1))
    merged(two, lin)
    assert not suppression.consents(two[1].id, Purpose.UPDATES, campaign.id)


def test_an_older_word_changes_nothing(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    make.consent(two[0], campaign, at=NOON - timedelta(days=9))
    make.consent(two[1], campaign, given=False)
    assert merging.preview(*two).said == ()
    merged(two, lin)
    assert not suppression.consents(two[1].id, Purpose.UPDATES, campaign.id)


@pytest.mark.parametrize(
    ("cause", "kept"),
    [
        (SuppressionCause.LEFT, True),
        (SuppressionCause.COMPLAINED, True),
        (SuppressionCause.STAFF, True),
        (SuppressionCause.BOUNCED, False),
    ],
)
def test_who_left_by_one_address_has_left_and_a_dead_address_is_only_itself(
    two: tuple[Donor, Donor], lin: Staff, cause: SuppressionCause, kept: bool
) -> None:
    suppression.suppress(two[0].address_hash or "", cause, NOON)
    made = merged(two, lin)
    assert suppression.forbids(two[1].address_hash or "", Purpose.NEWSLETTER) is kept
    merging.undo(made, LATER, lin)
    assert not suppression.forbids(two[1].address_hash or "", Purpose.NEWSLETTER)
    assert suppression.forbids(two[0].address_hash or "", Purpose.NEWSLETTER)


def test_a_person_gets_a_mailing_once(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    for donor in two:
        make.consent(donor, campaign)
    one = mailing(campaign)
    for donor in two:
        letter(one, donor)
    merged(two, lin)
    assert written_to() == ["ada@new.example"]


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.DEFERRED])
def test_who_got_a_mailing_at_the_old_address_does_not_get_it_again(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign, state: DeliveryState
) -> None:
    make.consent(two[1], campaign)
    one = mailing(campaign)
    letter(one, two[0], DeliveryState.SENT)
    waiting = letter(one, two[1], state)
    made = merged(two, lin)
    assert written_to() == []
    merging.undo(made, LATER, lin)
    db.session.refresh(waiting)
    assert waiting.state is DeliveryState.QUEUED


def test_a_letter_on_its_way_goes_to_the_address_that_stays_and_back(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    make.consent(two[0], campaign)
    waiting = letter(mailing(campaign), two[0])
    assert merging.preview(*two).letters == 1
    made = merged(two, lin)
    db.session.refresh(waiting)
    assert (waiting.donor_id, waiting.address_hash) == (two[1].id, two[1].address_hash)
    merging.undo(made, LATER, lin)
    db.session.refresh(waiting)
    assert waiting.donor_id == two[0].id
    assert written_to() == ["ada@old.example"]


def test_undoing_puts_back_what_stood(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    make.consent(two[0], campaign)
    made = merged(two, lin)
    merging.undo(made, LATER, lin)
    assert two[0].merged_into is None
    assert not suppression.consents(two[1].id, Purpose.UPDATES, campaign.id)
    assert suppression.consents(two[0].id, Purpose.UPDATES, campaign.id)
    with pytest.raises(merging.NotMerged):
        merging.undo(made, LATER, lin)
    actions = db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.id))
    assert list(actions) == ["merged donor", "undid merge"]


def test_who_left_while_merged_has_left_with_both_addresses(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    for donor in two:
        make.consent(donor, campaign)
    made = merged(two, lin)
    got = letter(mailing(campaign), two[1], DeliveryState.SENT)
    suppression.leave_everything(got, LATER + timedelta(minutes=1))
    merging.undo(made, LATER + timedelta(hours=1), lin)
    for donor in two:
        assert suppression.forbids(donor.address_hash or "", Purpose.UPDATES)
        assert not suppression.consents(donor.id, Purpose.UPDATES, campaign.id)


def test_a_complaint_while_merged_is_not_lost(two: tuple[Donor, Donor], lin: Staff) -> None:
    made = merged(two, lin)
    suppression.suppress(two[1].address_hash or "", SuppressionCause.COMPLAINED, LATER)
    merging.undo(made, LATER + timedelta(hours=1), lin)
    assert suppression.forbids(two[0].address_hash or "", Purpose.UPDATES)


def test_an_old_letter_still_lets_the_person_leave(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    make.consent(two[1], campaign)
    old = letter(mailing(campaign), two[0], DeliveryState.SENT)
    merged(two, lin)
    suppression.withdraw(old, LATER)
    assert not suppression.consents(two[1].id, Purpose.UPDATES, campaign.id)


def test_chains_and_cycles_are_refused(two: tuple[Donor, Donor], lin: Staff) -> None:
    third = make.donor("ada@third.example")
    merged(two, lin)
    for donor, into, why in (
        (two[0], two[0], "same"),
        (two[1], two[1], "same"),
        (two[1], two[0], "merged"),
        (two[0], third, "merged"),
        (third, two[0], "merged"),
        (two[1], third, "merged into"),
    ):
        with pytest.raises(merging.NotMergeable) as refused:
            merging.merge(donor, into, LATER, lin)
        assert refused.value.why == why
    merging.merge(third, two[1], LATER, lin)
    assert {row.merged_into for row in (two[0], third)} == {two[1].id}


def test_whom_we_forgot_is_nobodys_double(two: tuple[Donor, Donor], lin: Staff) -> None:
    two[0].address = None
    db.session.commit()
    with pytest.raises(merging.NotMergeable):
        merging.preview(*two)


def test_merging_is_a_consent_of_staff_and_of_the_same_words(
    two: tuple[Donor, Donor], lin: Staff, campaign: Campaign
) -> None:
    said = make.consent(two[0], campaign, wording="follow-1")
    made = merged(two, lin)
    written = db.session.get_one(Consent, made.moved["consents"][0])
    assert (written.donor_id, written.source, written.wording) == (two[1].id, "staff", said.wording)
    assert db.session.scalars(select(Suppression)).all() == []
