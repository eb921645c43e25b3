"""Reported: what stands of a listing's reports, as whoever judges the next one needs it."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, select

from campaigns import bulk, figures
from campaigns.db import among, db
from campaigns.model.entry import COUNTED, Entry
from campaigns.model.listing import Listing, Rule
from campaigns.model.report import Origin, Report, ReportState

_ADD = """
INSERT INTO reports (
    listing_id, moment, received_at, raised, matched, currency, donations, origin, state, lags,
    reason, staff_id
)
SELECT of, moment, received_at, raised, matched, currency, donations, origin, state, lags,
    reason, staff_id
FROM {given}
"""
_ADDED = {
    "of": "bigint",
    "moment": "timestamptz",
    "received_at": "timestamptz",
    "raised": "bigint",
    "matched": "bigint",
    "currency": "text",
    "donations": "integer",
    "origin": "text",
    "state": "text",
    "lags": "boolean",
    "reason": "text",
    "staff_id": "bigint",
}


class Past(NamedTuple):
    """What was reported of a listing: the last accepted report, and those held, newest first.

    `ahead` is whether the page shows more than reports, by what was booked since (`lags`).
    """

    last: Report | None
    held: list[Report]
    ahead: bool = False


def past(listing_ids: Collection[int]) -> dict[int, Past]:
    """Of many listings at once, which nobody else reports of until the transaction ends.

    Of two reports of one listing at once the second is to be compared with the first.
    """
    listings = select(Listing.id).where(among(Listing.id, listing_ids))
    db.session.execute(listings.order_by(Listing.id).with_for_update())
    last = figures.latest(listing_ids, ReportState.ACCEPTED)
    ahead = set(db.session.scalars(_ahead(listing_ids)))
    known = {id: Past(last.get(id), [], id in ahead) for id in listing_ids}
    for waiting in db.session.scalars(_held(among(Report.listing_id, listing_ids))):
        known[waiting.listing_id].held.append(waiting)
    return known


def store() -> None:
    """Write the reports that the session holds and has not written, by one statement.

    What a round of questions brought takes a fraction of the time that flushing objects takes. They
    are rows afterwards, and no longer objects of the session. The second call finds none.
    """
    new = [one for one in db.session.new if isinstance(one, Report)]
    if new:
        bulk.execute(_ADD, _ADDED, [_row(report) for report in new])
        for report in new:
            db.session.expunge(report)


def held(listing_id: int) -> list[Report]:
    """The reports that wait for a verdict, newest first."""
    return list(db.session.scalars(_held(Report.listing_id == listing_id)))


def _row(report: Report) -> dict[str, Any]:
    return {
        "of": report.listing_id,
        "moment": report.moment,
        "received_at": report.received_at,
        "raised": report.raised_minor,
        "matched": report.matched_minor,
        "currency": report.currency,
        "donations": report.donations,
        "origin": report.origin or Origin.ASKED,
        "state": report.state,
        "lags": bool(report.lags),
        "reason": report.reason,
        "staff_id": report.staff_id,
    }


def _ahead(listing_ids: Collection[int]) -> Select[int]:
    booked = exists().where(
        Entry.listing_id == Listing.id,
        Entry.occurred_at > figures.goes_on_from(),
        Entry.kind.in_(COUNTED),
    )
    of_these = select(Listing.id).where(among(Listing.id, listing_ids))
    return of_these.where(Listing.rule == Rule.REPORTED, booked)


def _held(which: ColumnElement[bool]) -> Select[Report]:
    return (
        select(Report)
        .where(which, Report.state == ReportState.QUARANTINED)
        .order_by(Report.moment.desc(), Report.id.desc())
    )
