"""Figures: what a listing has raised by its rule (design §6)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, func, null, or_, select
from sqlalchemy.orm import aliased

from campaigns.db import among, db
from campaigns.model.campaign import Campaign
from campaigns.model.correction import Cause, Correction
from campaigns.model.entry import COUNTED, Entry, EntryKind, MatchStage
from campaigns.model.imported import stands
from campaigns.model.listing import Listing, Rule
from campaigns.model.organisation import Organisation
from campaigns.model.report import Report, ReportState
from campaigns.model.total import Total
from campaigns.money import Money
from config import settings

_OTHER = aliased(Report)


@dataclass(frozen=True)
class Part:
    """Entries of one kind and currency, summed. `day` is None in the campaign's own currency."""

    kind: EntryKind
    amount: Money
    donations: int
    day: date | None


@dataclass(frozen=True)
class Figures:
    """What a listing's figure is made of.

    Under the rule `reported`, `report` is the last accepted one that does not lag, `as_of` the
    moment of the last at all, and `parts` what came after the report's moment. Before the first
    report, and under `itemised`, there is none and `parts` is every entry. `ever` is always every
    entry. `held` is a later report that waits for a verdict.
    """

    report: Report | None
    as_of: datetime | None
    report_day: date | None
    held: Report | None
    parts: tuple[Part, ...]
    ever: tuple[Part, ...]

    @property
    def known(self) -> bool:
        return self.report is not None or bool(self.ever)

    def raised(self, currency: str) -> Money:
        """The sum of what is in `currency`; amounts in others are left out."""
        return Money.sum((one for one, _ in self.dated() if one.currency == currency), currency)

    def dated(self) -> Iterator[tuple[Money, date | None]]:
        """What adds up to the figure: amounts, with the day where one is needed to convert them."""
        if self.report is not None and self.report.whole is not None:
            yield self.report.whole, self.report_day
        for part in self.parts:
            yield part.amount, part.day

    def matched(self) -> Iterator[tuple[Money, date | None]]:
        """Matched money: the report's where it states some and what came after it, else ours."""
        stated = self.report.matched if self.report else None
        if stated is not None:
            yield stated, self.report_day
        for part in self.ever if stated is None else self.parts:
            if part.kind is EntryKind.MATCH:
                yield part.amount, part.day


@dataclass(frozen=True)
class Fall:
    """Why a published figure may have fallen, and by which entry or report."""

    cause: Cause
    reason: str
    at: datetime
    staff_id: int | None
    entry_id: int | None = None
    report_id: int | None = None


def of(listings: Collection[Listing]) -> dict[int, Figures]:
    """The figures of many listings by their ids, by as many statements as those of one."""
    reported = [listing.id for listing in listings if listing.rule is Rule.REPORTED]
    base, as_of = _bases(reported)
    held = latest(reported, ReportState.QUARANTINED)
    days = _days(base)
    ever, since = _ever([listing.id for listing in listings]), _since(base, days)
    return {
        listing.id: Figures(
            report=base.get(listing.id),
            as_of=as_of.get(listing.id),
            report_day=days.get(listing.id),
            held=_newer(held.get(listing.id), as_of.get(listing.id)),
            parts=tuple((since if listing.id in base else ever)[listing.id]),
            ever=tuple(ever[listing.id]),
        )
        for listing in listings
    }


def latest(listing_ids: Collection[int], state: ReportState) -> dict[int, Report]:
    """By listing, the report of this state with the last moment."""
    newest = _newest(state)
    found = db.session.scalars(
        select(Report)
        .join(Listing, Report.id == newest.scalar_subquery())
        .where(among(Listing.id, listing_ids))
    )
    return {report.listing_id: report for report in found}


def goes_on_from() -> ScalarSelect[datetime]:
    """The moment of the report that the figure of the statement's `Listing` goes on from."""
    accepted = _newest(ReportState.ACCEPTED).where(_OTHER.lags.is_(False))
    return accepted.with_only_columns(_OTHER.moment).scalar_subquery()


def by(report: Report, listing: Listing) -> Money:
    """What a listing's figure would be by this accepted report, in the listing's currency."""
    base = {listing.id: report}
    days = _days(base)
    parts = tuple(_since(base, days)[listing.id])
    figure = Figures(report, report.moment, days[listing.id], None, parts, ())
    return figure.raised(listing.currency)


def published(listing: Listing) -> Money | None:
    """A listing's figure in its own currency; None before anything is known of it."""
    found = of([listing])[listing.id]
    return found.raised(listing.currency) if found.known else None


