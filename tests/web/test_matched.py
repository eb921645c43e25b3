"""A campaign's page names who matches what donors give, and says whether it has come."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns import byhand, ledger, matching
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.matching import Further
from campaigns.model.entry import Entry, EntryKind, MatchStage
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Listing, Rule
from campaigns.money import Money
from campaigns.platforms.base import Giver
from tests import make
from tests.plans import plans

NOW = datetime.now(UTC).replace(microsecond=0)
ENGLISH, CHINESE = "/en/c/after-school", "/c/after-school"
CONFIRMED, RECEIVED = MatchStage.CONFIRMED, MatchStage.RECEIVED


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing(make.campaign("after-school"), rule=Rule.ITEMISED)


def match(listing: Listing, amount: str, name: str | None, stage: MatchStage = CONFIRMED) -> Entry:
    movement = Movement(
        listing=listing,
        kind=EntryKind.MATCH,
        amount=Money.parse(f"{amount} CNY"),
        occurred_at=NOW - timedelta(days=1),
        way=None,
        stage=stage,
        source="foundation",
        giver=Giver(name=name, public_name=True),
    )
    booked = byhand.book(movement, f"{name} {amount} {stage}", NOW, make.staff())
    db.session.commit()
    return db.session.get_one(Entry, booked.entry_id)


def part(client: FlaskClient) -> dict[str, object]:
    data = client.get("/c/after-school.json").json
    assert data is not None
    listing: dict[str, object] = data["listings"][0]
    return listing


def test_who_matches_is_named_in_both_languages_and_in_the_data(
    client: FlaskClient, listing: Listing
) -> None:
    match(listing, "8800.00", "A company nearby")
    match(listing, "20.00", "爱心企业", RECEIVED)
    english = client.get(ENGLISH).text
    assert "Matched by A company nearby, 爱心企业" in english
    assert "confirmed, not yet received" in english
    assert "配捐方：A company nearby、爱心企业" in client.get(CHINESE).text
    told = part(client)
    assert (told["matched"], told["matched_by"]) == ("8820.00", ["A company nearby", "爱心企业"])


def test_what_arrived_is_said_to_be_received(client: FlaskClient, listing: Listing) -> None:
    entry = match(listing, "8800.00", "A company nearby")
    matching.advance(entry, Further(RECEIVED, entry.amount, NOW), NOW, make.staff())
    db.session.commit()
    page = client.get(ENGLISH).text
    assert "Matched by A company nearby" in page
    assert "not yet received" not in page


def test_nobody_is_named_who_only_announced_or_was_taken_back_or_may_not_be(
    client: FlaskClient, listing: Listing
) -> None:
    match(listing, "1.00", "Announcer", MatchStage.ANNOUNCED)
    ledger.reverse(match(listing, "2.00", "Reversed"), "a mistake", NOW)
    quiet, hidden = (match(listing, "3.00", name) for name in ("Quiet", "Hidden"))
    db.session.get_one(Gift, quiet.id).show_name = False
    db.session.get_one(Gift, hidden.id).moderation = Moderation.HIDDEN
    match(listing, "4.00", None)
    db.session.commit()
    page = client.get(ENGLISH).text
    assert ">Matched</span>" in page
    for name in ("Announcer", "Reversed", "Quiet", "Hidden"):
        assert name not in page
    assert part(client)["matched_by"] == []


def test_who_is_not_named_is_one_of_the_others(client: FlaskClient, listing: Listing) -> None:
    match(listing, "8800.00", None)
    match(listing, "20.00", "A company nearby")
    assert "Matched by A company nearby and others" in client.get(ENGLISH).text


def test_of_many_the_largest_are_named(client: FlaskClient, listing: Listing) -> None:
    for number in range(1, 6):
        match(listing, f"{number}.00", f"Company {number}")
    page = client.get(ENGLISH).text
    assert "Matched by Company 5, Company 4, Company 3 and others" in page


def test_matches_are_found_among_millions_by_their_index(
    client: FlaskClient, listing: Listing
) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL takes no index for a handful of rows")
    match(listing, "1.00", "A company")
    with plans("kind = 'match'") as steps:
        client.get(ENGLISH)
    assert "ix_entries_matches" in str(steps)
