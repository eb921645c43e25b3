"""A gift that two people claim: staff see it, and decide whose it is."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from campaigns import claimed_gifts, merging
from campaigns.claimed_gifts import Verdict
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests import make
from tests.claimed import NUMBER, gift, given_by
from tests.make import NOON
from tests.web.staff.conftest import Desk
from tests.web.staff.test_claims import claim, confirm


@pytest.fixture
def entry(listing: Listing) -> Entry:
    return gift(listing)


@pytest.fixture
def adas(listing: Listing, entry: Entry) -> GiftClaim:
    """Ada claimed the gift."""
    one = claim(listing, NUMBER, "ada@example.org")
    confirm(one)
    return one


@pytest.fixture
def eves(listing: Listing, adas: GiftClaim) -> GiftClaim:
    """So does Eve, now."""
    return claim(listing, NUMBER, "eve@example.org")


def owner(of: Entry) -> str | None:
    db.session.expire_all()
    donor_id = db.session.get_one(Gift, of.id).donor_id
    return db.session.get_one(Donor, donor_id).address if donor_id else None


def test_it_waits_on_the_first_page_of_those_who_see_donors(
    eves: GiftClaim, desk: Callable[..., Desk]
) -> None:
    page = desk(Role.TREASURER).get("/staff").text
    assert "Contested gift" in page
    assert "/staff/claims?contested=1" in page
    assert "Contested gift" not in desk(Role.FUNDRAISER).get("/staff").text


def test_a_claim_that_nobody_disputes_waits_for_nobody(
    listing: Listing, adas: GiftClaim, treasurer: Desk
) -> None:
    claim(listing, NUMBER, "ada@example.org")
    claim(listing, "no-such-number", "eve@example.org")
    assert claimed_gifts.contested() == []
    assert "No gift is contested" in treasurer.get("/staff/claims?contested=1").text


def test_a_code_that_we_printed_is_disputed_as_well(
    listing: Listing, entry: Entry, adas: GiftClaim
) -> None:
    other = claim(listing, claimed_gifts.code(entry.id).lower(), "eve@example.org")
    assert claimed_gifts.contested() == [(other, entry)]


def test_the_page_says_whose_it_is_and_what_can_be_done(
    eves: GiftClaim, adas: GiftClaim, treasurer: Desk
) -> None:
    page = treasurer.get("/staff/claims?contested=1").text
    assert page.count('id="claim-') == 2  # the card and its heading
    assert f"/staff/donors/merges/{eves.donor_id}/{adas.donor_id}" in page
    assert f"/staff/claims/{eves.id}/hand-over" in page
    assert f"/staff/claims/{eves.id}/turn-down" in page


def test_the_new_one_gets_a_letter_and_the_gift_by_its_button(
    eves: GiftClaim, entry: Entry, treasurer: Desk
) -> None:
    treasurer.post(f"/staff/claims/{eves.id}/hand-over", reason="She has the receipt.")
    assert owner(entry) is None
    [anew] = db.session.scalars(select(GiftClaim).where(GiftClaim.confirmed_at.is_(None)))
    letters = select(Delivery).where(Delivery.occasion == f"claim:{anew.id}")
    assert db.session.scalars(letters).one().donor_id == anew.donor_id
    confirm(anew)
    assert owner(entry) == "eve@example.org"
    assert claimed_gifts.contested() == []


def test_the_first_one_keeps_it(
    listing: Listing, eves: GiftClaim, entry: Entry, treasurer: Desk
) -> None:
    claim(listing, NUMBER, "eve@example.org")
    treasurer.post(f"/staff/claims/{eves.id}/turn-down", reason="He guessed.")
    assert owner(entry) == "ada@example.org"
    assert claimed_gifts.contested() == []
    record = AuditRecord.action == "turned down claim"
    [said] = db.session.scalars(select(AuditRecord).where(record))
    assert (said.subject_id, said.changes["reason"]) == (entry.id, [None, "He guessed."])


@pytest.mark.parametrize("what", ["hand-over", "turn-down"])
def test_nothing_is_decided_without_a_reason(
    eves: GiftClaim, entry: Entry, treasurer: Desk, what: str
) -> None:
    treasurer.post(f"/staff/claims/{eves.id}/{what}", reason=" ")
    assert owner(entry) == "ada@example.org"
    assert len(claimed_gifts.contested()) == 1


def test_one_person_at_two_addresses_disputes_nothing(eves: GiftClaim, adas: GiftClaim) -> None:
    eve, ada = (db.session.get_one(Donor, one.donor_id) for one in (eves, adas))
    merging.merge(eve, ada, NOON, make.staff(None, Role.TREASURER))
    assert claimed_gifts.behind(eves).verdict is Verdict.YOURS
    assert claimed_gifts.contested() == []


def test_what_came_with_its_givers_address_is_nobodys_to_hand_over(
    listing: Listing, entry: Entry, treasurer: Desk
) -> None:
    given_by(entry, "ada@example.org")
    other = claim(listing, NUMBER, "eve@example.org")
    assert "hand-over" not in treasurer.get("/staff/claims?contested=1").text
    treasurer.post(f"/staff/claims/{other.id}/hand-over", reason="She has the receipt.")
    assert owner(entry) == "ada@example.org"
