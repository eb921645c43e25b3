"""Old reports grow fewer, and nothing that anybody asks for changes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import reporting, thinning
from campaigns.db import db
from campaigns.model.correction import Cause, Correction
from campaigns.model.listing import Listing
from campaigns.model.report import Origin, Report, ReportState
from tests import make
from tests.make import NOON

DAY, HOUR, TEN = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)
MIDNIGHT = NOON - timedelta(hours=12)  # in Shanghai, as the organisation's days are
WEEKS_AGO, MONTHS_AGO = MIDNIGHT - 14 * DAY, MIDNIGHT - 120 * DAY


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing()


def day_of_reports(of: Listing, begins: datetime, step: timedelta = TEN) -> list[int]:
    """Reports of one day that grow by one each time; their ids in order."""
    moments = [begins + number * step for number in range(int(DAY / step))]
    rows = [make.report(of, 1_000 + number, at) for number, at in enumerate(moments)]
    return [row.id for row in rows]


def thin(now: datetime = NOON) -> int:
    """Until there is nothing to do; how many reports went."""
    before = len(kept())
    while thinning.sweep(now):
        db.session.commit()
    db.session.commit()
    return before - len(kept())


def kept() -> list[int]:
    return list(db.session.scalars(select(Report.id).order_by(Report.moment, Report.id)))


def test_a_week_stays_as_it_was(listing: Listing) -> None:
    make.report(listing, 5_000, NOON - 7 * DAY + HOUR)
    day_of_reports(listing, MIDNIGHT - 7 * DAY)
    assert thin() == 0


def test_after_a_week_the_last_of_each_hour_stays_and_the_days_first(listing: Listing) -> None:
    ids = day_of_reports(listing, WEEKS_AGO)
    thin()
    assert kept() == [ids[0], *ids[5::6]]


def test_after_three_months_the_last_of_each_day_stays_and_its_first(listing: Listing) -> None:
    ids = day_of_reports(listing, MONTHS_AGO) + day_of_reports(listing, MONTHS_AGO + DAY)
    thin()
    assert kept() == [ids[0], ids[143], ids[144], ids[-1]]


def test_the_highest_and_the_lowest_of_a_day_stay(listing: Listing) -> None:
    ids = day_of_reports(listing, MONTHS_AGO)
    db.session.get_one(Report, ids[50]).raised_minor = 9_000
    db.session.get_one(Report, ids[70]).raised_minor = 1
    db.session.get_one(Report, ids[90]).matched_minor = 9_000
    thin()
    assert kept() == [ids[70], ids[90], ids[-1]]


def test_days_are_the_organisations(listing: Listing) -> None:
    ids = [
        make.report(listing, 1_000 + number, MONTHS_AGO + number * HOUR).id for number in (1, 2, 23)
    ]
    later = make.report(
        listing, 2_000, MONTHS_AGO + 25 * HOUR
    ).id  # the same day in UTC as the last
    thin()
    assert kept() == [ids[0], ids[2], later]


@pytest.mark.parametrize(
    "said",
    [
        {"state": ReportState.QUARANTINED, "reason": "It fell."},
        {"state": ReportState.REJECTED, "reason": "It fell.", "decided_at": NOON},
        {"reason": "The fund confirmed it.", "decided_at": NOON},
        {"origin": Origin.BY_HAND},
    ],
    ids=["held", "rejected", "accepted by a person", "by hand"],
)
def test_what_people_have_to_do_with_stays(listing: Listing, said: dict[str, Any]) -> None:
    ids = day_of_reports(listing, MONTHS_AGO, HOUR)
    for number in (10, 11):
        for name, value in said.items():
            setattr(db.session.get_one(Report, ids[number]), name, value)
    thin()
    assert kept() == [ids[0], ids[10], ids[11], ids[-1]]


def test_what_a_correction_names_stays(listing: Listing) -> None:
    ids = day_of_reports(listing, MONTHS_AGO, HOUR)
    correction = Correction(
        listing_id=listing.id,
        at=NOON,
        cause=Cause.VERDICT,
        before_minor=2_000,
        after_minor=1_010,
        currency="CNY",
        reason="The platform said so twice in a row.",
        report_id=ids[10],
    )
    db.session.add(correction)
    thin()
    assert kept() == [ids[0], ids[10], ids[-1]]


def test_the_platforms_last_word_stays_although_a_person_wrote_later(listing: Listing) -> None:
    """ "Nothing changed since" is about that word."""
    ids = day_of_reports(listing, MONTHS_AGO, HOUR)
    make.report(listing, 9_000, MONTHS_AGO + DAY - TEN, origin=Origin.BY_HAND)
    thin()
    assert ids[-1] in kept()
    again = reporting.reaffirm(listing, NOON)
    assert again is not None
    assert again.raised_minor == 1_023


def test_what_the_figure_rests_on_stays_while_all_later_reports_lag(listing: Listing) -> None:
    ids = day_of_reports(listing, WEEKS_AGO)
    rests_on = ids[40]
    lagging = select(Report).where(Report.id > rests_on)
    for one in db.session.scalars(lagging):
        one.lags = True
    db.session.commit()
    assert thin() > 0
    assert rests_on in kept()


def test_it_goes_on_from_day_to_day_and_finds_nothing_twice(listing: Listing) -> None:
    ids = day_of_reports(listing, WEEKS_AGO)
    assert thin() > 0
    assert thin() == 0
    assert thin(NOON + 60 * DAY) == 0
    thin(NOON + 90 * DAY)
    assert kept() == [ids[0], ids[-1]]


def test_a_listing_that_was_left_for_months_is_thinned_at_last(listing: Listing) -> None:
    thin()
    ids = day_of_reports(listing, MIDNIGHT + DAY)
    day_of_reports(listing, MIDNIGHT + 300 * DAY)
    thin(NOON + 200 * DAY)
    assert kept()[:3] == [ids[0], ids[-1], kept()[2]]


def test_one_that_is_killed_leaves_the_days_as_they_were(listing: Listing) -> None:
    ids = day_of_reports(listing, WEEKS_AGO)
    assert thinning.sweep(NOON)  # older than three months: nothing there
    db.session.commit()
    assert thinning.sweep(NOON)
    db.session.rollback()
    assert kept() == ids
    assert thin() > 0


def test_batches_end_with_a_day(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "BATCH", 30)
    ids = [
        id
        for number in range(6)
        for id in day_of_reports(listing, WEEKS_AGO + number * DAY, 2 * TEN)
    ]
    thin()
    days = [ids[number * 72 : number * 72 + 72] for number in range(6)]
    assert kept() == [id for day in days for id in (day[0], *day[2::3])]


def test_listings_are_thinned_each_by_itself(listing: Listing) -> None:
    ids = day_of_reports(listing, MONTHS_AGO, HOUR)
    other = make.listing()
    others = day_of_reports(other, MONTHS_AGO + TEN, HOUR)
    thin()
    assert kept() == [ids[0], others[0], ids[-1], others[-1]]
