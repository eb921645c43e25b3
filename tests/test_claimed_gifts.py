"""Claimed gifts: what a number leads to, and how a claim stays with its gift."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import func, select

from campaigns import claimed_gifts, claiming_gifts, ledger, merging
from campaigns.bookings import Booking
from campaigns.claimed_gifts import Verdict
from campaigns.claiming_gifts import NotYours
from campaigns.composition import Desk
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Claim, Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Door
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.claimed import NUMBER, gift, given_by
from tests.make import NOON

LATER = NOON + timedelta(hours=1)


def claim(of: Listing, number: str = NUMBER, email: str = "ada@example.org") -> GiftClaim:
    campaign = db.session.get_one(Campaign, of.campaign_id)
    claiming_gifts.ask(campaign, number, Address.parse(email), "en", NOON)
    db.session.commit()
    return db.session.scalars(select(GiftClaim).order_by(GiftClaim.id.desc()).limit(1)).one()


def confirm(one: GiftClaim) -> GiftClaim:
    letter = delivery_of(one)
    claiming_gifts.confirm(one, letter, NOON)
    db.session.commit()
    return one


def delivery_of(one: GiftClaim) -> Delivery:
    occasion = f"claim:{one.id}"
    return db.session.scalars(select(Delivery).where(Delivery.occasion == occasion)).one()


def verdict(one: GiftClaim) -> Verdict:
    return claimed_gifts.behind(one).verdict


@pytest.mark.parametrize("typed", ["ab-12 34", "ＡＢ-１２３４", " AB-1234\n", "Ab-1234"])
def test_a_number_is_known_however_it_was_typed(listing: Listing, typed: str) -> None:
    entry = gift(listing, "AB-1234", scheme="order", source="another shop")
    gift(listing, "elsewhere")
    number = claimed_gifts.plain(typed) or ""
    assert [found.id for found in claimed_gifts.numbered(number)] == [entry.id]


def test_a_gift_without_a_number_has_our_own_which_nobody_guesses(listing: Listing) -> None:
    entry = gift(listing)
    code = claimed_gifts.code(entry.id)
    assert claimed_gifts.plain(code) == code
    assert verdict(claim(listing, code.lower())) is Verdict.FREE
    forged = f"G{entry.id}-{'0' * 10}"
    assert verdict(claim(listing, forged)) is Verdict.UNKNOWN


def test_what_is_no_single_person_s_gift_is_unknown(listing: Listing) -> None:
    gift(listing, "gathered", donations=37)
    ledger.reverse(gift(listing, "taken-back"), "wrong", NOON)
    draft = make.listing(make.campaign(state=CampaignState.DRAFT))
    gift(draft, "in-a-draft")
    for number in ("gathered", "taken-back", "in-a-draft", "never"):
        assert verdict(claim(listing, number)) is Verdict.UNKNOWN


def test_of_gifts_with_one_number_that_of_the_page_s_campaign_is_meant(listing: Listing) -> None:
    entry = gift(listing, "1001")
    gift(make.listing(), "1001", source="another")
    assert claimed_gifts.behind(claim(listing, "1001")).entry is entry
    gift(listing, "1001", source="a third")
    assert verdict(claim(listing, "1001")) is Verdict.SEVERAL


def test_of_two_who_claim_one_gift_the_second_is_too_late(listing: Listing) -> None:
    entry = gift(listing)
    first, second = claim(listing), claim(listing, email="eve@example.org")
    assert verdict(second) is Verdict.FREE
    confirm(first)
    with pytest.raises(NotYours):
        confirm(second)
    db.session.rollback()
    assert db.session.get_one(Gift, entry.id).donor_id == first.donor_id
    assert not second.stands


def test_booking_a_gift_anew_keeps_whose_it_is(listing: Listing) -> None:
    entry, one = gift(listing), claim(listing)
    confirm(one)
    claiming_gifts.word(one, "Ada", None, NOON)
    booking = Booking(
        listing=listing, kind=entry.kind, amount=Money.parse("60.00 CNY"), occurred_at=NOON,
        source="shop", keys=(Key("trade", NUMBER),), door=Door.HAND, reason="a slip",
    )  # fmt: skip
    new = ledger.rebook(entry, booking, LATER)
    db.session.commit()
    assert claimed_gifts.behind(one).entry is new
    assert verdict(one) is Verdict.YOURS
    assert db.session.get_one(Gift, new.id).public_name == "Ada"


def test_a_gift_that_comes_again_by_another_entry_is_still_theirs(listing: Listing) -> None:
    """As when a file was undone, which releases its numbers, and is booked again."""
    entry = gift(listing, "A-1", scheme="order")
    one = confirm(claim(listing, claimed_gifts.code(entry.id)))
    claiming_gifts.word(one, "Ada", "Hello", NOON)
    ledger.reverse(entry, "the file was undone", NOON)
    for key in entry.keys:
        db.session.delete(key)
    db.session.commit()
    claiming_gifts.sweep(LATER)
    assert one.entry_id == entry.id
    again = gift(listing, "A-1", scheme="order")
    claiming_gifts.sweep(LATER)
    db.session.commit()
    assert one.entry_id == again.id
    row = db.session.get_one(Gift, again.id)
    assert (row.donor_id, row.public_name, row.message) == (one.donor_id, "Ada", "Hello")


def test_who_was_merged_keeps_their_gift(listing: Listing) -> None:
    gift(listing)
    one = confirm(claim(listing))
    merging.merge(one.donor, make.donor("ada@work.example.org"), NOON, make.staff())
    db.session.commit()
    assert verdict(one) is Verdict.YOURS
    assert verdict(claim(listing, email="ada@work.example.org")) is Verdict.YOURS


def test_what_staff_release_is_anonymous_and_can_be_claimed_by_another(listing: Listing) -> None:
    entry, one = gift(listing), claim(listing)
    confirm(one)
    claiming_gifts.word(one, "Eve", "Mine!", NOON)
    again, staff = confirm(claim(listing)), make.staff()
    assert claiming_gifts.is_seen(again, db.session.get_one(Gift, entry.id))
    for _ in range(2):
        claiming_gifts.release(again, "not hers", LATER, staff)
    db.session.commit()
    row = db.session.get_one(Gift, entry.id)
    assert (row.donor_id, row.public_name, row.show_name, row.message) == (None, None, False, None)
    released = select(func.count()).where(AuditRecord.action == "released gift")
    assert db.session.scalar(released) == 1
    other = confirm(claim(listing, email="grace@example.org"))
    assert other.stands
    assert not one.stands


def test_what_was_never_confirmed_is_forgotten(listing: Listing) -> None:
    gift(listing)
    kept, forgotten = confirm(claim(listing)), claim(listing, "unknown-number")
    claiming_gifts.sweep(NOON + claiming_gifts.UNCONFIRMED_KEPT + timedelta(minutes=1))
    db.session.commit()
    assert db.session.scalars(select(GiftClaim.id)).all() == [kept.id]
    assert forgotten.id != kept.id


def test_an_erased_donor_s_gift_is_no_one_else_s(listing: Listing) -> None:
    entry = gift(listing)
    row = given_by(entry, "gone@example.org")
    db.session.get_one(Donor, row.donor_id).address = None
    db.session.commit()
    assert verdict(claim(listing)) is Verdict.TAKEN


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (NUMBER, "Is it yours? Then press the button"),
        ("2026112200002", "This gift has been claimed before"),
        ("shared", "More than one gift goes by this number"),
        ("never", "We do not know this number, or not yet"),
    ],
)
def test_the_letter_says_what_the_page_does_not(listing: Listing, number: str, says: str) -> None:
    gift(listing)
    given_by(gift(listing, "2026112200002"), "somebody@example.org")
    gift(listing, "shared")
    gift(listing, "shared", source="another")
    plain, rich = _bodies(claim(listing, number))
    for body in (plain, rich):
        assert says in " ".join(body.split())
        assert ("/gift/tok" in body) is (number == NUMBER)
        # What a stranger typed is repeated to nobody.
        assert number not in body


def _bodies(one: GiftClaim) -> tuple[str, str]:
    letter = delivery_of(one)
    claimed = Claim(
        id=letter.id, by="me", token="tok", letter=letter.letter, occasion=letter.occasion,
        mailing_id=None, campaign_id=letter.campaign_id, entry_id=None, locale="en",
        to=Mailbox("", Address.parse("ada@example.org")), attempts=0, expires_at=LATER,
    )  # fmt: skip
    message = message_from_bytes(Desk().write(claimed, NOON).message, policy=policy.default)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    return plain.get_content(), rich.get_content()
