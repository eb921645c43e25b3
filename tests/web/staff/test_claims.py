"""Claimed gifts as staff see them."""

from collections.abc import Callable

from sqlalchemy import select

from campaigns import claiming_gifts
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests.claimed import NUMBER, gift
from tests.make import NOON
from tests.web.staff.conftest import Desk


def claim(listing: Listing, number: str, email: str) -> GiftClaim:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    claiming_gifts.ask(campaign, number, Address.parse(email), "en", NOON)
    db.session.commit()
    return db.session.scalars(select(GiftClaim).order_by(GiftClaim.id.desc()).limit(1)).one()


def confirm(one: GiftClaim) -> None:
    occasion = Delivery.occasion == f"claim:{one.id}"
    letter = db.session.scalars(select(Delivery).where(occasion)).one()
    claiming_gifts.confirm(one, letter, NOON)
    db.session.commit()


def test_staff_see_what_each_claim_leads_to(listing: Listing, desk: Callable[..., Desk]) -> None:
    gift(listing)
    confirm(claim(listing, NUMBER, "ada@example.org"))
    claim(listing, NUMBER, "eve@example.org")
    claim(listing, "no-such-number", "grace@example.org")
    page = desk(Role.TREASURER).get("/staff/claims").text
    rows = page.split("<tr id=")[1:]
    said = ["no gift has this number yet", "somebody else has the gift", "claimed"]
    assert [wanted in row for wanted, row in zip(said, rows, strict=True)] == [True] * 3


def test_a_gift_is_released_with_a_reason(listing: Listing, desk: Callable[..., Desk]) -> None:
    entry, one = gift(listing), claim(listing, NUMBER, "ada@example.org")
    confirm(one)
    staff = desk(Role.TREASURER)
    staff.post(f"/staff/claims/{one.id}/release", reason=" ")
    assert db.session.get_one(Gift, entry.id).donor_id is not None
    answer = staff.post(f"/staff/claims/{one.id}/release", reason="It was her sister's.")
    assert answer.status_code == 302
    assert db.session.get_one(Gift, entry.id).donor_id is None
    assert "released" in staff.get("/staff/claims").text
