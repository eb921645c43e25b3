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
from campaigns.model.suppression import Suppression, SuppressionCause
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


def test_who_withdrew_and_agrees_again_is_written_to_again() -> None:
    delivery = make.delivery()
    assert delivery.donor
    suppression.withdraw(delivery, LATER)
    agree(delivery.donor, db.session.get(Campaign, delivery.campaign_id), delivery.id)
    assert consents(delivery)
    newest = db.session.scalars(select(Consent).order_by(Consent.id.desc())).first()
    assert newest
    assert newest.delivery_id == delivery.id


def test_what_one_agrees_to_is_neither_another_s_word_nor_about_something_else() -> None:
    one, other, campaign = make.donor(), make.donor(), make.campaign()
    agree(one, campaign)
    agree(other, campaign)
    assert suppression.consents(other.id, Purpose.UPDATES, campaign.id)
    for purpose in (Purpose.RECEIPTS, Purpose.NEWSLETTER):
        suppression.agree(
            one, purpose, None, source=ConsentSource.FORM, wording="1", locale="en", now=LATER
        )
    assert suppression.consents(one.id, Purpose.NEWSLETTER, None)


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


def test_taking_back_says_what_is_taken_back_and_by_which_letter() -> None:
    delivery, other = make.delivery(locale="zh-Hans"), make.delivery()
    suppression.withdraw(delivery, LATER)
    [row] = db.session.scalars(select(Consent).where(Consent.given.is_(False)))
    assert (row.donor_id, row.wording, row.locale) == (delivery.donor_id, "1", "zh-Hans")
    assert (row.delivery_id, row.at) == (delivery.id, LATER)
    assert consents(other)


def test_those_who_would_be_written_to_are_counted_and_the_others_by_reason() -> None:
    kept, left, gone, merged = (make.delivery() for _ in range(4))
    about = kept.campaign_id
    for one in (left, gone, merged):
        assert one.donor
        agree(one.donor, db.session.get(Campaign, about))
    bystander = make.donor()
    suppression.suppress(left.address_hash, SuppressionCause.LEFT, NOON)
    assert gone.donor
    assert merged.donor
    gone.donor.address, merged.donor.merged_into = None, kept.donor_id
    unasked = make.donor()
    members = select(Donor.id).where(Donor.id.not_in([bystander.id]))
    assert suppression.tally(members, Purpose.UPDATES, about) == (
        1,
        {"merged": 1, "no address": 1, "no consent": 1, "suppressed": 1},
    )
    assert (
        suppression.tally(select(Donor.id).where(Donor.id == unasked.id), Purpose.UPDATES, about)[0]
        == 0
    )


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


def test_who_leaves_everything_leaves_with_every_address_of_theirs_and_nobody_else() -> None:
    delivery, other, stranger = make.delivery(), make.donor(), make.delivery()
    assert delivery.donor
    other.merged_into = delivery.donor.id
    suppression.leave_everything(delivery, LATER)
    assert suppression.forbids(other.address_hash or "", Purpose.UPDATES)
    assert not forbids(stranger)
    assert consents(stranger)
    left = select(Suppression.address_hash, Suppression.delivery_id)
    assert {tuple(row) for row in db.session.execute(left)} == {
        (delivery.address_hash, delivery.id),
        (other.address_hash, delivery.id),
    }


def test_who_leaves_everything_is_not_thanked_again_where_they_ask_for_news_later() -> None:
    delivery = make.delivery()
    assert delivery.donor_id
    suppression.leave_everything(delivery, LATER)
    assert not suppression.consents(delivery.donor_id, Purpose.RECEIPTS, None)


def test_an_address_that_was_erased_meanwhile_is_left_all_the_same() -> None:
    delivery, erased = make.delivery(), make.donor()
    erased.address, erased.address_hash, erased.merged_into = None, None, delivery.donor_id
    suppression.leave_everything(delivery, LATER)
    assert list(db.session.scalars(select(Suppression.address_hash))) == [delivery.address_hash]


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


def test_a_letter_s_link_does_not_bring_back_who_left_since_it_was_written() -> None:
    before, after = make.delivery(created_at=NOON), make.delivery(created_at=LATER)
    for letter in (before, after):
        assert not suppression.left_since(letter)
    moment = NOON + timedelta(hours=1)
    suppression.withdraw(before, moment)
    suppression.withdraw(after, moment)
    assert suppression.left_since(before)
    assert not suppression.left_since(after), "it was written to one who had asked again"


def test_who_left_everything_has_left_since_but_a_bounce_is_no_leaving() -> None:
    left, bounced = make.delivery(created_at=NOON), make.delivery(created_at=NOON)
    suppression.suppress(bounced.address_hash, SuppressionCause.BOUNCED, LATER)
    suppression.suppress(left.address_hash, SuppressionCause.LEFT, LATER)
    assert suppression.left_since(left)
    assert not suppression.left_since(bounced)
    left.created_at = LATER + timedelta(seconds=1)
    assert not suppression.left_since(left)


def test_who_withdrew_something_else_has_not_left_since() -> None:
    letter, news = make.delivery(created_at=NOON), make.delivery(created_at=NOON)
    for purpose, about in ((Purpose.NEWSLETTER, None), (Purpose.UPDATES, make.campaign().id)):
        assert letter.donor
        suppression.agree(
            letter.donor,
            purpose,
            about,
            source=ConsentSource.FORM,
            wording="1",
            locale="en",
            now=NOON,
        )
        suppression.decline(letter, purpose, about, LATER)
    assert not suppression.left_since(letter)
    news.campaign_id, news.donor_id, news.address_hash = None, letter.donor_id, letter.address_hash
    assert suppression.left_since(news), "a letter about no campaign asks about the newsletter"
