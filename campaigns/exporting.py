"""Exporting: entries and donors as tables, read row by row in a transaction that only reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, case, func, select

from campaigns import givers
from campaigns.db import db
from campaigns.files.export import Cell
from campaigns.model.campaign import Campaign
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.gift import Gift
from campaigns.model.imported import stands
from campaigns.model.listing import Listing
from campaigns.money import Money

# Rows that the database hands over at once.
_AT_ONCE = 1000


@dataclass(frozen=True)
class Table:
    """Names of columns, and a statement whose rows are made into cells one by one."""

    columns: tuple[str, ...]
    query: Select[Any]
    cells: Callable[[Any], Sequence[Cell]]

    def rows(self, engine: Engine) -> Iterator[Sequence[Cell]]:
        """The rows, over a connection of their own: whoever reads them may take their time."""
        with engine.connect() as plain:
            options = {"postgresql_readonly": True, "reading": True, "yield_per": _AT_ONCE}
            for row in plain.execution_options(**options).execute(self.query):
                yield self.cells(row)

    def longer_than(self, rows: int) -> bool:
        """Whether there are more rows than this."""
        some = self.query.limit(rows + 1).subquery()
        return (db.session.scalar(select(func.count()).select_from(some)) or 0) > rows


def entries(which: Sequence[ColumnElement[bool]], zone: tzinfo, words: Mapping[str, str]) -> Table:
    """The entries that these clauses choose, newest first. No column names a person.

    `words` are what kinds, stages and doors are called.
    """
    numbers = (
        select(func.aggregate_strings(EntryKey.scheme + " " + EntryKey.value, "; "))
        .where(EntryKey.entry_id == Entry.id)
        .scalar_subquery()
    )
    query = (
        select(
            *Entry.__table__.columns,
            Campaign.slug,
            Listing.platform,
            Listing.external_id,
            numbers.label("numbers"),
        )
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .outerjoin(Listing, Listing.id == Entry.listing_id)
        .where(stands(), *which)
        .order_by(Entry.id.desc())
    )

    return Table(ENTRY_COLUMNS, query, lambda row: _entry(row, zone, words))


ENTRY_COLUMNS = (
    "number",
    "when",
    "day",
    "kind",
    "stage",
    "amount",
    "currency",
    "donations",
    "campaign",
    "platform",
    "listing",
    "source",
    "door",
    "numbers",
    "regards",
    "reverses",
    "reason",
    "booked",
    "notice",
    "import",
)


def people(text: str, zone: tzinfo) -> Table:
    """The donors that a search means (`givers.matching`), each person once with what they gave.

    Of each currency there is a column with what stands.
    """
    person = func.coalesce(Donor.merged_into, Donor.id)
    standing = (
        select(person.label("person"), Entry.currency, Entry.amount_minor, Entry.day, Entry.id)
        .select_from(Gift)
        .join(Donor, Donor.id == Gift.donor_id)
        .join(Entry, Entry.id == Gift.entry_id)
        .where(givers.stood())
        .subquery()
    )
    currencies = list(
        db.session.scalars(select(standing.c.currency).distinct().order_by(standing.c.currency))
    )
    sums = [
        func.sum(case((standing.c.currency == one, standing.c.amount_minor), else_=0)).label(one)
        for one in currencies
    ]
    said = func.count().label("gifts"), func.max(standing.c.day).label("last"), *sums
    given = select(standing.c.person, *said).group_by(standing.c.person).subquery()
    query = (
        givers.matching(text)
        .with_only_columns(*Donor.__table__.columns, *(given.c[one.name] for one in said))
        .outerjoin(given, given.c.person == Donor.id)
        .where(Donor.merged_into.is_(None))
        .order_by(Donor.id.desc())
    )

    columns = (*DONOR_COLUMNS, *(f"given {one}" for one in currencies))
    return Table(columns, query, lambda row: _person(row, zone, currencies))


DONOR_COLUMNS = ("number", "name", "address", "language", "since", "gifts", "last gift")


def _entry(row: Any, zone: tzinfo, words: Mapping[str, str]) -> Sequence[Cell]:
    return (
        row.id,
        row.occurred_at.astimezone(zone),
        row.day,
        words.get(row.kind, row.kind),
        row.stage and words.get(row.stage, row.stage),
        _amount(row.amount, row.currency),
        row.currency,
        row.donations,
        row.slug,
        row.platform,
        row.external_id,
        row.source,
        words.get(row.door, row.door),
        row.numbers,
        row.regards,
        row.reverses,
        row.reason,
        row.booked_at.astimezone(zone),
        row.notice_id,
        row.import_id,
    )


def _person(row: Any, zone: tzinfo, currencies: Sequence[str]) -> Sequence[Cell]:
    return (
        row.id,
        row.name,
        row.address,
        row.locale,
        row.created_at.astimezone(zone),
        row.gifts or 0,
        row.last,
        *(_amount(int(getattr(row, one) or 0), one) for one in currencies),
    )


def _amount(minor: int, currency: str) -> Decimal:
    return Decimal(Money(minor, currency).amount)
