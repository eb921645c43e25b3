"""Money that names no listing goes where a person's rules say, or where its donation went."""

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import delete, literal, select, union_all

from campaigns import bookings, bounds, ledger
from campaigns.bounds import Named
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignSlug
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.placement import PlacedBy, Placement
from campaigns.money import Money
from campaigns.platforms import offline
from campaigns.platforms.base import Key
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign("spring")


@pytest.fixture
def two(campaign: Campaign) -> tuple[Listing, Listing]:
    return make.listing(campaign), make.listing(campaign)


@pytest.fixture
def endpoint(campaign: Campaign, two: tuple[Listing, Listing]) -> WebhookEndpoint:
    return make.endpoint("shop", campaign=campaign)


@pytest.mark.parametrize("ref", [None, "desks", "spring", "spring-2025"])
def test_what_an_endpoint_of_a_listing_books_belongs_there(
    campaign: Campaign, two: tuple[Listing, Listing], ref: str | None
) -> None:
    listing = make.listing(campaign, external_id="desks")
    db.session.add(CampaignSlug(slug="spring-2025", campaign_id=campaign.id))
    assert bounds.place(make.endpoint(listing=listing), Named(ref)) == listing


@pytest.mark.parametrize("ref", ["autumn", "chairs", "no such thing"])
def test_what_names_something_else_belongs_to_none_of_an_endpoints_listings(
    campaign: Campaign, ref: str
) -> None:
    only = make.listing(campaign)
    make.listing(make.campaign("autumn"), external_id="chairs")
    for endpoint in (make.endpoint(listing=only), make.endpoint(campaign=campaign)):
        with pytest.raises(bounds.Unmatched, match="^campaign_ref names no campaign or listing"):
            bounds.place(endpoint, Named(ref))


@pytest.mark.parametrize("ref", [None, "spring"])
def test_a_campaigns_only_listing_needs_no_better_name(campaign: Campaign, ref: str | None) -> None:
    make.listing()
    make.listing(campaign, platform=offline.NAME)
    only = make.listing(campaign)
    assert bounds.place(make.endpoint(campaign=campaign), Named(ref)) == only


@pytest.mark.parametrize("ref", [None, "spring"])
def test_of_several_listings_none_is_meant(endpoint: WebhookEndpoint, ref: str | None) -> None:
    with pytest.raises(bounds.Unmatched, match="listings could be meant .*: 2$"):
        bounds.place(endpoint, Named(ref))


def test_what_was_passed_along_comes_first_where_something_of_ours_goes_by_it(
    endpoint: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    first, second = (listing.external_id for listing in two)
    assert bounds.place(endpoint, Named(first, passed=second)) == two[1]
    assert bounds.place(endpoint, Named(first, passed="thanks")) == two[0]
    make.listing(external_id="elsewhere")
    for known in ("spring", "elsewhere"):
        with pytest.raises(bounds.Unmatched):
            bounds.place(endpoint, Named(first, passed=known))


def test_an_order_of_somebody_else_is_ours_only_if_something_of_ours_was_passed_along(
    endpoint: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    listing = two[1].external_id
    assert bounds.place(endpoint, Named(passed=listing, elsewhere=True)) == two[1]
    for named in (Named(listing, elsewhere=True), Named(listing, "thanks", elsewhere=True)):
        with pytest.raises(bounds.Unmatched, match="^The order number begins with none"):
            bounds.place(endpoint, named)


def test_a_rule_places_what_names_no_listing(
    endpoint: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    make.placement(two[1], "A-", source="shop")
    assert bounds.place(endpoint, Named(order="A-17")) == two[1]
    with pytest.raises(bounds.Unmatched):
        bounds.place(endpoint, Named(order="B-17"))


def test_what_names_its_listing_needs_no_rule(
    endpoint: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    make.placement(two[1], "A-", source="shop")
    assert bounds.place(endpoint, Named(two[0].external_id, order="A-17")) == two[0]


def test_a_persons_rule_may_lead_out_of_an_endpoints_bounds(endpoint: WebhookEndpoint) -> None:
    elsewhere = make.listing(make.campaign("autumn"))
    make.placement(elsewhere, "desks", by=PlacedBy.REF, source="shop")
    assert bounds.place(endpoint, Named("desks")) == elsewhere


def test_the_longest_rule_that_an_order_begins_with_wins(two: tuple[Listing, Listing]) -> None:
    make.placement(two[0], "A-1")
    make.placement(two[1], "A-17")
    assert bounds.ruled("shop", "A-16", None) == two[0].id
    assert bounds.ruled("shop", "A-170", None) == two[1].id
    assert bounds.ruled("shop", "A-1", None) == two[0].id
    assert bounds.ruled("shop", "A-", None) is None


def test_a_reference_comes_before_an_order_and_is_never_only_begun(
    two: tuple[Listing, Listing],
) -> None:
    make.placement(two[0], "A-17-long")
    make.placement(two[1], "desk", by=PlacedBy.REF)
    assert bounds.ruled("shop", "A-17-long", "desk") == two[1].id
    assert bounds.ruled("shop", "A-17-long", "desks") == two[0].id
    assert bounds.ruled("shop", "desk", None) is None
    assert bounds.ruled("shop", None, "A-17-long") is None


@pytest.mark.parametrize("order", ["a-1", "B-1", "%", "A_1", "Ａ-1"])
def test_rules_take_letters_as_they_are(two: tuple[Listing, Listing], order: str) -> None:
    make.placement(two[0], "A-")
    make.placement(two[0], "%%")
    assert bounds.ruled("shop", order, None) is None


def test_a_rule_is_about_one_source(two: tuple[Listing, Listing]) -> None:
    make.placement(two[0], "A-", source="other")
    assert bounds.ruled("shop", "A-1", None) is None
    assert bounds.ruled("other", "A-1", None) == two[0].id


def test_a_refund_goes_where_its_donation_went(
    endpoint: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    elsewhere = make.listing()
    ledger.book(
        bookings.Booking(
            listing=elsewhere,
            kind=EntryKind.DONATION,
            amount=Money.parse("10.50 CNY"),
            occurred_at=NOON,
            source="shop",
            keys=(Key("trade", "T:1"),),
            door=Door.HAND,
        ),
        NOON,
    )
    assert bounds.place(endpoint, Named(regards="trade:T:1")) == elsewhere
    for other in ("trade:T:2", "order:T:1"):
        with pytest.raises(bounds.Unmatched):
            bounds.place(endpoint, Named(regards=other))
    endpoint.source = "another account"
    with pytest.raises(bounds.Unmatched):
        bounds.place(endpoint, Named(regards="trade:T:1"))


TEXT = st.text("Aa-1_%中", min_size=1, max_size=4)


@hypothesis.settings(
    max_examples=20,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(rules=st.sets(TEXT, max_size=5), orders=st.lists(TEXT, min_size=1, max_size=8))
def test_many_are_placed_in_one_statement_as_one_by_one(
    app: Flask, rules: set[str], orders: list[str]
) -> None:
    listings = {rule: make.listing().id for rule in rules}
    for rule, id in listings.items():
        make.placement(db.session.get_one(Listing, id), rule)
    rows = union_all(*(select(literal(order).label("number")) for order in orders)).subquery()
    many = db.session.execute(
        select(rows.c.number, bounds.ruling("shop", rows.c.number, None))
    ).all()
    for order, found in many:
        fits = [rule for rule in rules if order.startswith(rule)]
        assert found == (listings[max(fits, key=len)] if fits else None)
        assert found == bounds.ruled("shop", order, None)
    db.session.execute(delete(Placement))
    db.session.commit()
