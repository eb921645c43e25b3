"""Where a file's rows belong, who gave, and rows that wait for a person to say where."""

import pytest
from sqlalchemy import select

from campaigns import assigning, reviewing
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent
from campaigns.model.delivery import Delivery
from campaigns.model.gift import Gift
from campaigns.model.imported import (
    ImportRow,
    waits,
)
from campaigns.model.listing import Listing, Rule
from campaigns.model.placement import PlacedBy, Placement
from tests import bill, make
from tests.bill import Paid
from tests.books import totals_agree
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
THREE = [Paid(1, 10000), bill.fee(1, 60, line=2), Paid(9, 123450), bill.refund(1, 2000, line=4)]


def waiting() -> list[ImportRow]:
    rows = select(ImportRow).where(waits()).order_by(ImportRow.position)
    return list(db.session.scalars(rows))


def test_rows_without_a_listing_wait(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE)))
    assert bill.verdicts(one) == ["new"] * 4
    assert bill.entries() == {}
    rows = waiting()
    assert len(rows) == 4
    assert assigning.assign(rows, listing, NOON, make.staff()) == {}
    db.session.commit()
    assert bill.raised(listing) == 131450
    assert waiting() == []
    assert totals_agree()


def test_a_row_names_its_listing_and_its_fee_follows(listing: Listing) -> None:
    other = make.listing(rule=Rule.ITEMISED)
    named = [
        Paid(1, goods=listing.external_id),
        bill.fee(1, 60, line=2),
        Paid(2, goods=make_slug(other)),
        Paid(3),
    ]
    one = bill.commit(bill.read(bill.bill(named)))
    assert (bill.raised(listing), bill.raised(other)) == (1050, 1050)
    assert bill.entries() == {"donation": 2, "fee": 1}
    assert reviewing.counts(one).unplaced == 1


def make_slug(listing: Listing) -> str:
    return db.session.get_one(Campaign, listing.campaign_id).slug


def test_a_rule_places_rows(listing: Listing) -> None:
    rule = Placement(
        source=bill.SOURCE, by=PlacedBy.ORDER, text="DON-", listing_id=listing.id, created_at=NOON
    )
    db.session.add(rule)
    db.session.commit()
    bill.commit(bill.read(bill.bill([Paid(1)])))
    assert bill.raised(listing) == 1050


def test_who_gave_is_kept_and_gets_no_letter(listing: Listing) -> None:
    paid = [Paid(1, party="张三 (zs@example.org)", note="加油"), Paid(2, party="李四")]
    bill.commit(bill.read(bill.bill(paid), listing))
    named, nameless = db.session.scalars(select(Gift).order_by(Gift.entry_id))
    assert named.donor is not None
    assert (named.donor.address, named.message) == ("zs@example.org", "加油")
    assert nameless.donor is None
    assert db.session.scalars(select(Delivery)).all() == []
    assert db.session.scalars(select(Consent)).all() == []


def test_the_same_address_is_the_same_donor(listing: Listing) -> None:
    known = make.donor("zs@example.org")
    paid = [Paid(1, party="张三 (ZS@example.org)"), Paid(2, party="张三 (zs@example.org)")]
    bill.commit(bill.read(bill.bill(paid), listing))
    assert {gift.donor_id for gift in db.session.scalars(select(Gift))} == {known.id}


def test_rows_assigned_later_keep_their_giver(listing: Listing) -> None:
    make.listing()
    paid = [Paid(1, party="张三 (zs@example.org)", note="加油"), Paid(2, party="李四")]
    bill.commit(bill.read(bill.bill(paid)))
    for _ in range(2):
        assigning.assign(waiting(), listing, NOON, make.staff())
    named, nameless = db.session.scalars(select(Gift).order_by(Gift.entry_id))
    assert named.donor is not None
    assert (named.donor.address, named.message) == ("zs@example.org", "加油")
    assert (nameless.donor, nameless.show_name) == (None, False)
    assert db.session.scalars(select(Delivery)).all() == []
