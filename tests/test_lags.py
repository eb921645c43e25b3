"""A platform that reports less than its page shows with what was booked: the figure never dips."""

from datetime import timedelta

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import select

from campaigns import ledger, reported, reporting
from campaigns.db import db
from campaigns.lags import PATIENCE
from campaigns.model.correction import Cause, Correction
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.report import ReportState
from tests import make
from tests.make import NOON
from tests.reported import booked, figure
from tests.test_doubts import said, shown

pytestmark = pytest.mark.usefixtures("app")
MINUTE = timedelta(minutes=1)


def given(listing: Listing, yuan: int, minute: int) -> None:
    booked(listing, f"{yuan}.00 CNY", NOON + minute * MINUTE)


@pytest.fixture
def listing(app: Flask) -> Listing:
    """It shows 1,300 yuan: 1,000 reported at noon, and 300 booked five minutes later."""
    listing = make.listing()
    said(listing, 100_000, 0)
    given(listing, 300, 5)
    return listing


def test_a_report_that_lags_behind_what_was_booked_lowers_nothing(listing: Listing) -> None:
    late = said(listing, 110_000, 10)
    assert (late.state, shown(listing)) == (ReportState.ACCEPTED, 130_000)
    assert figure(listing, NOON + 11 * MINUTE).as_of == NOON + 10 * MINUTE
    given(listing, 50, 12)
    assert shown(listing) == 135_000
    said(listing, 134_900, 20)
    assert shown(listing) == 135_000
    said(listing, 136_000, 30)
    assert shown(listing) == 136_000
    assert db.session.scalars(select(Correction)).all() == []


def test_what_is_taken_back_meanwhile_lowers_it_and_says_why(listing: Listing) -> None:
    said(listing, 110_000, 10)
    ledger.reverse(db.session.scalars(select(Entry)).one(), "Not ours.", NOON + 11 * MINUTE)
    assert shown(listing) == 100_000
    said(listing, 110_000, 20)
    assert shown(listing) == 110_000
    assert db.session.scalars(select(Correction.cause)).all() == [Cause.REVERSAL]


def test_what_a_platform_still_does_not_show_after_a_day_a_person_decides(
    listing: Listing,
) -> None:
    day = int(PATIENCE / MINUTE)
    said(listing, 110_000, 10)
    assert said(listing, 111_000, 9 + day).state is ReportState.ACCEPTED
    held = said(listing, 112_000, 10 + day)
    assert (held.state, held.reason) == (
        ReportState.QUARANTINED,
        "The figure fell from 1300.00 CNY to 1120.00 CNY.",
    )
    assert shown(listing) == 130_000
    assert figure(listing, NOON + (11 + day) * MINUTE).held == held
    reporting.accept(held, "They refunded a gift.", NOON + (12 + day) * MINUTE, make.staff())
    assert shown(listing) == 112_000
    one = db.session.scalars(select(Correction)).one()
    assert (one.cause, one.before_minor, one.after_minor) == (Cause.VERDICT, 130_000, 112_000)
    said(listing, 113_000, 20 + day)
    assert shown(listing) == 113_000


def test_a_platform_that_catches_up_after_all_is_believed(listing: Listing) -> None:
    day = int(PATIENCE / MINUTE)
    said(listing, 110_000, 10)
    held = said(listing, 110_000, 20 + day)
    said(listing, 130_000, 30 + day)
    assert (held.state, shown(listing)) == (ReportState.REJECTED, 130_000)
    given(listing, 10, 31 + day)
    assert said(listing, 130_000, 32 + day).state is ReportState.ACCEPTED
    assert shown(listing) == 131_000


def test_the_next_report_confirms_it_where_the_listing_says_so(listing: Listing) -> None:
    listing.accept_falls = True
    day = int(PATIENCE / MINUTE)
    said(listing, 110_000, 10)
    assert said(listing, 112_000, 20 + day).state is ReportState.QUARANTINED
    assert said(listing, 112_000, 30 + day).state is ReportState.ACCEPTED
    assert shown(listing) == 112_000
    assert db.session.scalars(select(Correction.after_minor)).all() == [112_000]


def test_only_where_something_was_booked_since_is_more_to_be_compared(listing: Listing) -> None:
    quiet = make.listing()
    given(quiet, 5, -1)
    said(quiet, 100_000, 0)
    known = reported.past([listing.id, quiet.id])
    assert (known[listing.id].ahead, known[quiet.id].ahead) == (True, False)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["gift", "report", "match"]),
        st.integers(1, 60),  # minutes that pass before
        st.integers(1, 400),  # yuan given, or by which the report is behind what was given
    ),
    max_size=14,
)


@hypothesis.settings(
    max_examples=15,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(deeds=DEEDS, faster=st.sampled_from([1, 60]))
def test_whatever_comes_in_whatever_order_the_figure_never_dips(
    app: Flask, deeds: list[tuple[str, int, int]], faster: int
) -> None:
    listing = make.listing(jump_factor=100)
    minute, given_so_far, before = 0, 1000, 0
    said(listing, 100_000, 0)
    for what, passed, yuan in deeds:
        minute += passed * faster
        if what == "report":
            said(listing, max(given_so_far - yuan, 1) * 100, minute)
        else:
            given_so_far += yuan
            booked(
                listing, f"{yuan}.00 CNY", NOON + minute * MINUTE, what.replace("gift", "donation")
            )
        after = shown(listing)
        assert after is not None
        assert after >= before
        assert after <= given_so_far * 100
        before = after
    assert db.session.scalars(select(Correction)).all() == []
    db.session.rollback()
