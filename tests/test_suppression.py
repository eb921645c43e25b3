"""May we write: consent per purpose, suppression, and what lifts them."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from campaigns import suppression
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.suppression import SuppressionCause
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
LATER = NOON + timedelta(days=1)


def agree(donor: Donor, campaign: Campaign | None, delivery_id: int | None = None) -> None:
    suppression.agree(
        donor,
        Purpose.UPDATES if campaign else Purpose.NEWSLETTER,
        campaign.id if campaign else None,
        source=ConsentSource.FORM,
        wording="1",
        locale="en",
        now=LATER,
        delivery_id=delivery_id,
    )


def rows() -> int:
    return db.session.scalar(select(func.count()).select_from(Consent)) or 0


def consents(delivery: Delivery) -> bool:
    assert delivery.donor_id
    return suppression.consents(delivery.donor_id, delivery.purpose, delivery.campaign_id)


def forbids(delivery: Delivery) -> bool:
    return suppression.forbids(delivery.address_hash, delivery.purpose)


def test_nobody_consents_to_updates_unasked() -> None:
    donor, campaign = make.donor(), make.campaign()
    assert not suppression.consents(donor.id, Purpose.UPDATES, campaign.id)
    agree(donor, campaign)
    assert suppression.consents(donor.id, Purpose.UPDATES, campaign.id)


def test_consent_to_one_campaign_is_none_to_another_nor_to_the_newsletter() -> None:
    donor = make.donor()
    agree(donor, make.campaign())
    assert not suppression.consents(donor.id, Purpose.UPDATES, make.campaign().id)
    assert not suppression.consents(donor.id, Purpose.NEWSLETTER, None)


def test_agreeing_twice_leaves_one_row() -> None:
    donor, campaign = make.donor(), make.campaign()
    agree(donor, campaign)
    agree(donor, campaign)
    assert rows() == 1


def test_thanks_need_no_consent_until_they_are_declined() -> None:
    delivery = make.delivery()
    donor = delivery.donor
    assert donor
    assert suppression.consents(donor.id, Purpose.RECEIPTS, delivery.campaign_id)
    delivery.purpose = Purpose.RECEIPTS
    suppression.withdraw(delivery, LATER)
    assert not suppression.consents(donor.id, Purpose.RECEIPTS, delivery.campaign_id)
    assert suppression.consents(donor.id, Purpose.UPDATES, delivery.campaign_id)


def test_one_tap_withdraws_the_purpose_of_the_letter_and_a_second_changes_nothing() -> None:
    delivery = make.delivery()
    suppression.withdraw(delivery, LATER)
    suppression.withdraw(delivery, LATER)
    assert not consents(delivery)
    assert not forbids(delivery)
    assert rows() == 2  # what was agreed to, and that it was withdrawn


def test_who_was_merged_leaves_as_the_one_they_became() -> None:
    delivery, other = make.delivery(), make.donor()
    agree(other, db.session.get(Campaign, delivery.campaign_id))
    assert delivery.donor
    delivery.donor.merged_into = other.id
    suppression.withdraw(delivery, LATER)
    assert not suppression.consents(other.id, Purpose.UPDATES, delivery.campaign_id)


def test_leaving_everything_stops_all_but_service_letters() -> None:
    delivery = make.delivery()
    suppression.leave_everything(delivery, LATER)
    suppression.leave_everything(delivery, LATER)
    assert forbids(delivery)
    assert suppression.forbids(delivery.address_hash, Purpose.RECEIPTS)
    assert not suppression.forbids(delivery.address_hash, Purpose.SERVICE)


@pytest.mark.parametrize(
    ("cause", "service_too"),
    [
        (SuppressionCause.BOUNCED, True),
        (SuppressionCause.COMPLAINED, False),
        (SuppressionCause.STAFF, False),
    ],
)
def test_a_suppressed_address_gets_nothing(cause: SuppressionCause, service_too: bool) -> None:
    delivery = make.delivery()
    suppression.suppress(delivery.address_hash, cause, NOON)
    suppression.suppress(delivery.address_hash, cause, LATER)
    assert forbids(delivery)
    assert suppression.forbids(delivery.address_hash, Purpose.SERVICE) is service_too


def test_asking_again_by_a_confirmed_letter_lifts_leaving_but_gives_nothing_else_back() -> None:
    delivery = make.delivery()
    donor, other = delivery.donor, make.campaign()
    assert donor
    suppression.leave_everything(delivery, LATER)
    agree(donor, other, delivery_id=delivery.id)
    assert not forbids(delivery)
    assert suppression.consents(donor.id, Purpose.UPDATES, other.id)
    assert not consents(delivery)


def test_saying_yes_unconfirmed_does_not_lift_leaving() -> None:
    delivery = make.delivery()
    assert delivery.donor
    suppression.leave_everything(delivery, LATER)
    agree(delivery.donor, make.campaign())
    assert forbids(delivery)


def test_asking_again_never_lifts_a_bounce() -> None:
    delivery = make.delivery()
    assert delivery.donor
    suppression.suppress(delivery.address_hash, SuppressionCause.BOUNCED, NOON)
    agree(delivery.donor, make.campaign(), delivery_id=delivery.id)
    assert forbids(delivery)


def test_a_letter_to_staff_withdraws_nothing() -> None:
    staff = make.staff()
    letter = make.delivery()
    letter.donor_id, letter.staff_id, letter.purpose = None, staff.id, Purpose.SERVICE
    before = rows()
    suppression.withdraw(letter, LATER)
    suppression.leave_everything(letter, LATER)
    assert rows() == before
    assert not forbids(letter)
