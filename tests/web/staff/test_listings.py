"""One listing: figures by hand, verdicts, and the rule a figure rests on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from campaigns import bookings, ledger, reporting
from campaigns.db import db
from campaigns.model.correction import Cause, Correction
from campaigns.model.entry import Door, EntryKind
from campaigns.model.listing import Asking, Listing
from campaigns.model.report import Report, ReportState
from campaigns.model.staff import Role
from campaigns.money import Money
from campaigns.platforms.base import Key, Reading
from tests import make
from tests.web.staff.conftest import Desk


@pytest.fixture
def listing(app: object) -> Listing:
    return make.listing()


def said(listing: Listing, amount: str, minutes_ago: int) -> Report:
    now = datetime.now(UTC)
    reading = Reading(Money.of(amount, "CNY"), now - timedelta(minutes=minutes_ago))
    report = reporting.record(listing, reading, now)
    db.session.commit()
    return report


def enter(who: Desk, listing: Listing, **fields: str) -> int:
    return who.post(f"/staff/listings/{listing.id}/reports", **fields).status_code


def test_a_figure_by_hand_is_read_in_the_persons_zone(
    desk: Callable[..., Desk], listing: Listing
) -> None:
    who = desk(Role.FUNDRAISER, timezone="Asia/Shanghai")
    assert enter(who, listing, raised="1,234.50", moment="2026-01-02T08:30") == 302
    report = db.session.query(Report).one()
    assert report.raised == Money.of("1234.50", "CNY")
    assert report.moment == datetime(2026, 1, 2, 0, 30, tzinfo=UTC)
    assert report.staff_id == who.staff.id


def test_an_hour_that_clocks_skip_is_refused(desk: Callable[..., Desk], listing: Listing) -> None:
    who = desk(Role.FUNDRAISER, timezone="Europe/Berlin")
    assert enter(who, listing, raised="1", moment="2026-03-29T02:30") == 400
    assert db.session.query(Report).count() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"raised": "", "moment": "2026-01-02T08:30"},
        {"raised": "1", "moment": ""},
        {"raised": "1", "moment": "yesterday"},
        {"raised": "1", "moment": "2999-01-01T00:00"},
        {"raised": "1e3", "moment": "2026-01-02T08:30"},
        {"raised": "1", "moment": "2026-01-02T08:30", "donations": "many"},
    ],
)
def test_what_cannot_be_read_is_refused(
    treasurer: Desk, listing: Listing, fields: dict[str, str]
) -> None:
    assert enter(treasurer, listing, **fields) == 400
    assert db.session.query(Report).count() == 0


def test_a_lower_figure_by_hand_is_held_and_says_so(treasurer: Desk, listing: Listing) -> None:
    said(listing, "500.00", 60)
    local = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    assert enter(treasurer, listing, raised="400", moment=local) == 302
    assert "held" in treasurer.get(f"/staff/listings/{listing.id}").text


def test_a_verdict_shows_the_figure_and_leaves_a_correction(
    treasurer: Desk, listing: Listing
) -> None:
    said(listing, "500.00", 60)
    held = said(listing, "400.00", 5)
    path = f"/staff/listings/{listing.id}/reports/{held.id}"
    assert treasurer.post(path, verdict="accept", reason="refunds").status_code == 302
    assert held.state is ReportState.ACCEPTED
    assert db.session.query(Correction).one().cause is Cause.VERDICT


def test_a_verdict_needs_a_reason(treasurer: Desk, listing: Listing) -> None:
    said(listing, "500.00", 60)
    held = said(listing, "400.00", 5)
    path = f"/staff/listings/{listing.id}/reports/{held.id}"
    assert treasurer.post(path, verdict="accept", reason=" ").status_code == 400
    assert held.state is ReportState.QUARANTINED


def test_the_second_verdict_changes_nothing_and_says_so(treasurer: Desk, listing: Listing) -> None:
    said(listing, "500.00", 60)
    held = said(listing, "400.00", 5)
    path = f"/staff/listings/{listing.id}/reports/{held.id}"
    treasurer.post(path, verdict="reject", reason="a fault")
    treasurer.post(path, verdict="accept", reason="no, it is true")
    assert held.state is ReportState.REJECTED
    assert "decided about this figure already" in treasurer.get("/staff").text


def test_a_report_is_judged_on_its_own_listings_page_only(
    treasurer: Desk, listing: Listing
) -> None:
    said(listing, "500.00", 60)
    held = said(listing, "400.00", 5)
    path = f"/staff/listings/{make.listing().id}/reports/{held.id}"
    assert treasurer.post(path, verdict="accept", reason="x").status_code == 404
    assert held.state is ReportState.QUARANTINED


def test_another_rule_under_which_the_figure_falls_leaves_a_correction(
    treasurer: Desk, listing: Listing
) -> None:
    said(listing, "500.00", 60)
    money, now = Money.of("10.00", "CNY"), datetime.now(UTC) - timedelta(hours=2)
    keys = (Key("trade", "1"),)
    ledger.book(
        bookings.Booking(listing, EntryKind.DONATION, money, now, "x", keys, Door.WEBHOOK), now
    )
    path = f"/staff/listings/{listing.id}/rule"
    treasurer.post(path, rule="itemised", reason="gift by gift from now on")
    correction = db.session.query(Correction).one()
    assert (str(correction.before), str(correction.after)) == ("500.00 CNY", "10.00 CNY")
    assert correction.cause is Cause.RULE
    treasurer.post(path, rule="itemised", reason="again")
    assert db.session.query(Correction).count() == 1


def test_a_refused_listing_can_be_asked_again(desk: Callable[..., Desk], listing: Listing) -> None:
    listing.asking, listing.failures = Asking.REFUSED, 9
    path = f"/staff/listings/{listing.id}/asking"
    assert desk(Role.FUNDRAISER).post(path, asking="asked").status_code == 302
    assert (listing.asking, listing.failures) == (Asking.ASKED, 0)


def test_who_may_not_see_the_ledger_sees_no_entry(
    desk: Callable[..., Desk], listing: Listing
) -> None:
    now = datetime.now(UTC)
    booking = bookings.Booking(
        listing, EntryKind.DONATION, Money(1000, "CNY"), now, "x", (Key("trade", "T-7"),),
        Door.WEBHOOK,
    )  # fmt: skip
    ledger.book(booking, now)
    assert "T-7" not in desk(Role.EDITOR).get(f"/staff/listings/{listing.id}").text
    assert "T-7" in desk(Role.TREASURER).get(f"/staff/listings/{listing.id}").text