def correct(listing: Listing, before: Money | None, fall: Fall) -> None:
    """Leave a Correction if a listing's published figure is lower than it was (design §5 rule 8).

    `before` is what `published` said before the change; the change must be flushed.
    """
    after = published(listing) or Money.zero(listing.currency)
    if before is None or not after < before:
        return
    db.session.add(
        Correction(
            listing_id=listing.id,
            at=fall.at,
            cause=fall.cause,
            before_minor=before.minor,
            after_minor=after.minor,
            currency=after.currency,
            reason=fall.reason,
            staff_id=fall.staff_id,
            entry_id=fall.entry_id,
            report_id=fall.report_id,
        )
    )


def counts() -> ColumnElement[bool]:
    """Whether a public figure counts an `Entry`."""
    whole = or_(Entry.stage.is_(None), Entry.stage != MatchStage.ANNOUNCED)
    return and_(stands(), Entry.kind.in_(COUNTED), whole)


def day_of(moment: datetime) -> date:
    """The organisation's day in which a moment lies."""
    return moment.astimezone(zone()).date()


def zone() -> ZoneInfo:
    """The organisation's time zone."""
    name = db.session.scalar(select(Organisation.timezone).where(Organisation.ours))
    return ZoneInfo(name or settings().default_timezone)


def _bases(listing_ids: Collection[int]) -> tuple[dict[int, Report], dict[int, datetime]]:
    """By listing, the report that its figure goes on from, and the moment of the last accepted."""
    newest = _newest(ReportState.ACCEPTED)
    base = newest.where(_OTHER.lags.is_(False)).scalar_subquery()
    as_of = newest.with_only_columns(_OTHER.moment).scalar_subquery()
    rows = db.session.execute(
        select(Report, as_of).join(Listing, Report.id == base).where(Listing.id.in_(listing_ids))
    ).all()
    return (
        {report.listing_id: report for report, _ in rows},
        {report.listing_id: moment for report, moment in rows},
    )


def _newest(state: ReportState) -> Select[int]:
    return (
        select(_OTHER.id)
        .where(_OTHER.listing_id == Listing.id, _OTHER.state == state)
        .order_by(_OTHER.moment.desc(), _OTHER.id.desc())
        .limit(1)
        .correlate(Listing)
    )


def _newer(held: Report | None, as_of: datetime | None) -> Report | None:
    return None if held is None or (as_of is not None and held.moment < as_of) else held


def _ever(listing_ids: Collection[int]) -> Mapping[int, list[Part]]:
    return _totals(Total.listing_id.in_(listing_ids)) if listing_ids else defaultdict(list)


def _days(base: Mapping[int, Report]) -> dict[int, date]:
    if not base:
        return {}
    organisations = zone()
    return {id: report.moment.astimezone(organisations).date() for id, report in base.items()}


def _since(base: Mapping[int, Report], days: Mapping[int, date]) -> Mapping[int, list[Part]]:
    """Per listing, what came after its report: whole days from totals, the first from entries."""
    if not base:
        return defaultdict(list)
    parts = _totals(or_(*(and_(Total.listing_id == id, Total.day > days[id]) for id in base)))
    first = or_(
        *(
            and_(
                Entry.listing_id == id,
                Entry.occurred_at > base[id].moment,
                # Implied by the day, and what lets the index stop there.
                Entry.occurred_at < base[id].moment + timedelta(days=2),
                Entry.day == day,
            )
            for id, day in days.items()
        )
    )
    for id, some in _entries(first).items():
        parts[id] += some
    return parts


def _totals(which: ColumnElement[bool]) -> defaultdict[int, list[Part]]:
    day = case((Total.currency == Campaign.currency, null()), else_=Total.day)
    rows = db.session.execute(
        select(
            Total.listing_id,
            Total.kind,
            Total.currency,
            day,
            func.sum(Total.amount_minor),
            func.sum(Total.donations),
        )
        .join(Listing, Listing.id == Total.listing_id)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .where(which, Total.kind.in_(COUNTED))
        .group_by(Total.listing_id, Total.kind, Total.currency, day)
    )
    return _parts(rows)


def _entries(which: ColumnElement[bool]) -> defaultdict[int, list[Part]]:
    day = case((Entry.currency == Campaign.currency, null()), else_=Entry.day)
    rows = db.session.execute(
        select(
            Entry.listing_id,
            Entry.kind,
            Entry.currency,
            day,
            func.sum(Entry.amount_minor),
            func.sum(Entry.donations),
        )
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .where(which, counts())
        .group_by(Entry.listing_id, Entry.kind, Entry.currency, day)
    )
    return _parts(rows)


def _parts(
    rows: Iterable[tuple[int | None, EntryKind, str, date | None, int, int]],
) -> defaultdict[int, list[Part]]:
    parts: defaultdict[int, list[Part]] = defaultdict(list)
    for listing_id, kind, currency, day, amount, donations in rows:
        if listing_id is not None:
            # PostgreSQL's sums are decimals.
            parts[listing_id].append(Part(kind, Money(int(amount), currency), int(donations), day))
    return parts
