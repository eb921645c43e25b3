"""A notice is booked within its endpoint's bounds, whole or not at all; its giver is thanked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import intake, notices, suppression
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignSlug
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKind, MatchStage
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.money import Money
from campaigns.notices import Came, Outcome
from campaigns.platforms.base import Giver, Key, Kind, Movement
from tests import make
from tests.books import totals_agree
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
ADA = Giver(name="Ada", email="Ada@Example.org", locale="en-GB")


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign("spring-2026")


@pytest.fixture
def listing(campaign: Campaign) -> Listing:
    return make.listing(campaign, external_id="224001")


@pytest.fixture
def endpoint(listing: Listing) -> WebhookEndpoint:
    return make.endpoint("lianquan", listing=listing)


@pytest.fixture(autouse=True)
def _agreed(app: Flask) -> Iterator[None]:
    yield
    assert totals_agree()


def movement(number: str = "1", **more: Any) -> Movement:
    given: dict[str, Any] = {
        "kind": Kind.DONATION,
        "amount": Money.parse("10.50 CNY"),
        "occurred_at": NOON,
        "keys": (Key(str(more.get("kind", "trade")).replace("donation", "trade"), number),),
    }
    return Movement(**given | more)


def booked(endpoint: WebhookEndpoint, *movements: Movement, event_id: str = "evt") -> Outcome:
    kept = notices.take(endpoint, Came(event_id, str(movements).encode(), {}, NOON))
    outcome = intake.book(kept.notice_id, endpoint, movements, NOON)
    db.session.commit()
    return outcome


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def one(noun: type[Any]) -> Any:
    return db.session.scalars(select(noun)).one()


def test_an_endpoint_of_a_listing_books_there(endpoint: WebhookEndpoint, listing: Listing) -> None:
    make.listing(db.session.get_one(Campaign, listing.campaign_id))
    for number, ref in enumerate((None, "224001", "spring-2026")):
        outcome = booked(endpoint, movement(str(number), campaign_ref=ref), event_id=str(number))
        assert outcome.verdict is Verdict.BOOKED
    assert {entry.listing_id for entry in entries()} == {listing.id}


def test_an_endpoint_of_a_campaign_books_to_the_listing_named(
    campaign: Campaign, listing: Listing
) -> None:
    make.listing(campaign, external_id="other")
    endpoint = make.endpoint(campaign=campaign)
    assert booked(endpoint, movement(campaign_ref="224001")).verdict is Verdict.BOOKED
    assert entries()[0].listing_id == listing.id


@pytest.mark.parametrize("ref", [None, "spring-2026", "spring-2025"])
def test_a_campaign_with_one_listing_needs_no_better_name(
    campaign: Campaign, listing: Listing, ref: str | None
) -> None:
    db.session.add(CampaignSlug(slug="spring-2025", campaign_id=campaign.id))
    endpoint = make.endpoint(campaign=campaign)
    assert booked(endpoint, movement(campaign_ref=ref)).verdict is Verdict.BOOKED
    assert entries()[0].listing_id == listing.id


@pytest.mark.parametrize("ref", [None, "spring-2026", "twin"])
def test_where_several_listings_could_be_meant_a_person_decides(
    campaign: Campaign, listing: Listing, ref: str | None
) -> None:
    make.listing(campaign, external_id="twin")
    make.listing(campaign, external_id="twin", platform="foundation")
    outcome = booked(make.endpoint(campaign=campaign), movement(campaign_ref=ref))
    assert outcome.verdict is Verdict.UNMATCHED
    assert "listings could be meant" in outcome.reason
    assert entries() == []


@pytest.mark.parametrize("ref", ["elsewhere", "999", "no such thing"])
def test_outside_its_bounds_an_endpoint_books_nothing(
    campaign: Campaign, listing: Listing, ref: str
) -> None:
    make.listing(make.campaign("elsewhere"), external_id="999")
    for bounds in ({"campaign": campaign}, {"listing": listing}):
        outcome = booked(make.endpoint(**bounds), movement(campaign_ref=ref))
        assert outcome.verdict is Verdict.UNMATCHED
    assert entries() == []
    assert one_reason() == "campaign_ref names no campaign or listing that this endpoint books to."


def test_what_came_with_a_payment_says_where_it_belongs(
    campaign: Campaign, listing: Listing
) -> None:
    other, endpoint = make.listing(campaign), make.endpoint("shop", campaign=campaign)
    make.placement(other, "A-", source="shop")
    booked(endpoint, movement("1", passed="224001"), event_id="a")
    booked(endpoint, movement(keys=(Key("trade", "2"), Key("order", "A-17"))), event_id="b")
    assert [entry.listing_id for entry in entries()] == [listing.id, other.id]
    elsewhere = booked(make.endpoint(listing=listing), movement("3", elsewhere=True))
    assert elsewhere.verdict is Verdict.UNMATCHED


def one_reason() -> str | None:
    (reason,) = set(db.session.scalars(select(Notice.reason)))
    return reason


def test_a_campaign_without_listings_books_nothing(campaign: Campaign) -> None:
    endpoint = make.endpoint(campaign=campaign)
    assert booked(endpoint, movement()).verdict is Verdict.UNMATCHED


def test_another_currency_is_booked_as_it_is(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement(amount=Money.parse("10.50 USD")))
    assert str(entries()[0].amount) == "10.50 USD"


def test_an_entry_knows_where_it_came_from(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement("R-1", kind=Kind.REFUND, refunds=Key("trade", "LQ-1")))
    entry = entries()[0]
    assert (entry.kind, entry.regards) == (EntryKind.REFUND, "trade:LQ-1")
    assert (entry.source, entry.door, entry.notice_id) == ("lianquan", "webhook", one(Notice).id)


def test_a_confirmed_match_counts(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement(kind=Kind.MATCH))
    assert (entries()[0].stage, entries()[0].counted) == (MatchStage.CONFIRMED, True)


def test_a_notice_of_two_movements_is_booked_whole_or_not_at_all(
    endpoint: WebhookEndpoint,
) -> None:
    outcome = booked(endpoint, movement("1"), movement("2", campaign_ref="elsewhere"))
    assert (outcome.verdict, entries()) == (Verdict.UNMATCHED, [])
    assert booked(endpoint, movement("1"), movement("2")).verdict is Verdict.BOOKED
    assert len(entries()) == 2


def test_a_donor_who_gave_an_address_gets_one_letter_per_donation(
    endpoint: WebhookEndpoint,
) -> None:
    for event_id in ("a", "b", "c"):
        booked(endpoint, movement("1", donor=ADA), event_id=event_id)
    letter = one(Delivery)
    entry = entries()[0]
    assert (letter.letter, letter.purpose) == (LetterKind.THANKS, Purpose.RECEIPTS)
    assert (letter.occasion, letter.entry_id) == (f"entry:{entry.id}", entry.id)
    assert (letter.locale, letter.campaign_id) == ("en", entry.campaign_id)
    booked(endpoint, movement("2", donor=ADA), event_id="d")
    assert len(db.session.scalars(select(Delivery)).all()) == 2
    assert one(Donor).address == "ada@example.org"


def test_refunds_are_not_thanked_for(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement(kind=Kind.REFUND, donor=ADA))
    assert db.session.scalars(select(Delivery)).all() == []


def test_donors_are_anonymous_unless_they_chose_otherwise(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement(donor=ADA, message="加油"))
    gift = one(Gift)
    assert (gift.show_name, gift.public_name, gift.message) == (False, "Ada", "加油")
    assert gift.moderation is Moderation.WAITING


def test_a_donor_may_be_named_in_public(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement(donor=Giver(name="Ada", public_name=True)))
    gift = one(Gift)
    assert (gift.show_name, gift.donor_id) == (True, None)


def test_who_says_nothing_leaves_no_gift(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement(donor=Giver()))
    assert db.session.scalars(select(Gift)).all() == []


def test_a_long_message_is_cut(endpoint: WebhookEndpoint) -> None:
    booked(endpoint, movement(message="好" * 2000))
    assert one(Gift).message == "好" * 1000


@pytest.mark.parametrize("email", ["nonsense", "a@b@c", "ada@", "ada@example.org\r\nBcc: x@y.z"])
def test_an_address_that_is_none_does_not_stop_the_money(
    endpoint: WebhookEndpoint, email: str
) -> None:
    booked(endpoint, movement(donor=Giver(name="Ada", email=email)))
    assert len(entries()) == 1
    assert db.session.scalars(select(Donor)).all() == []


def test_updates_are_agreed_to_only_by_who_said_so(
    endpoint: WebhookEndpoint, campaign: Campaign
) -> None:
    booked(endpoint, movement("1", donor=ADA), event_id="a")
    assert not suppression.consents(one(Donor).id, Purpose.UPDATES, campaign.id)
    willing = Giver(email="ada@example.org", updates=True)
    booked(endpoint, movement("2", donor=willing), event_id="b")
    consent = one(Consent)
    assert (consent.campaign_id, consent.source) == (campaign.id, ConsentSource.WEBHOOK)
    assert consent.wording == "webhook:lianquan"


def test_a_notice_kept_is_booked_again_from_its_body(endpoint: WebhookEndpoint) -> None:
    body = (
        b'{"type":"donation.succeeded","timestamp":"2026-11-22T12:00:00+08:00",'
        b'"data":{"external_id":"LQ-1","amount":"10.50","currency":"CNY"}}'
    )
    kept = notices.take(endpoint, Came("evt", body, {}, NOON))
    notice = db.session.get_one(Notice, kept.notice_id)
    for _ in range(2):
        assert intake.again(notice, NOON + timedelta(days=1)).verdict is Verdict.BOOKED
    assert [entry.occurred_at for entry in entries()] == [NOON]


@pytest.mark.parametrize("body", [None, b"no longer readable"])
def test_a_notice_that_cannot_be_read_again_is_left_to_a_person(
    endpoint: WebhookEndpoint, body: bytes | None
) -> None:
    kept = notices.take(endpoint, Came("evt", body or b"", {}, NOON))
    notice = db.session.get_one(Notice, kept.notice_id)
    if body is None:
        notice.body = None
    outcome = intake.again(notice, NOON)
    db.session.refresh(notice)
    assert (notice.verdict, notice.reason) == (Verdict.FAILED, outcome.reason)
    assert outcome.reason.startswith("Its body was deleted" if body is None else "The body")


def test_postponing_waits_longer_each_time_and_gives_up(endpoint: WebhookEndpoint) -> None:
    kept = notices.take(endpoint, Came("evt", b"{}", {}, NOON))
    notice = db.session.get_one(Notice, kept.notice_id)
    waits = []
    while notices.postpone(notice.id, "OperationalError", NOON).verdict is Verdict.WAITING:
        assert notice.next_try_at is not None
        waits.append(notice.next_try_at - NOON)
    assert waits == sorted(set(waits))
    assert (len(waits), waits[0], waits[-1]) == (8, timedelta(seconds=10), timedelta(days=1))
    assert (notice.verdict, notice.next_try_at) == (Verdict.FAILED, None)


def test_what_is_due_is_what_waits(endpoint: WebhookEndpoint) -> None:
    kept = notices.take(endpoint, Came("evt", b"{}", {}, NOON))
    notices.postpone(kept.notice_id, "a fault", NOON)
    assert notices.due(NOON) is None
    found = notices.due(NOON + timedelta(seconds=10))
    assert found is not None
    assert found.id == kept.notice_id
    notices.settle(found.id, intake.BOOKED)
    assert notices.due(NOON + timedelta(days=9)) is None


def test_what_a_wrong_clock_put_off_for_years_is_due(endpoint: WebhookEndpoint) -> None:
    kept = notices.take(endpoint, Came("evt", b"{}", {}, NOON))
    notices.postpone(kept.notice_id, "a fault", NOON + timedelta(days=400))
    found = notices.due(NOON)
    assert found is not None
    assert found.id == kept.notice_id
