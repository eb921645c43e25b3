"""Whatever was reported, thinning changes no figure that anybody asks for."""

from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import delete, select

from campaigns import comparison, curve, progress, thinning
from campaigns.curve import End
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.model.report import Origin, Report, ReportState
from tests import make
from tests.compared import TODAY, book, report
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
QUARTER = timedelta(minutes=15)
# Around the day at which reports are kept by the hour, and that from which only by the day.
AGES = st.integers(5 * 96, 9 * 96) | st.integers(90 * 96, 95 * 96)
HISTORY = st.lists(
    st.tuples(
        AGES,
        st.sampled_from(["asked"] * 6 + ["by hand", "lags", "held", "judged", "donation"]),
        st.integers(1, 50),
    ),
    max_size=60,
)
SAID: dict[str, dict[str, Any]] = {
    "by hand": {"origin": Origin.BY_HAND},
    "lags": {"lags": True},
    "held": {"state": ReportState.QUARANTINED},
    "judged": {"decided_at": NOON, "reason": "The fund confirmed it."},
}


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing()


@hypothesis.settings(
    max_examples=15,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(history=HISTORY)
def test_thinning_changes_no_figure(listing: Listing, history: list[tuple[int, str, int]]) -> None:
    for quarters, what, yuan in history:
        _happens(listing, what, yuan, quarters)
    before, all_of_them = _figures(listing), _reports()
    while thinning.sweep(NOON):
        db.session.commit()
    assert _figures(listing) == before
    _check_what_went(all_of_them, {one.id for one in _reports()})
    _empty(listing)


def _happens(listing: Listing, what: str, yuan: int, quarters: int) -> None:
    at = NOON - quarters * QUARTER
    if what == "donation":
        book(listing, yuan, at)
        return
    report(listing, yuan, at, **SAID.get(what, {}))


def _figures(listing: Listing) -> object:
    """The figure now, each day's line in reconciliation, and the curve."""
    db.session.commit()
    now = progress.of(db.session.get_one(Campaign, listing.campaign_id), NOON)
    days = [
        comparison.days([listing], TODAY - timedelta(days=ago + 30), TODAY - timedelta(days=ago))
        for ago in (0, 31, 62, 93)
    ]
    ends = [
        End(figure.listing, figure.converted, figure.as_of)
        for figure in now.listings
        if figure.converted is not None and figure.as_of is not None
    ]
    return now.raised, now.as_of, days, curve.of(now.campaign, ends)


def _reports() -> list[Report]:
    found = list(db.session.scalars(select(Report).order_by(Report.moment, Report.id)))
    for one in found:
        db.session.expunge(one)
    return found


def _check_what_went(all_of_them: list[Report], kept: set[int]) -> None:
    """Nothing of the last week, of people, or at the edge of its day; and nothing too many."""
    for one in all_of_them:
        if one.origin is Origin.BY_HAND or one.decided_at or one.state is not ReportState.ACCEPTED:
            assert one.id in kept
        if one.moment > NOON - timedelta(days=7):
            assert one.id in kept
    whole = [one.raised_minor or 0 for one in all_of_them if one.state is ReportState.ACCEPTED]
    left = [
        one.raised_minor or 0
        for one in all_of_them
        if one.state is ReportState.ACCEPTED and one.id in kept
    ]
    assert (max(whole, default=0), min(whole, default=0)) == (
        max(left, default=0),
        min(left, default=0),
    )


def _empty(listing: Listing) -> None:
    db.session.execute(delete(Report))
    listing.hourly_until = listing.daily_until = None
    db.session.commit()
