"""Guards of the public figure: what is held, what the next report confirms, whatever comes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from campaigns import doubts, figures, ledger, reported, reporting
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.correction import Cause, Correction
from campaigns.model.entry import Door, EntryKind
from campaigns.model.listing import Listing, Rule
from campaigns.model.report import Report, ReportState
from campaigns.money import Money
from campaigns.platforms.base import Key, Reading
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
MINUTE = timedelta(minutes=1)
GROUND = doubts.GROUND * 100


def said(
    listing: Listing, minor: int | None, minute: int, currency: str = "CNY", ahead: int = 0
) -> Report:
    raised = None if minor is None else Money(minor, currency)
    now = NOON + minute * MINUTE
    return reporting.record(listing, Reading(raised, now + ahead * MINUTE), now)


def booked(listing: Listing, minor: int) -> None:
    money, keys = Money(minor, "CNY"), (Key("trade", str(listing.id)),)
    ledger.book(Booking(listing, EntryKind.DONATION, money, NOON, "x", keys, Door.WEBHOOK), NOON)


def shown(listing: Listing) -> int | None:
    figure = figures.published(listing)
    return None if figure is None else figure.minor


def test_a_jump_waits_and_the_last_good_figure_stands() -> None:
    listing = make.listing()
    said(listing, 4_530_050, 0)
    jump = said(listing, 45_300_501, 1)
    assert (jump.state, shown(listing)) == (ReportState.QUARANTINED, 4_530_050)
    assert jump.reason == "The figure jumped from 45300.50 CNY to 453005.01 CNY."


def test_ten_times_as_much_is_no_jump_yet() -> None:
    listing = make.listing()
    said(listing, 4_530_050, 0)
    assert said(listing, 45_300_500, 1).state is ReportState.ACCEPTED


def test_a_jump_said_again_goes_on_waiting() -> None:
    listing = make.listing(accept_falls=True)
    said(listing, 4_530_050, 0)
    said(listing, 90_000_000, 1)
    assert said(listing, 90_000_000, 2).state is ReportState.QUARANTINED


def test_a_fall_is_not_confirmed_by_what_would_be_a_jump_from_there() -> None:
    listing = make.listing(accept_falls=True)
    said(listing, 100_000_000, 0)
    fallen = said(listing, 200_000, 1)
    assert said(listing, 30_000_000, 2).state is ReportState.QUARANTINED
    assert (fallen.state, shown(listing)) == (ReportState.QUARANTINED, 100_000_000)


def test_another_currency_is_named_with_the_listings_own() -> None:
    foreign = said(make.listing(), 4_530_050, 0, currency="USD")
    assert foreign.reason == "The figure is in USD; the listing raises CNY."


def test_a_figure_is_not_compared_with_one_in_another_currency() -> None:
    listing = make.listing()
    foreign = said(listing, 4_530_050, 0, currency="USD")
    reporting.accept(foreign, "They meant it.", NOON, make.staff())
    assert said(listing, 100, 1).state is ReportState.ACCEPTED


def test_a_listing_may_have_another_factor_or_none() -> None:
    careful, careless = make.listing(jump_factor=2), make.listing(jump_factor=None)
    assert make.listing().jump_factor == 10
    for listing in (careful, careless):
        said(listing, 4_530_050, 0)
    assert said(careful, 9_060_101, 1).state is ReportState.QUARANTINED
    assert said(careless, 906_010_100, 1).state is ReportState.ACCEPTED


def test_the_first_gifts_of_a_campaign_are_no_jump() -> None:
    listing = make.listing()
    for minute, minor in enumerate((520, 30_000, GROUND * 10)):
        assert said(listing, minor, minute).state is ReportState.ACCEPTED
    assert said(make.listing(), GROUND * 10 + 1, 0).state is ReportState.ACCEPTED
    other = make.listing()
    said(other, 520, 0)
    assert said(other, GROUND * 10 + 1, 1).state is ReportState.QUARANTINED


def test_matched_money_may_jump_as_little() -> None:
    listing = make.listing()
    said(listing, 4_530_050, 0)
    match = Reading(Money(4_530_050, "CNY"), NOON + MINUTE, matched=Money(50_000_000, "CNY"))
    assert reporting.record(listing, match, NOON + MINUTE).state is ReportState.QUARANTINED


def test_a_first_report_below_what_was_booked_waits() -> None:
    listing = make.listing()
    booked(listing, 50_000)
    assert said(listing, 40_000, 0).state is ReportState.QUARANTINED
    assert shown(listing) == 50_000
    by_gift = make.listing(rule=Rule.ITEMISED)
    booked(by_gift, 50_000)
    assert said(by_gift, 40_000, 0).state is ReportState.ACCEPTED


def test_nothing_raised_is_no_news_once_a_person_accepted_it() -> None:
    listing = make.listing()
    reporting.accept(said(listing, 0, 0), "It has only begun.", NOON, make.staff())
    assert said(listing, 0, 1).state is ReportState.ACCEPTED
    assert said(listing, 5_000, 2).state is ReportState.ACCEPTED
    assert said(listing, 0, 3).reason == "The figure is zero."


def test_a_fall_waits_for_a_person_unless_the_listing_says_otherwise() -> None:
    listing = make.listing()
    said(listing, 3800, 0)
    for minute in (1, 2, 3):
        assert said(listing, 3400, minute).state is ReportState.QUARANTINED


def test_the_next_report_confirms_a_fall_where_the_listing_says_so() -> None:
    listing = make.listing(accept_falls=True)
    said(listing, 3800, 0)
    dip = said(listing, 3400, 1)
    assert dip.state is ReportState.QUARANTINED
    assert said(listing, 3410, 2).state is ReportState.ACCEPTED
    assert (dip.state, shown(listing)) == (ReportState.ACCEPTED, 3410)
    one = db.session.scalars(select(Correction)).one()
    assert (one.cause, one.before_minor, one.after_minor) == (Cause.VERDICT, 3800, 3410)
    assert (one.reason, one.staff_id) == ("The platform said so twice in a row.", None)
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.subject == "report")).one()
    assert (record.actor, record.subject_id) == ("system", dip.id)


def test_a_dip_of_a_day_leaves_no_trace_on_the_page() -> None:
    """As of a platform that showed 38 million, then 34, then 38 within one day."""
    listing = make.listing(accept_falls=True)
    for minute, minor in enumerate((3_800_000_000, 3_400_000_000, 3_800_000_000)):
        said(listing, minor, minute)
        assert shown(listing) == 3_800_000_000
    assert reported.held(listing.id) == []


def test_a_fall_that_falls_on_is_not_confirmed_by_that() -> None:
    listing = make.listing(accept_falls=True)
    for minute, minor in enumerate((3800, 3400, 3300)):
        said(listing, minor, minute)
    assert shown(listing) == 3800
    said(listing, 3300, 3)
    assert shown(listing) == 3300


@pytest.mark.parametrize("minor", [0, None, -100])
def test_what_is_no_figure_is_never_confirmed(minor: int | None) -> None:
    listing = make.listing(accept_falls=True)
    said(listing, 3800, 0)
    for minute in (1, 2, 3):
        assert said(listing, minor, minute).state is ReportState.QUARANTINED
    assert shown(listing) == 3800


def test_an_answer_between_two_falls_parts_them() -> None:
    listing = make.listing(accept_falls=True)
    said(listing, 3800, 0)
    said(listing, 3400, 1)
    said(listing, None, 2)
    assert said(listing, 3400, 3).state is ReportState.QUARANTINED


def test_the_same_moment_told_again_confirms_nothing() -> None:
    listing = make.listing(platform="foundation", accept_falls=True)
    said(listing, 3800, 0)
    said(listing, 3400, 1)
    assert said(listing, 3400, 2, ahead=-1).state is ReportState.QUARANTINED


def test_what_a_person_rejected_is_not_asked_of_people_again() -> None:
    listing, who = make.listing(accept_falls=True), make.staff()
    said(listing, 3800, 0)
    dip = said(listing, 3400, 1)
    db.session.flush()
    reporting.reject(dip, "Their fault.", NOON, who)
    for minute in (2, 3, 4):
        assert said(listing, 3400, minute) is dip
    assert reported.held(listing.id) == []
    assert dip.moment == NOON + 4 * MINUTE
    assert said(listing, 3300, 5).state is ReportState.QUARANTINED
    now = NOON + 6 * MINUTE
    entered = reporting.enter(listing, Reading(Money(3400, "CNY"), now), now, who)
    assert entered.report.state is ReportState.QUARANTINED


def test_of_two_reports_at_once_the_second_is_compared_with_the_first(app: Flask) -> None:
    id = make.listing().id
    said(db.session.get_one(Listing, id), 3800, 0)
    db.session.commit()
    together = Barrier(2)

    def one(minor: int, minute: int) -> ReportState:
        with app.app_context():
            listing = db.session.get_one(Listing, id)
            db.session.rollback()
            together.wait()
            state = said(listing, minor, minute).state
            db.session.commit()
            return state

    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(one, (3900, 3850), (1, 2)))
    assert sorted(states) == [ReportState.ACCEPTED, ReportState.QUARANTINED]


def test_what_a_person_enters_confirms_nothing() -> None:
    listing, who = make.listing(accept_falls=True), make.staff()
    said(listing, 3800, 0)
    said(listing, 3400, 1)
    now = NOON + 2 * MINUTE
    entered = reporting.enter(listing, Reading(Money(3400, "CNY"), now), now, who)
    assert entered.report.state is ReportState.QUARANTINED


SAID = st.tuples(
    st.none() | st.integers(-5, 5) | st.integers(0, GROUND * 200),
    st.sampled_from(["CNY"] * 5 + ["USD"]),
    st.sampled_from([0, 0, 0, -1, -3, 10]),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reports=st.lists(SAID, max_size=12),
    factor=st.none() | st.integers(2, 10),
    accept_falls=st.booleans(),
)
def test_whatever_is_reported_the_figure_neither_falls_nor_jumps_by_itself(
    app: Flask, reports: list[tuple[int | None, str, int]], factor: int | None, accept_falls: bool
) -> None:
    listing = make.listing(accept_falls=accept_falls, jump_factor=factor)
    before, last_said = None, None
    for minute, (minor, currency, ahead) in enumerate(reports):
        said(listing, minor, minute, currency, ahead)
        after = shown(listing)
        assert after is None or after > 0
        if before is not None:
            assert after is not None
            assert factor is None or after <= max(before, GROUND) * factor
            fell = after < before
            assert not fell or (accept_falls and last_said is not None and after >= last_said > 0)
            corrections = select(Correction).where(Correction.listing_id == listing.id)
            newest = db.session.scalars(corrections.order_by(Correction.id.desc())).first()
            assert not fell or (newest is not None and newest.after_minor == after)
        before, last_said = after, minor
    db.session.rollback()
