"""What staff enter themselves is booked once, counted as it is said, and thanked for if wished."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import bounds, byhand, figures, given_directly, ledger, progress
from campaigns.bookings import Booking
from campaigns.byhand import BadAmount, BadGiver, Known, Movement, NotYet
from campaigns.db import db
from campaigns.freshness import Freshness
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, Way
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Giver, Key
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
TOKEN = "one-form-of-many"


@pytest.fixture
def by(app: Flask) -> Staff:
    return make.staff()


@pytest.fixture
def listing(by: Staff) -> Listing:
    return given_directly.listing(make.campaign(), NOON, by)


def movement(listing: Listing, **more: Any) -> Movement:
    given: dict[str, Any] = {
        "listing": listing,
        "kind": EntryKind.DONATION,
        "amount": Money.parse("500.00 CNY"),
        "occurred_at": NOON - timedelta(hours=3),
        "way": Way.CASH,
    }
    return Movement(**given | more)


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def test_a_gift_is_booked_as_it_was_written_down(listing: Listing, by: Staff) -> None:
    given = movement(listing, donations=37, note="the box at the spring fair")
    booked = byhand.book(given, TOKEN, NOON, by)
    entry = db.session.get_one(Entry, booked.entry_id)
    assert (entry.amount, entry.donations, entry.way) == (given.amount, 37, Way.CASH)
    assert (entry.door, entry.source, entry.staff_id) == (Door.HAND, "hand", by.id)
    assert (entry.occurred_at, entry.booked_at) == (NOON - timedelta(hours=3), NOON)
    assert entry.reason == "the box at the spring fair"
    assert figures.published(listing) == given.amount


def test_a_form_that_is_sent_twice_books_once(listing: Listing, by: Staff) -> None:
    first = byhand.book(movement(listing), TOKEN, NOON, by)
    again = byhand.book(movement(listing), TOKEN, NOON, by)
    assert (again.entry_id, again.already) == (first.entry_id, True)
    make.endpoint(listing=listing, source="alipay:2088")
    for change in ({"amount": Money.parse("1.00 CNY")}, {"source": "alipay:2088"}):
        other = byhand.book(movement(listing, **change), TOKEN, NOON, by)
        assert (other.entry_id, other.already) == (first.entry_id, True)
    assert len(entries()) == 1


def test_two_forms_are_two_gifts(listing: Listing, by: Staff) -> None:
    byhand.book(movement(listing), TOKEN, NOON, by)
    assert not byhand.book(movement(listing), "another-form-of-many", NOON, by).already
    assert len(entries()) == 2


def test_a_button_pressed_many_times_at_once_books_once(
    app: Flask, listing: Listing, by: Staff
) -> None:
    listing_id, by_id = listing.id, by.id
    db.session.commit()

    def press(_: int) -> int:
        with app.app_context():
            found, who = db.session.get_one(Listing, listing_id), db.session.get_one(Staff, by_id)
            giver = Giver(email="ada@example.org")
            given = movement(found, reference="B-1", giver=giver, thank=True)
            booked = byhand.book(given, TOKEN, NOON, who)
            db.session.commit()
            return booked.entry_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(press, range(8)))) == 1
    assert len(entries()) == len(list(db.session.scalars(select(Delivery)))) == 1


def test_a_bank_s_number_is_booked_once_whichever_form_it_stands_in(
    listing: Listing, by: Staff
) -> None:
    first = byhand.book(movement(listing, reference="B-1"), TOKEN, NOON, by)
    with pytest.raises(Known, match=f" {first.entry_id} "):
        byhand.book(movement(listing, reference="B-1"), "another-form-of-many", NOON, by)
    db.session.rollback()


def test_what_a_webhook_booked_is_known_by_hand_and_the_other_way_round(
    listing: Listing, by: Staff
) -> None:
    given = movement(listing, source="alipay:2088", reference="2026112222001")
    posted = Booking(
        listing=listing,
        kind=given.kind,
        amount=given.amount,
        occurred_at=NOON,
        source="alipay:2088",
        keys=(Key("trade", "2026112222001"), Key("order", "A-17")),
        door=Door.WEBHOOK,
    )
    booked = byhand.book(given, TOKEN, NOON, by)
    assert ledger.book(posted, NOON).entry_id == booked.entry_id
    with pytest.raises(Known):
        byhand.book(given, "another-form-of-many", NOON, by)


def test_a_number_that_was_taken_back_says_so(listing: Listing, by: Staff) -> None:
    booked = byhand.book(movement(listing, reference="B-1"), TOKEN, NOON, by)
    ledger.reverse(entries()[0], "never arrived", NOON)
    with pytest.raises(Known, match=f" {booked.entry_id} .*冲销"):
        byhand.book(movement(listing, reference="B-1"), "another-form-of-many", NOON, by)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"occurred_at": NOON + timedelta(minutes=1)}, NotYet),
        ({"amount": Money(0, "CNY")}, BadAmount),
        ({"amount": Money(-100, "CNY")}, BadAmount),
        ({"amount": Money(10**14 + 1, "CNY")}, BadAmount),
        ({"giver": Giver(email="ada@")}, BadGiver),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    listing: Listing, by: Staff, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        byhand.book(movement(listing, **wrong), TOKEN, NOON, by)
    assert entries() == []
    assert list(db.session.scalars(select(Gift))) == []


def test_thanks_go_to_an_address_only_if_wished(listing: Listing, by: Staff) -> None:
    giver = Giver(name="Ada", email="Ada@Example.org")
    byhand.book(movement(listing, giver=giver), "quiet-form-of-many", NOON, by)
    assert list(db.session.scalars(select(Delivery))) == []
    booked = byhand.book(movement(listing, giver=giver, thank=True), TOKEN, NOON, by)
    byhand.book(movement(listing, giver=giver, thank=True), TOKEN, NOON, by)
    byhand.book(movement(listing, giver=Giver(name="Bo"), thank=True), "form-of-nobody", NOON, by)
    letter = db.session.scalars(select(Delivery)).one()
    assert (letter.entry_id, letter.occasion) == (booked.entry_id, f"entry:{booked.entry_id}")
    donor = db.session.scalars(select(Donor)).one()
    assert (donor.address, donor.name) == ("ada@example.org", "Ada")


def test_name_and_message_are_hidden_unless_it_was_said(listing: Listing, by: Staff) -> None:
    giver = Giver(name="Ada")
    byhand.book(movement(listing, giver=giver, message="for books"), TOKEN, NOON, by)
    shown = Giver(name="Bo", public_name=True)
    said = movement(listing, giver=shown, message="for lamps", show_message=True)
    byhand.book(said, "another-form-of-many", NOON, by)
    gifts = db.session.scalars(select(Gift).order_by(Gift.entry_id)).all()
    assert [(gift.show_name, gift.moderation) for gift in gifts] == [
        (False, Moderation.WAITING),
        (True, Moderation.SHOWN),
    ]


def test_a_payout_changes_no_figure(listing: Listing, by: Staff) -> None:
    byhand.book(movement(listing, kind=EntryKind.PAYOUT, reference="S-1"), TOKEN, NOON, by)
    assert figures.published(listing) is None
    assert (
        db.session.scalars(select(EntryKey).where(EntryKey.scheme == "line")).one().value == "S-1"
    )


def test_who_booked_it_is_on_record(listing: Listing, by: Staff) -> None:
    booked = byhand.book(movement(listing), TOKEN, NOON, by)
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.subject == "entry")).one()
    assert (record.subject_id, record.staff_id) == (booked.entry_id, by.id)


def test_a_campaign_has_one_listing_for_what_is_given_directly(by: Staff) -> None:
    campaign = make.campaign()
    first = given_directly.listing(campaign, NOON, by)
    assert given_directly.listing(campaign, NOON, by) is first
    assert (first.rule, first.asking, first.url) == (Rule.ITEMISED, Asking.BY_HAND, "")


def test_two_who_need_it_first_at_once_get_the_same_one(app: Flask, by: Staff) -> None:
    campaign_id, by_id = make.campaign().id, by.id
    db.session.commit()

    def need(_: int) -> int:
        with app.app_context():
            campaign, who = (
                db.session.get_one(Campaign, campaign_id),
                db.session.get_one(Staff, by_id),
            )
            found = given_directly.listing(campaign, NOON, who).id
            db.session.commit()
            return found

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(need, range(8)))) == 1


def test_a_webhook_of_the_campaign_does_not_take_it_for_a_platform(
    listing: Listing, by: Staff
) -> None:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    platform = make.listing(campaign)
    assert bounds.place(make.endpoint(campaign=campaign), bounds.Named()).id == platform.id
    assert bounds.place(make.endpoint(listing=listing), bounds.Named()).id == listing.id


def test_what_is_given_directly_is_dated_by_its_newest_gift(listing: Listing, by: Staff) -> None:
    campaign = listing.campaign_id
    make.endpoint(heard_at=NOON, campaign=db.session.get_one(Campaign, campaign))
    byhand.book(movement(listing), TOKEN, NOON, by)
    shown = progress.of(db.session.get_one(Campaign, campaign), NOON + timedelta(days=9))
    assert shown.listings[0].freshness is Freshness.BY_HAND
    assert shown.listings[0].as_of == NOON - timedelta(hours=3)
