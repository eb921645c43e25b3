"""The curve of raised over time: each day's figure, up to exactly the one that is shown now."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import delete, select

from campaigns import curve, ledger, progress
from campaigns.curve import Curve, End
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import COUNTED, Entry, EntryKind, MatchStage
from campaigns.model.listing import Listing, Rule
from campaigns.model.rate import Rate
from campaigns.model.report import Origin, Report, ReportState
from tests import make, statements
from tests.compared import SHANGHAI, TODAY, book, report
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing()


def drawn(of: Listing | Campaign) -> Curve | None:
    """The curve that ends with what `progress` shows of the whole campaign."""
    id = of.id if isinstance(of, Campaign) else of.campaign_id
    campaign = db.session.get_one(Campaign, id)
    ends = [
        End(figure.listing, figure.converted, figure.as_of)
        for figure in progress.of(campaign, NOON).listings
        if figure.converted is not None and figure.as_of is not None
    ]
    return curve.of(campaign, ends)


def yuan(of: Curve | None, line: int = 0) -> list[int]:
    assert of is not None
    return [point.raised.minor // 100 for point in of.lines[line].points]


def test_each_day_has_its_last_report(listing: Listing) -> None:
    for days, amount in ((3, 10), (2, 20), (1, 30)):
        report(listing, amount - 5, NOON - days * DAY)
        report(listing, amount, NOON - days * DAY + HOUR)
    found = drawn(listing)
    assert yuan(found) == [10, 20, 30]
    assert found is not None
    assert found.days == tuple(TODAY - days * DAY for days in (3, 2, 1))
    assert [point.as_of for point in found.lines[0].points][0] == NOON - 3 * DAY + HOUR


def test_it_ends_with_the_figure_that_is_shown(listing: Listing) -> None:
    report(listing, 100, NOON - 2 * DAY)
    report(listing, 200, NOON - HOUR)
    book(listing, 7, NOON - timedelta(minutes=5))
    other = make.listing(db.session.get_one(Campaign, listing.campaign_id), rule=Rule.ITEMISED)
    book(other, 30, NOON - DAY)
    found, shown = drawn(listing), progress.of(
        db.session.get_one(Campaign, listing.campaign_id), NOON
    )  # fmt: skip
    assert found is not None
    assert [line.points[-1].raised for line in found.lines] == [
        figure.converted for figure in shown.listings
    ]
    assert found.total[-1] == shown.raised


def test_what_is_held_or_was_rejected_does_not_appear(listing: Listing) -> None:
    report(listing, 10, NOON - 3 * DAY)
    report(listing, 900, NOON - 2 * DAY, state=ReportState.REJECTED)
    report(listing, 800, NOON - DAY, state=ReportState.QUARANTINED)
    report(listing, 11, NOON - HOUR)
    assert yuan(drawn(listing)) == [10, 10, 10, 11]


def test_what_staff_entered_is_marked_on_its_day(listing: Listing) -> None:
    report(listing, 10, NOON - 3 * DAY)
    report(listing, 20, NOON - 2 * DAY, origin=Origin.BY_HAND)
    report(listing, 30, NOON, origin=Origin.BY_HAND)
    found = drawn(listing)
    assert found is not None
    assert [point.by_hand for point in found.lines[0].points] == [False, True, False, True]


def test_a_day_without_a_report_has_the_last_one_and_what_was_booked_since(
    listing: Listing,
) -> None:
    book(listing, 1, NOON - 4 * DAY)
    report(listing, 100, NOON - 3 * DAY)
    book(listing, 5, NOON - 3 * DAY - HOUR)  # before the report, which has it
    book(listing, 7, NOON - 3 * DAY + HOUR)
    book(listing, 20, NOON - 2 * DAY)
    report(listing, 300, NOON)
    assert yuan(drawn(listing)) == [1, 100, 127, 127, 300]


def test_where_a_report_lagged_the_day_goes_on_from_the_one_before(listing: Listing) -> None:
    report(listing, 100, NOON - 2 * DAY)
    book(listing, 30, NOON - 2 * DAY + HOUR)
    report(listing, 110, NOON - 2 * DAY + 2 * HOUR, lags=True)
    book(listing, 5, NOON - DAY)
    report(listing, 120, NOON - DAY + HOUR, lags=True)
    report(listing, 300, NOON)
    found = drawn(listing)
    assert yuan(found) == [130, 135, 300]
    assert found is not None
    assert found.lines[0].points[1].as_of == NOON - DAY + HOUR


def test_gift_by_gift_it_adds_up_and_a_reversed_gift_stands_nowhere(listing: Listing) -> None:
    listing.rule = Rule.ITEMISED
    report(listing, 999, NOON - 5 * DAY)
    book(listing, 10, NOON - 3 * DAY)
    wrong = book(listing, 50, NOON - 2 * DAY)
    book(listing, 5, NOON - DAY, EntryKind.REFUND)
    book(listing, 60, NOON - DAY, EntryKind.MATCH, stage=MatchStage.ANNOUNCED)
    ledger.reverse(wrong, "It was a test.", NOON)
    db.session.commit()
    found = drawn(listing)
    assert yuan(found) == [10, 10, 5]


def test_other_currencies_are_converted_at_the_rate_of_their_day(listing: Listing) -> None:
    listing.rule = Rule.ITEMISED
    for days, rate in ((2, Decimal(7)), (1, Decimal(8))):
        db.session.add(
            Rate(day=TODAY - days * DAY, base="USD", quote="CNY", rate=rate, source="bank")
        )
        book(listing, 10, NOON - days * DAY, currency="USD")
    book(listing, 10, NOON, currency="USD")  # no rate: it stands apart
    assert yuan(drawn(listing)) == [70, 150, 150]


def test_a_line_begins_with_its_first_figure(listing: Listing) -> None:
    report(listing, 10, NOON - 3 * DAY)
    report(listing, 20, NOON)
    later = make.listing(db.session.get_one(Campaign, listing.campaign_id))
    report(later, 5, NOON - DAY)
    found = drawn(listing)
    assert found is not None
    assert [len(line.points) for line in found.lines] == [4, 2]
    assert [amount.minor for amount in found.total] == [1_000, 1_000, 1_500, 2_500]


@pytest.mark.parametrize(
    ("days", "every", "points"), [(199, 1, 200), (200, 7, 29), (1_399, 7, 200), (1_400, 14, 101)]
)
def test_it_has_two_hundred_points_at_most(
    listing: Listing, days: int, every: int, points: int
) -> None:
    report(listing, 10, NOON - days * DAY)
    report(listing, 20, NOON)
    found = drawn(listing)
    assert found is not None
    assert (found.every, len(found.days)) == (every, points)
    assert found.days[-1] == TODAY
    assert set(yuan(found)[:-1]) == {10}


def test_a_single_day_is_no_curve(listing: Listing) -> None:
    assert drawn(listing) is None
    report(listing, 10, NOON - HOUR)
    report(listing, 20, NOON)
    assert drawn(listing) is None


def test_it_takes_the_same_statements_however_long_and_many(listing: Listing) -> None:
    report(listing, 10, NOON - 2 * DAY)
    book(listing, 3, NOON - 2 * DAY + HOUR)
    report(listing, 20, NOON)
    few = _asked(listing)
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    for other in [make.listing(campaign) for _ in range(4)]:
        for days in range(0, 90, 3):
            report(other, 100 - days, NOON - days * DAY)
            book(other, 1, NOON - days * DAY + HOUR)
    assert len(_asked(listing)) == len(few) == 5
    assert sum("FROM entries" in one or "JOIN entries" in one for one in few) == 1


def test_no_entry_is_read_while_there_is_a_report_every_day(listing: Listing) -> None:
    for days in range(5):
        book(listing, 1, NOON - days * DAY + HOUR)
        report(listing, 100 - days, NOON - days * DAY)
    assert not [one for one in _asked(listing) if "FROM entries" in one or "JOIN entries" in one]


def _asked(listing: Listing) -> list[str]:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    ends = [
        End(figure.listing, figure.raised, NOON)
        for figure in progress.of(campaign, NOON).listings
        if figure.raised is not None
    ]
    with statements.counted() as asked:
        curve.of(campaign, ends)
    return asked


HISTORY = st.lists(
    st.tuples(
        st.integers(1, 9 * 24 * 4),  # quarters of an hour before noon
        st.sampled_from(["report", "report", "lags", "held", "donation", "donation", "refund"]),
        st.integers(1, 500),
    ),
    max_size=25,
)


@hypothesis.settings(
    max_examples=10,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(history=HISTORY, rule=st.sampled_from(Rule))
def test_any_history_is_drawn_as_counting_one_by_one(
    listing: Listing, history: list[tuple[int, str, int]], rule: Rule
) -> None:
    listing.rule = rule
    for quarters, what, amount in history:
        at = NOON - timedelta(minutes=15 * quarters)
        if what in ("report", "lags", "held"):
            state = ReportState.QUARANTINED if what == "held" else ReportState.ACCEPTED
            report(listing, amount, at, state=state, lags=what == "lags")
        else:
            book(listing, amount, at, EntryKind(what))
    found = drawn(listing)
    for point in found.lines[0].points[:-1] if found else ():
        assert point.raised.minor == _counted(listing, point.day)
    db.session.execute(delete(Report))
    for entry in db.session.scalars(select(Entry).where(Entry.reverses.is_(None))).all():
        ledger.reverse(entry, "for the next example", NOON)
    db.session.commit()


def _counted(listing: Listing, day: date) -> int:
    """By looking at every row."""
    ends = datetime.combine(day + DAY, time.min, SHANGHAI).astimezone(UTC)
    rows = db.session.scalars(select(Report).order_by(Report.moment, Report.id))
    reports = [
        one
        for one in rows
        if one.moment < ends and one.state is ReportState.ACCEPTED and listing.rule is Rule.REPORTED
    ]
    last = next((one for one in reversed(reports) if not one.lags), None)
    if last and last is reports[-1] and last.moment.astimezone(SHANGHAI).date() == day:
        return last.raised_minor or 0
    since = last.moment if last else datetime.min.replace(tzinfo=UTC)
    booked = [
        one.amount_minor
        for one in db.session.scalars(select(Entry))
        if since < one.occurred_at < ends and one.kind in COUNTED
    ]
    return (last.raised_minor or 0 if last else 0) + sum(booked)
