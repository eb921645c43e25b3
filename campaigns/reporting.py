"""Reports: taking a platform's or a person's figure, holding what looks wrong, and the verdict."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from campaigns import audit, doubts, figures, lags, reported
from campaigns.db import db
from campaigns.doubts import Doubt, Why
from campaigns.figures import Fall
from campaigns.model.correction import Cause
from campaigns.model.listing import Listing, Rule
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.staff import Staff
from campaigns.platforms import registry
from campaigns.platforms.base import N_, Reading
from campaigns.reported import Past

AHEAD = doubts.AHEAD
_NOT_CONFIRMED = N_("A later report did not confirm it.")
_CONFIRMED = N_("The next report confirmed it.")


class NotHeld(Exception):
    """The report has its verdict already; somebody else was quicker."""


class Overtaken(Exception):
    """A later report was accepted meanwhile, so this one would not be shown."""


class NoFigure(Exception):
    """The report holds nothing that could be shown: no amount, or one below zero."""


class Entered(NamedTuple):
    """What became of a figure that a person entered; `new` unless the report stood before."""

    report: Report
    new: bool


def record(listing: Listing, reading: Reading, now: datetime, known: Past | None = None) -> Report:
    """Keep what a platform said. Accepted if it is believable, else held for a person (rule 8).

    The same figure of the same moment a second time makes no second report. `known` is what `past`
    said of the listing, by whoever keeps what many platforms said.
    """
    report = Report(
        listing_id=listing.id,
        moment=reading.moment,
        received_at=now,
        raised_minor=None if reading.raised is None else reading.raised.minor,
        matched_minor=_matched(reading),
        currency=listing.currency if reading.raised is None else reading.raised.currency,
        donations=reading.donations,
        origin=Origin.ASKED,
    )
    return _keep(report, listing, now, known or reported.past([listing.id])[listing.id])


def enter(
    listing: Listing, reading: Reading, now: datetime, by: Staff | None, known: Past | None = None
) -> Entered:
    """Keep what a person read on the platform; the same guards hold it as any other.

    The same figure of the same moment by the same person a second time, a form that was sent
    twice, changes nothing, whatever became of the first. `by` is nobody where a command was given.
    """
    raised = reading.raised
    if raised is None:
        raise ValueError("Who enters a figure says what it is.")
    known = known or reported.past([listing.id])[listing.id]
    report = Report(
        listing_id=listing.id,
        moment=reading.moment,
        received_at=now,
        raised_minor=raised.minor,
        currency=raised.currency,
        donations=reading.donations,
        origin=Origin.BY_HAND,
        staff_id=by.id if by else None,
    )
    before = _entered_before(report)
    if before is not None:
        return Entered(before, new=False)
    kept = _keep(report, listing, now, known)
    if kept is not report:
        return Entered(kept, new=False)
    db.session.flush()
    audit.record("entered report", kept, now, by=by, changes={"raised": (None, raised)})
    return Entered(kept, new=True)


def enter_all(
    read: Sequence[tuple[Listing, Reading]], now: datetime, by: Staff | None
) -> list[Entered]:
    """`enter` for many, each by itself; of one listing several are taken by their moments.

    In the order they were given. Nobody else reports of these listings until the transaction ends.
    """
    known = reported.past({listing.id for listing, _ in read})
    kept: dict[int, Entered] = {}
    for place in sorted(range(len(read)), key=lambda place: read[place][1].moment):
        listing, reading = read[place]
        kept[place] = enter(listing, reading, now, by, known.pop(listing.id, None))
    return [kept[place] for place in range(len(read))]


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
    moment = last.moment if registry.dated(listing.platform, listing.how) else now
    return record(
        listing, Reading(last.raised, moment, matched=last.matched, donations=last.donations), now
    )


def accept(report: Report, reason: str, now: datetime, by: Staff) -> None:
    """Show a held figure after all; if the public figure falls by that, a Correction says why.

    Raises `NotHeld` the second time, `Overtaken` where a later report was accepted, and `NoFigure`.
    """
    last = reported.past([report.listing_id])[report.listing_id].last
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


def _matched(reading: Reading) -> int | None:
    stated = reading.matched
    if stated is None or stated.minor < 0 or reading.raised is None:
        return None
    return stated.minor if stated.currency == reading.raised.currency else None


def _entered_before(report: Report) -> Report | None:
    """The very report that this one says again, under the lock of `past`."""
    same = {
        name: getattr(report, name)
        for name in ("listing_id", "moment", "raised_minor", "currency", "origin", "staff_id")
    }
    return db.session.scalar(select(Report).filter_by(**same).order_by(Report.id).limit(1))


def _keep(report: Report, listing: Listing, now: datetime, known: Past) -> Report:
    last = known.last
    if last is not None and _same(last, report) and last.moment == report.moment:
        return last
    by_entries = last is None and listing.rule is Rule.REPORTED
    shown = figures.published(listing) if by_entries else None
    doubt = doubts.of(report, last, shown, listing, now) or _lag(report, listing, known)
    if doubt is None:
        return _believe(report, known, now)
    refused = _refused_before(report, last)
    if refused is not None:
        return _said_again(refused, report)
    if doubt.why is Why.FALL:
        waiting = _confirmed(report, known, listing)
        if waiting is not None:
            return _fall(report, waiting, listing, known, now)
    report.reason, report.state = doubt.reason, ReportState.QUARANTINED
    return _hold(report, known)


def _lag(report: Report, listing: Listing, known: Past) -> Doubt | None:
    """Mark a report that is less than the page shows; doubted once the platform lags for long."""
    shown = lags.behind(report, listing) if known.ahead else None
    if shown is None:
        return None
    if lags.too_long(report):
        return doubts.fall(shown, figures.by(report, listing))
    report.lags = True
    return None


def _believe(report: Report, known: Past, now: datetime) -> Report:
    """What is held was a passing fault of the platform, if a believable figure came after it."""
    report.state = ReportState.ACCEPTED
    for waiting in known.held:
        if waiting.state is ReportState.QUARANTINED:
            waiting.state = ReportState.REJECTED
            waiting.decided_at = now
            waiting.reason = f"{waiting.reason} {_NOT_CONFIRMED}"
    db.session.add(report)
    return report


def _confirmed(report: Report, known: Past, listing: Listing) -> Report | None:
    """The fall of just before that this report says again, where the listing takes that as true.

    What a person enters confirms nothing: who may judge can accept it, and nobody else.
    """
    if not listing.accept_falls or known.last is None or report.origin is not Origin.ASKED:
        return None
    waiting = max(known.held, key=lambda one: (one.received_at, one.id), default=None)
    if waiting is None or not doubts.confirms(report, waiting, listing):
        return None
    doubt = doubts.of(waiting, known.last, None, listing, waiting.received_at)
    # What only what was booked since speaks against lagged for long, and is a fall, too.
    return waiting if doubt is None or doubt.why is Why.FALL else None


def _fall(report: Report, waiting: Report, listing: Listing, known: Past, now: datetime) -> Report:
    """Two reports in a row agree on a fall: both stand, and a Correction says why."""
    before = figures.published(listing)
    waiting.state, waiting.decided_at = ReportState.ACCEPTED, now
    waiting.reason = f"{waiting.reason} {_CONFIRMED}"
    _believe(report, known, now)
    db.session.flush()
    reason = N_("The platform said so twice in a row.")
    changes = {"state": (ReportState.QUARANTINED, ReportState.ACCEPTED), "reason": (None, reason)}
    audit.record("accepted report", waiting, now, by=None, changes=changes)
    figures.correct(listing, before, Fall(Cause.VERDICT, reason, now, None, report_id=report.id))
    return report


def _hold(report: Report, known: Past) -> Report:
    """Keep a doubtful figure once: said again, the held report gets the later moment."""
    for waiting in known.held:
        if _same(waiting, report) and waiting.origin == report.origin:
            return _said_again(waiting, report)
    db.session.add(report)
    return report


def _said_again(before: Report, report: Report) -> Report:
    before.moment = max(before.moment, report.moment)
    before.received_at = report.received_at
    return before


def _refused_before(report: Report, last: Report | None) -> Report | None:
    """This very figure, if a person said no to it and the platform merely goes on saying it."""
    if report.origin is not Origin.ASKED:
        return None
    by_people = select(Report).where(
        Report.listing_id == report.listing_id,
        Report.state == ReportState.REJECTED,
        Report.decided_by.is_not(None),
    )
    if last is not None:
        by_people = by_people.where(Report.moment > last.moment)
    newest = by_people.order_by(Report.moment.desc(), Report.id.desc()).limit(1)
    before = db.session.scalar(newest)
    return before if before is not None and _same(before, report) else None


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
