"""Segments: what their definitions say, whom that means, and how many may be written to."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import segments
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.donor import Donor
from campaigns.model.entry import EntryKind
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.segment import EVERYONE, Definition, UnknownSegment
from tests import make
from tests.make import NOON
from tests.people import entry
from tests.plans import plans


@pytest.fixture
def ada(app: Flask) -> Donor:
    make.organisation()
    return make.donor("ada@example.org")


def gave(donor: Donor, listing: Listing, days_ago: int = 0) -> None:
    made = entry(listing, 500, "CNY", NOON - timedelta(days=days_ago))
    db.session.add(Gift(entry_id=made.id, donor_id=donor.id))
    db.session.flush()


def meant(**include: object) -> set[int]:
    definition = {"include": include, "exclude": {}}
    return set(
        db.session.scalars(select(Donor.id).where(Donor.id.in_(segments.members(definition, NOON))))
    )


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"campaign": "1"},
        {"campaign": True},
        {"tag": 1},
        {"include": {}},
        {"include": {"tag": ["x"]}, "exclude": {}},
        {"include": [], "exclude": {}},
        {"include": {"role": "gives"}, "exclude": {}},
        {"include": {"first": ["soon", None]}, "exclude": {}},
        {"include": {"count": 3}, "exclude": {}},
        {"include": {"count": ["3", None]}, "exclude": {}},
        {"include": {"tags": "press"}, "exclude": {}},
        {"include": {"lapsed": "9"}, "exclude": {}},
        {"include": {"campaigns": [True]}, "exclude": {}},
    ],
)
def test_an_unknown_segment_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(UnknownSegment):
        Definition.read(stored)


def test_everybody_is_whoever_is_left_of_merging_and_erasing(ada: Donor) -> None:
    make.donor(merged_into=ada.id)
    make.donor(address=None, erased_at=NOON)
    unknown = make.donor(address=None)
    reach = segments.reach(EVERYONE, Purpose.NEWSLETTER, None, NOON)
    assert (reach.people, reach.written_to) == (2, 0)
    assert reach.skipped == {"no address": 1, "no consent": 1}
    assert meant() == {ada.id, unknown.id}


def test_a_campaign_is_who_gave_to_it_or_agreed_to_its_updates(ada: Donor) -> None:
    listing = make.listing()
    reader, elsewhere, declined = make.donor(), make.donor(), make.donor()
    about = {"campaign": listing.campaign_id}
    gave(ada, listing)
    gave(elsewhere, make.listing())
    make.consent(reader, campaign := make.campaign(), campaign_id=listing.campaign_id)
    make.consent(declined, campaign, campaign_id=listing.campaign_id, given=False)
    reach = segments.reach(about, Purpose.UPDATES, listing.campaign_id, NOON)
    assert (reach.people, reach.written_to, reach.skipped) == (2, 1, {"no consent": 1})
    everybody = segments.people(about, Purpose.UPDATES, listing.campaign_id, NOON, 9)
    assert everybody == [(reader, None), (ada, "no consent")]


def test_a_donor_lapses_on_the_day_after(ada: Donor) -> None:
    gave(ada, make.listing(), days_ago=100)
    assert meant(lapsed=99) == {ada.id}
    assert meant(lapsed=100) == set()


def test_a_refund_that_was_reversed_takes_nothing_away(ada: Donor) -> None:
    listing = make.listing()
    made = entry(listing, 500, "CNY", NOON, keys=("trade", "7"))
    db.session.add(Gift(entry_id=made.id, donor_id=ada.id))
    back: dict[str, Any] = {"kind": EntryKind.REFUND, "regards": "trade:7"}
    refund = entry(listing, -500, "CNY", NOON, **back)
    assert meant(role="gave") == set()
    entry(listing, 500, "CNY", NOON, reverses=refund.id, **back)
    assert meant(role="gave") == {ada.id}


def test_words_are_found_as_they_were_typed(ada: Donor) -> None:
    ada.place = "100%_Berlin"
    db.session.flush()
    assert meant(places=["0%_b"]) == {ada.id}
    assert meant(places=["0_b"]) == set()


def test_no_part_of_the_ledger_is_read_over_and_over(ada: Donor, dialect: str) -> None:
    if dialect != "sqlite":
        pytest.skip("PostgreSQL keeps statistics, and takes no index for a handful of rows")
    asked = {"campaigns": [1], "platforms": ["tencent"], "count": [2, None], "mailings": [1]}
    definition = {"include": asked, "exclude": {"tags": ["x"], "role": "follows"}}
    with plans("FROM donors") as steps:
        segments.reach(definition, Purpose.NEWSLETTER, None, NOON)
    assert any("entries USING INDEX ix_entries_regards" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN entry_keys")]
    assert not [step for step in steps if step.startswith("SCAN anon")]
