"""Any reports and entries compare as if somebody counted them one by one."""

from datetime import UTC, date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import delete, select

from campaigns import comparison, ledger
from campaigns.db import db
from campaigns.model.entry import COUNTED, Entry, EntryKind, MatchStage
from campaigns.model.listing import Listing
from campaigns.model.report import Report, ReportState
from campaigns.money import Money
from tests.compared import SHANGHAI, TODAY, book, report
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


MOVES = st.lists(
    st.tuples(
        st.integers(0, 12 * 24 * 4),  # quarters of an hour before noon
        st.sampled_from(["report", "held", "donation", "refund", "match", "announced", "payout"]),
        st.integers(1, 500),
        st.sampled_from(["CNY", "CNY", "CNY", "USD"]),
    ),
    max_size=20,
)


@hypothesis.settings(
    max_examples=10,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(moves=MOVES)
def test_any_reports_and_entries_compare_as_counting_them_one_by_one(
    listing: Listing, moves: list[tuple[int, str, int, str]]
) -> None:
    for quarters, what, yuan, currency in moves:
        at = NOON - timedelta(minutes=15 * quarters)
        if what in ("report", "held"):
            state = ReportState.ACCEPTED if what == "report" else ReportState.QUARANTINED
            report(listing, yuan, at, state=state)
        elif what == "announced":
            book(listing, yuan, at, EntryKind.MATCH, currency, MatchStage.ANNOUNCED)
        else:
            stage = MatchStage.RECEIVED if what == "match" else None
            book(listing, yuan, at, EntryKind(what), currency, stage)
    first = TODAY - timedelta(days=8)
    found = {day.day: day for day in comparison.days([listing], first, TODAY)[listing.id]}
    for offset in range(9):
        day = first + timedelta(days=offset)
        assert (found[day].reported, found[day].itemised) == counted(listing, day)
    latest = comparison.last_days([listing])
    if latest:
        one = latest[listing.id]
        assert (one.reported, one.itemised) == counted(listing, one.day)
    db.session.execute(delete(Report))
    for entry in db.session.scalars(select(Entry).where(Entry.reverses.is_(None))).all():
        ledger.reverse(entry, "for the next example", NOON)
    db.session.commit()


def counted(listing: Listing, day: date) -> tuple[Money | None, Money]:
    """The last report of a day, and the sum up to its moment, by looking at every row."""
    ends = datetime.combine(day + timedelta(days=1), datetime.min.time(), SHANGHAI).astimezone(UTC)
    begins = ends - timedelta(days=1)
    reports = [
        one
        for one in db.session.scalars(select(Report).order_by(Report.moment, Report.id))
        if one.state is ReportState.ACCEPTED and begins <= one.moment < ends
    ]
    until = reports[-1].moment if reports else ends - timedelta(microseconds=1)
    amounts = [
        entry.amount_minor
        for entry in db.session.scalars(select(Entry))
        if entry.kind in COUNTED
        and entry.stage is not MatchStage.ANNOUNCED
        and entry.currency == "CNY"
        and entry.occurred_at <= until
    ]
    return reports[-1].whole if reports else None, Money(sum(amounts), "CNY")
