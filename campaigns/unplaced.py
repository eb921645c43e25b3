"""Unplaced: rows of imported files that name no listing, those alike together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, select, update

from campaigns import audit
from campaigns.bookings import COMES_IN
from campaigns.db import db
from campaigns.model.imported import Decision, Import, ImportRow, turned, waits
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.suggestions import LETTERS, Named

# More currencies than one file has.
_CURRENCIES = 50


@dataclass(frozen=True)
class Group:
    """Rows of one imported file that wait and name the same, by what their order numbers begin
    with; so many of them, and their sums by currency. `first` and `last` are the days they are of.
    """

    of: Import
    ref: str | None
    begins: str
    count: int
    sums: tuple[Money, ...]
    first: date
    last: date
    order: str | None
    regards: str | None

    @property
    def named(self) -> Named:
        return Named(self.of.source, self.order, self.ref, self.regards)


def groups(most: int = 100) -> list[Group]:
    """The rows that wait, those alike together, the newest file first; at most so many groups."""
    return _groups(waits(), most)


def contradicted(most: int = 50) -> list[tuple[ImportRow, Import]]:
    """Rows that the ledger contradicted while their file was booked, the newest file first."""
    rows = db.session.execute(
        select(ImportRow, Import)
        .join(Import, Import.id == ImportRow.import_id)
        .where(turned())
        .order_by(ImportRow.import_id.desc(), ImportRow.position)
        .limit(most)
    )
    return [(row, of) for row, of in rows]


def group(import_id: int, ref: str | None, begins: str) -> Group | None:
    """The group of this file that names this; None if nothing of it waits any more."""
    of = and_(waits(), _names(import_id, ref, begins))
    return next(iter(_groups(of, _CURRENCIES)), None)


def rows_of(group: Group, after: int, most: int) -> list[ImportRow]:
    """The next of a group's rows that wait, behind a position."""
    rows = select(ImportRow).where(_in(group), ImportRow.position > after)
    return list(db.session.scalars(rows.order_by(ImportRow.position).limit(most)))


def leave(group: Group, reason: str, now: datetime, by: Staff) -> int:
    """A person decided that a group's rows are not booked; how many those were."""
    positions = select(ImportRow.position).where(_in(group)).scalar_subquery()
    left = update(ImportRow).where(
        ImportRow.import_id == group.of.id, ImportRow.position.in_(positions)
    )
    done = left.values(decision=Decision.LEAVE, reason=reason[:300]).returning(ImportRow.position)
    options = {"synchronize_session": False}
    count = len(db.session.execute(done.execution_options(**options)).all())
    if count:
        changes = {"rows": (None, count), "reason": (None, reason)}
        audit.record("left rows", group.of, now, by=by, changes=changes)
    return count


def _groups(which: ColumnElement[bool], most: int) -> list[Group]:
    by = (ImportRow.import_id, ImportRow.ref, _begins())
    found = db.session.execute(
        select(
            *by,
            ImportRow.currency,
            func.count(),
            func.sum(_signed()),
            func.min(ImportRow.day),
            func.max(ImportRow.day),
            func.min(ImportRow.order),
            func.min(ImportRow.regards),
        )
        .where(which)
        .group_by(*by, ImportRow.currency)
        .order_by(ImportRow.import_id.desc(), func.count().desc())
        .limit(most)
    ).all()
    alike: defaultdict[tuple[int, str | None, str], list[Any]] = defaultdict(list)
    for id, ref, begins, *figures in found:
        alike[id, ref, begins].append(figures)
    return [_group(*key, figures) for key, figures in alike.items()]


def _group(id: int, ref: str | None, begins: str, figures: Sequence[Any]) -> Group:
    """`figures`: of each currency, its code, how many, their sum, first and last day, and
    one of their orders and of the keys they are about."""
    currencies, counts, amounts, firsts, lasts, orders, about = zip(*figures, strict=True)
    return Group(
        of=db.session.get_one(Import, id),
        ref=ref,
        begins=begins,
        count=sum(counts),
        sums=tuple(Money(int(m), c) for c, m in zip(currencies, amounts, strict=True) if c),
        first=min(firsts),
        last=max(lasts),
        order=orders[0],
        regards=about[0],
    )


def _in(group: Group) -> ColumnElement[bool]:
    return and_(waits(), _names(group.of.id, group.ref, group.begins))


def _names(import_id: int, ref: str | None, begins: str) -> ColumnElement[bool]:
    return and_(
        ImportRow.import_id == import_id,
        ImportRow.ref.is_not_distinct_from(ref),
        _begins() == begins,
    )


def _begins() -> ColumnElement[str]:
    """`beginning` of a row's order number."""
    # Written out, since PostgreSQL takes two parameters of one value for two expressions.
    order = func.coalesce(ImportRow.order, literal_column("''"))
    letters: ColumnElement[str] = literal_column(f"'{LETTERS}'")
    length = func.length(order) - func.length(func.ltrim(order, letters))
    return func.substr(order, literal_column("1"), length)


def _signed() -> ColumnElement[int]:
    return case(
        (ImportRow.kind.in_(COMES_IN), ImportRow.amount_minor), else_=-ImportRow.amount_minor
    )
