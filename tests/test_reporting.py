"""Reports: the last good figure stands until a believable one comes, or a person decides."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import reported, reporting
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.correction import Correction
from campaigns.model.listing import Listing
from campaigns.model.report import Report, ReportState
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Reading
from tests import make
from tests.make import NOON

MINUTE = timedelta(minutes=1)


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing()


def said(listing: Listing, yuan: str | None, minute: int = 0, currency: str = "CNY") -> Report:
    moment = NOON + minute * MINUTE
    raised = None if yuan is None else Money.of(yuan, currency)
    return reporting.record(listing, Reading(raised=raised, moment=moment), moment)


def shown(listing: Listing) -> Money | None:
    last = reported.past([listing.id])[listing.id].last
    return last.raised if last else None


def test_a_growing_figure_is_shown(listing: Listing) -> None:
    said(listing, "10.00")
    said(listing, "10.50", 1)
    assert shown(listing) == Money.parse("10.50 CNY")


def test_a_falling_figure_waits_and_the_last_good_one_stands(listing: Listing) -> None:
    said(listing, "45300.50")
    fallen = said(listing, "31020.00", 1)
    assert fallen.state is ReportState.QUARANTINED
    assert fallen.reason == "The figure fell from 45300.50 CNY to 31020.00 CNY."
    assert shown(listing) == Money.parse("45300.50 CNY")


@pytest.mark.parametrize(
    ("yuan", "currency"), [("0", "CNY"), (None, "CNY"), ("-1.00", "CNY"), ("99999.00", "USD")]
)
@pytest.mark.parametrize("before", ["10.00", None])
def test_zero_nothing_negative_and_another_currency_wait(
    listing: Listing, yuan: str | None, currency: str, before: str | None
) -> None:
    if before:
        said(listing, before)
    assert said(listing, yuan, 1, currency).state is ReportState.QUARANTINED


def test_a_falling_match_waits_like_any_fall(listing: Listing) -> None:
    given = Money.parse("10.00 CNY")
    for minute, matched in ((0, "5.00 CNY"), (1, "4.00 CNY")):
        moment = NOON + minute * MINUTE
        reading = Reading(raised=given, moment=moment, matched=Money.parse(matched))
        last = reporting.record(listing, reading, moment)
    assert last.state is ReportState.QUARANTINED
    assert last.reason == "The figure fell from 15.00 CNY to 14.00 CNY."


def test_a_figure_from_the_future_waits(listing: Listing) -> None:
    reading = Reading(raised=Money.parse("1.00 CNY"), moment=NOON + 10 * MINUTE)
    assert reporting.record(listing, reading, NOON).state is ReportState.QUARANTINED


def test_the_same_fall_said_again_is_held_once(listing: Listing) -> None:
    said(listing, "38.00")
    said(listing, "34.00", 1)
    said(listing, "34.00", 2)
    assert [report.moment for report in reported.held(listing.id)] == [NOON + 2 * MINUTE]


def test_a_dip_that_passes_is_forgotten(listing: Listing) -> None:
    said(listing, "38.00")
    dip = said(listing, "34.00", 1)
    said(listing, "38.00", 2)
    assert dip.state is ReportState.REJECTED
    assert reported.held(listing.id) == []


def test_the_same_answer_twice_is_one_report(listing: Listing) -> None:
    said(listing, "38.00")
    said(listing, "38.00")
    assert len(db.session.scalars(select(Report)).all()) == 1


def test_not_modified_means_true_until_now(listing: Listing) -> None:
    said(listing, "38.00")
    reporting.reaffirm(listing, NOON + MINUTE)
    last = reported.past([listing.id])[listing.id].last
    assert last is not None
    assert (last.raised, last.moment) == (Money.parse("38.00 CNY"), NOON + MINUTE)


def test_not_modified_after_a_fall_says_the_fall_again(listing: Listing) -> None:
    said(listing, "38.00")
    dip = said(listing, "34.00", 1)
    reporting.reaffirm(listing, NOON + 2 * MINUTE)
    assert (dip.state, dip.moment) == (ReportState.QUARANTINED, NOON + 2 * MINUTE)
    last = reported.past([listing.id])[listing.id].last
    assert last is not None
    assert (last.raised, last.moment) == (Money.parse("38.00 CNY"), NOON)


def test_not_modified_leaves_a_figure_at_the_moment_that_the_platform_gave_it(app: Flask) -> None:
    listing = make.listing(platform="foundation")
    said(listing, "38.00")
    reporting.reaffirm(listing, NOON + MINUTE)
    assert [report.moment for report in db.session.scalars(select(Report))] == [NOON]


@pytest.mark.parametrize(("how", "minute"), [({"as_of_before": "截至"}, 0), ({}, 2)])
def test_any_page_that_says_when_its_figure_was_true_keeps_its_moment(
    app: Flask, how: dict[str, str], minute: int
) -> None:
    listing = make.listing(platform="generic", how=how)
    said(listing, "100.00")
    reporting.reaffirm(listing, NOON + 2 * MINUTE)
    last = reported.past([listing.id])[listing.id].last
    assert last is not None
    assert last.moment == NOON + minute * MINUTE


def test_not_modified_before_any_answer_says_nothing(listing: Listing) -> None:
    assert reporting.reaffirm(listing, NOON) is None


def test_an_accepted_fall_leaves_a_correction(listing: Listing) -> None:
    said(listing, "38.00")
    reporting.accept(said(listing, "34.00", 1), "Refunds.", NOON, make.staff())
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.before.minor, correction.after.minor) == (3800, 3400)
    assert shown(listing) == Money.parse("34.00 CNY")


def test_a_verdict_is_given_once(listing: Listing) -> None:
    said(listing, "38.00")
    dip = said(listing, "34.00", 1)
    reporting.reject(dip, "A fault of theirs.", NOON, make.staff())
    with pytest.raises(reporting.NotHeld):
        reporting.accept(dip, "No.", NOON, make.staff())


@pytest.mark.parametrize("yuan", [None, "-1.00"])
def test_what_is_no_figure_cannot_be_accepted(listing: Listing, yuan: str | None) -> None:
    with pytest.raises(reporting.NoFigure):
        reporting.accept(said(listing, yuan), "They said so.", NOON, make.staff())


def test_what_a_person_enters_is_guarded_too(listing: Listing) -> None:
    said(listing, "38.00")
    low = Reading(Money.parse("3.80 CNY"), NOON + MINUTE)
    entered = reporting.enter(listing, low, NOON + MINUTE, make.staff())
    assert entered.report.state is ReportState.QUARANTINED


def test_the_same_form_twice_at_once_is_kept_once(app: Flask) -> None:
    ids = [make.listing().id for _ in range(3)]
    who = make.staff().id
    db.session.rollback()
    together = Barrier(2)

    def send(_: int) -> list[bool]:
        with app.app_context():
            listings = [db.session.get_one(Listing, id) for id in reversed(ids)]
            by = db.session.get_one(Staff, who)
            db.session.rollback()
            together.wait()
            read = [(one, Reading(Money.parse("38.00 CNY"), NOON)) for one in listings]
            new = [entered.new for entered in reporting.enter_all(read, NOON, by)]
            db.session.commit()
            return new

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(send, range(2)))
    assert sorted(found) == [[False] * 3, [True] * 3]
    assert db.session.scalar(select(func.count(Report.id))) == 3
    audited = select(func.count()).where(AuditRecord.action == "entered report")
    assert db.session.scalar(audited) == 3


def test_many_figures_of_one_listing_are_judged_in_their_order(listing: Listing) -> None:
    yuan = {3: "40.00", 1: "38.00", 2: "39.00", 4: "39.50"}
    read = [
        (listing, Reading(Money.parse(f"{amount} CNY"), NOON + minute * MINUTE))
        for minute, amount in yuan.items()
    ]
    entered = reporting.enter_all(read, NOON + 9 * MINUTE, make.staff())
    states = [one.report.state for one in entered]
    assert states == [ReportState.ACCEPTED] * 3 + [ReportState.QUARANTINED]
