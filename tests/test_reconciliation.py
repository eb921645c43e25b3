"""Where reports and entries disagree: by how much, since when, and until somebody says why."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from campaigns import comparison, reconciliation
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import CampaignState
from campaigns.model.entry import EntryKind, MatchStage
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.reconciliation import Standing
from tests import make
from tests.compared import TODAY, YUAN, book, report
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def lin(app: Flask) -> Staff:
    return make.staff()


def ago(days: int, hours: int = 0) -> datetime:
    return NOON - timedelta(days=days, hours=hours)


def stands(listing: Listing, now: datetime = NOON) -> Standing:
    return reconciliation.standing([listing], now)[listing.id]


def test_a_report_is_compared_with_what_was_booked_up_to_its_moment(listing: Listing) -> None:
    book(listing, 100, ago(1, 5))
    report(listing, 110, ago(1, 1))
    book(listing, 30, ago(1))
    (day,) = comparison.days([listing], TODAY - timedelta(days=1), TODAY - timedelta(days=1))[
        listing.id
    ]
    assert (str(day.reported), str(day.itemised), str(day.gap)) == (
        "110.00 CNY",
        "100.00 CNY",
        "10.00 CNY",
    )
    assert str(day.still_there) == "130.00 CNY"


def test_fees_and_payouts_leave_the_platform(listing: Listing) -> None:
    book(listing, 100, ago(2))
    book(listing, 1, ago(2), EntryKind.FEE)
    book(listing, 60, ago(1), EntryKind.PAYOUT)
    last = comparison.days([listing], TODAY, TODAY)[listing.id][0]
    assert [str(one) for one in (last.itemised, last.fees, last.paid_out, last.still_there)] == [
        "100.00 CNY",
        "1.00 CNY",
        "60.00 CNY",
        "39.00 CNY",
    ]
    assert last.gap is None


def test_other_currencies_stand_apart(listing: Listing) -> None:
    book(listing, 100, ago(2))
    book(listing, 5, ago(2), currency="USD")
    report(listing, 100, ago(1))
    last = stands(listing).last
    assert [str(one) for one in last.apart] == ["5.00 USD"]
    assert last.gap == Money.zero("CNY")


def test_a_gap_is_as_old_as_the_days_in_a_row_on_which_it_was_open(listing: Listing) -> None:
    book(listing, 100, ago(9))
    for day, yuan in ((8, 150), (7, 100), (6, 120), (4, 120), (1, 130)):
        report(listing, yuan, ago(day))
    found = stands(listing)
    assert found.since == TODAY - timedelta(days=6)
    assert (found.age(TODAY), found.overdue(TODAY)) == (6, True)
    listing.tolerance_days = 6
    assert not stands(listing).overdue(TODAY)


def test_a_gap_within_the_tolerance_is_none_to_ask_about(listing: Listing) -> None:
    book(listing, 100, ago(9))
    report(listing, 105, ago(8))
    report(listing, 95, ago(7))
    listing.tolerance_minor = 5 * YUAN
    assert stands(listing).since is None
    listing.tolerance_minor = 5 * YUAN - 1
    assert stands(listing).since == TODAY - timedelta(days=8)


def test_a_gap_closes_when_what_was_missing_is_booked(listing: Listing) -> None:
    report(listing, 100, ago(5))
    assert [one.listing for one in reconciliation.overdue(NOON)] == [listing]
    book(listing, 100, ago(6))
    assert reconciliation.overdue(NOON) == []


def test_an_explanation_holds_until_the_gap_has_another_size(listing: Listing, lin: Staff) -> None:
    report(listing, 100, ago(9))
    gap = Money(100 * YUAN, "CNY")
    first = reconciliation.explain(stands(listing), gap, "before our time", NOON, lin)
    assert (stands(listing).since, stands(listing).explained) == (None, first)
    report(listing, 120, ago(4))
    assert stands(listing).since == TODAY - timedelta(days=4)
    book(listing, 20, ago(5))
    assert stands(listing).explained == first
    assert reconciliation.overdue(NOON) == []


def test_only_the_gap_that_was_looked_at_is_explained_and_once(
    listing: Listing, lin: Staff
) -> None:
    report(listing, 100, ago(9))
    with pytest.raises(reconciliation.GapChanged):
        reconciliation.explain(stands(listing), Money(99 * YUAN, "CNY"), "why", NOON, lin)
    gap = Money(100 * YUAN, "CNY")
    ids = {reconciliation.explain(stands(listing), gap, "why", NOON, lin).id for _ in range(2)}
    assert len(ids) == 1
    record = db.session.scalars(select(AuditRecord)).one()
    assert (record.action, record.changes["note"]) == ("explained gap", ["changed"])


def test_what_platforms_never_itemise_is_not_compared(app: Flask, lin: Staff) -> None:
    tencent = make.listing(rule=Rule.REPORTED)
    report(tencent, 100, ago(9))
    book(tencent, 50, ago(8), EntryKind.MATCH, stage=MatchStage.CONFIRMED)
    assert reconciliation.standing([tencent], NOON) == {}
    book(tencent, 10, ago(8))
    assert stands(tencent).since is not None
    reconciliation.tolerate(tencent, None, 3, "gifts come by export twice a year", NOON, lin)
    assert reconciliation.standing([tencent], NOON) == {}
    assert reconciliation.overdue(NOON) == []


def test_a_new_listing_without_a_tolerance_is_not_compared(app: Flask) -> None:
    uncompared = make.listing(rule=Rule.ITEMISED, tolerance_minor=None)
    for one in (uncompared, make.listing(rule=Rule.ITEMISED)):
        report(one, 100, ago(9))
    assert uncompared.id not in reconciliation.standing(reconciliation.open_listings(), NOON)
    assert len(reconciliation.overdue(NOON)) == 1


def test_a_report_of_long_ago_is_compared_at_its_own_day(listing: Listing) -> None:
    book(listing, 70, ago(401))
    report(listing, 100, ago(400))
    book(listing, 5, ago(400, -3))
    book(listing, 500, ago(3))
    found = stands(listing)
    assert found.last.day == TODAY - timedelta(days=400)
    assert found.last.gap == Money(30 * YUAN, "CNY")
    assert found.age(TODAY) == 400
    assert [one.listing for one in reconciliation.overdue(NOON)] == [listing]


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.CLOSED])
def test_nobody_is_asked_about_campaigns_that_are_closed(app: Flask, state: CampaignState) -> None:
    report(make.listing(make.campaign(state=state), rule=Rule.ITEMISED), 100, ago(9))
    assert reconciliation.overdue(NOON) == []


@pytest.mark.parametrize(
    ("amount", "days"),
    [(Money(-1, "CNY"), 3), (Money(1, "USD"), 3), (None, -1), (None, 91)],
)
def test_a_tolerance_that_cannot_be_is_refused(
    listing: Listing, lin: Staff, amount: Money | None, days: int
) -> None:
    with pytest.raises(reconciliation.BadTolerance):
        reconciliation.tolerate(listing, amount, days, "why", NOON, lin)


def test_a_tolerance_is_changed_with_a_reason(listing: Listing, lin: Staff) -> None:
    for _ in range(2):
        reconciliation.tolerate(listing, Money(500, "CNY"), 7, "bills are late", NOON, lin)
    record = db.session.scalars(select(AuditRecord)).one()
    assert record.changes == {
        "tolerance": ["0", "500"],
        "tolerance_days": ["3", "7"],
        "reason": [None, "bills are late"],
    }


def test_no_more_days_are_compared_than_the_longest(listing: Listing) -> None:
    with pytest.raises(ValueError, match="92 days"):
        comparison.days([listing], TODAY - timedelta(days=92), TODAY)
    with pytest.raises(ValueError, match="92 days"):
        comparison.days([listing], TODAY, TODAY - timedelta(days=1))


def statements_for(listings: Sequence[Listing]) -> int:
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    reconciliation.standing(listings, NOON)
    event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_many_listings_take_no_more_statements_than_one(app: Flask) -> None:
    make.organisation()
    for number in range(9):
        one = make.listing(rule=Rule.ITEMISED)
        report(one, 100, ago(number * 40))
        book(one, 90, ago(number * 40, 2))
    several = db.session.scalars(select(Listing).order_by(Listing.id)).all()
    few, many = statements_for([several[0], several[8]]), statements_for(several)
    assert few == many
