"""Reports: taking a platform's or a person's figure, holding what looks wrong, and the verdict."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from campaigns import audit, figures
from campaigns.db import db
from campaigns.figures import Fall
from campaigns.model.correction import Cause
from campaigns.model.listing import Listing
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms import registry
from campaigns.platforms.base import N_, Reading

# How far ahead of our clock a platform's own moment may be.
AHEAD = timedelta(minutes=5)
_NOT_CONFIRMED = N_("A later report did not confirm it.")


class NotHeld(Exception):
    """The report has its verdict already; somebody else was quicker."""


class Overtaken(Exception):
    """A later report was accepted meanwhile, so this one would not be shown."""


class NoFigure(Exception):
    """The report holds nothing that could be shown: no amount, or one below zero."""


def record(listing: Listing, reading: Reading, now: datetime) -> Report:
    """Keep what a platform said. Accepted if it is believable, else held for a person (rule 8).

    The same figure of the same moment a second time makes no second report.
    """
    report = Report(
        listing_id=listing.id,
        moment=reading.moment,
        received_at=now,
        raised_minor=reading.raised.minor if reading.raised else None,
        matched_minor=_matched(reading),
        currency=reading.raised.currency if reading.raised else listing.currency,
        donations=reading.donations,
        origin=Origin.ASKED,
    )
    return _keep(report, listing, now)


def enter(
    listing: Listing,
    raised: Money,
    donations: int | None,
    moment: datetime,
    now: datetime,
    by: Staff,
) -> Report:
    """Keep what a person read on the platform at `moment`; the same guards hold it as any other."""
    report = Report(
        listing_id=listing.id,
        moment=moment,
        received_at=now,
        raised_minor=raised.minor,
        currency=raised.currency,
        donations=donations,
        origin=Origin.BY_HAND,
        staff_id=by.id,
    )
    kept = _keep(report, listing, now)
    audit.record("entered report", kept, now, by=by, changes={"raised": (None, raised)})
    return kept


def reaffirm(listing: Listing, now: datetime) -> Report | None:
    """The platform says that nothing changed since we last asked: what it said then holds now too.

    Also where that was a figure that waits for a verdict: the one on show is not the platform's
    then. A figure that the platform itself dated keeps its moment. None where it said none yet.
    """
    last = db.session.scalar(
        select(Report)
        .where(Report.listing_id == listing.id, Report.origin == Origin.ASKED)
        .order_by(Report.received_at.desc(), Report.id.desc())
        .limit(1)
    )
    if last is None:
        return None
    moment = last.moment if registry.platform(listing.platform).DATED else now
    return record(
        listing, Reading(last.raised, moment, matched=last.matched, donations=last.donations), now
    )


def accept(report: Report, reason: str, now: datetime, by: Staff) -> None:
    """Show a held figure after all; if the public figure falls by that, a Correction says why.

    Raises `NotHeld` the second time, `Overtaken` where a later report was accepted, and `NoFigure`.
    """
    last = last_accepted(report.listing_id)
    if last is not None and last.moment >= report.moment:
        raise Overtaken
    if report.raised_minor is None or report.raised_minor < 0:
        raise NoFigure
    listing = db.session.get_one(Listing, report.listing_id)
    before = figures.published(listing)
    _decide(report, ReportState.ACCEPTED, reason, now, by)
    db.session.flush()
    figures.correct(listing, before, Fall(Cause.VERDICT, reason, now, by.id, report_id=report.id))


def reject(report: Report, reason: str, now: datetime, by: Staff) -> None:
    """Keep a held figure from ever being shown. Raises `NotHeld` the second time."""
    _decide(report, ReportState.REJECTED, reason, now, by)


def last_accepted(listing_id: int) -> Report | None:
    """The report whose figure a listing by the rule `reported` shows."""
    return db.session.scalar(
        select(Report)
        .where(Report.listing_id == listing_id, Report.state == ReportState.ACCEPTED)
        .order_by(Report.moment.desc(), Report.id.desc())
        .limit(1)
    )


def held(listing_id: int) -> list[Report]:
    """The reports that wait for a verdict, newest first."""
    return list(
        db.session.scalars(
            select(Report)
            .where(Report.listing_id == listing_id, Report.state == ReportState.QUARANTINED)
            .order_by(Report.moment.desc(), Report.id.desc())
        )
    )


def _matched(reading: Reading) -> int | None:
    stated = reading.matched
    if stated is None or stated.minor < 0 or not reading.raised:
        return None
    return stated.minor if stated.currency == reading.raised.currency else None


def _keep(report: Report, listing: Listing, now: datetime) -> Report:
    last = last_accepted(listing.id)
    if last is not None and _same(last, report) and last.moment == report.moment:
        return last
    report.reason = _doubt(report, last, listing, now)
    report.state = ReportState.QUARANTINED if report.reason else ReportState.ACCEPTED
    if report.reason:
        return _hold(report)
    _forget_doubts(listing, now)
    db.session.add(report)
    db.session.flush()
    return report


def _doubt(report: Report, last: Report | None, listing: Listing, now: datetime) -> str | None:
    """Why a figure is not believed by itself; None if it is."""
    if report.raised_minor is None:
        return N_("The platform gave no figure.")
    if report.currency != listing.currency:
        return f"The figure is in {report.currency}; the listing raises {listing.currency}."
    if report.raised_minor < 0:
        return N_("The figure is below zero.")
    if report.moment > now + AHEAD:
        return N_("The platform dates the figure in the future.")
    if last is not None and last.raised_minor is not None:
        return _doubt_after(report, last)
    return N_("The figure is zero.") if report.raised_minor == 0 else None


def _doubt_after(report: Report, last: Report) -> str | None:
    if report.moment < last.moment:
        return N_("The figure is older than the one shown.")
    if _fell(last, report):
        return f"The figure fell from {last.whole} to {report.whole}."
    return None


def _hold(report: Report) -> Report:
    """Keep a doubtful figure once: said again, the held report gets the later moment."""
    for waiting in held(report.listing_id):
        if _same(waiting, report) and waiting.origin == report.origin:
            waiting.moment = max(waiting.moment, report.moment)
            waiting.received_at = report.received_at
            return waiting
    db.session.add(report)
    db.session.flush()
    return report


def _forget_doubts(listing: Listing, now: datetime) -> None:
    """A believable figure came after doubtful ones: they were a passing fault of the platform."""
    for waiting in held(listing.id):
        waiting.state = ReportState.REJECTED
        waiting.decided_at = now
        waiting.reason = f"{waiting.reason} {_NOT_CONFIRMED}"


def _decide(report: Report, state: ReportState, reason: str, now: datetime, by: Staff) -> None:
    if not reason.strip():
        raise ValueError("A verdict needs a reason.")
    # One conditional statement, so that of two verdicts at once one finds nothing to decide.
    decided = db.session.scalar(
        update(Report)
        .where(Report.id == report.id, Report.state == ReportState.QUARANTINED)
        .values(state=state, reason=reason, decided_by=by.id, decided_at=now)
        .returning(Report.id)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(report)
    if decided is None:
        raise NotHeld
    changes = {"state": (ReportState.QUARANTINED, state), "reason": (None, reason)}
    audit.record(f"{state} report", report, now, by=by, changes=changes)


def _same(one: Report, other: Report) -> bool:
    figures = [
        (report.raised_minor, report.matched_minor, report.currency) for report in (one, other)
    ]
    return figures[0] == figures[1]


def _fell(before: Report, after: Report) -> bool:
    """Whether what the page shows would fall, matched money included."""
    if before.whole is None or after.whole is None or before.currency != after.currency:
        return False
    return after.whole < before.whole
