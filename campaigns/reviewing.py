"""Reviewing: what an import's rows would change, and what people decide about them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update

from campaigns import audit, batches, figures, steps
from campaigns.batches import ROWS
from campaigns.db import db
from campaigns.model.entry import COUNTED, EntryKind
from campaigns.model.imported import Decision, Import, ImportState, RowVerdict
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.verdicts import SIGNED


class NotTakeable(ValueError):
    """Rows of this verdict cannot be taken: the message says what to do instead."""


@dataclass(frozen=True)
class Effect:
    """A listing's published figure now, and as it would be or was made by the import."""

    listing: Listing
    now: Money
    then: Money
    rows: int


@dataclass
class Counts:
    """How many rows there are of each verdict, and how many of them would be booked or wait."""

    by_verdict: dict[RowVerdict, int] = field(default_factory=dict)
    planned: int = 0
    unplaced: int = 0


def counts(one: Import) -> Counts:
    """Its rows by verdict; of a large import this takes a second."""
    planned, said = batches.planned(one.decisions), batches.decided(one.decisions)
    unplaced = f"listing_id IS NULL AND verdict = 'new' AND COALESCE({said}, 'take') = 'take'"
    found = Counts(dict.fromkeys(RowVerdict, 0))
    rows = batches.run(
        f"SELECT verdict, count(*), sum(CASE WHEN {planned} THEN 1 ELSE 0 END),"  # noqa: S608
        f" sum(CASE WHEN {unplaced} THEN 1 ELSE 0 END)"
        " FROM import_rows WHERE import_id = :id GROUP BY verdict",
        id=one.id,
    )
    for verdict, number, ready, waiting in rows:
        found.by_verdict[RowVerdict(verdict)] = number
        found.planned += int(ready)
        found.unplaced += int(waiting)
    return found


def effects(one: Import) -> list[Effect]:
    """What committing would do to the figure of each listing that it books to, by its rule."""
    planned = batches.planned(one.decisions)
    ids = batches.run(
        "SELECT listing_id, count(*) FROM import_rows "  # noqa: S608
        f"WHERE import_id = :id AND {planned} GROUP BY listing_id ORDER BY listing_id",
        id=one.id,
    ).all()
    listings = {one.id: one for one in _listings([row[0] for row in ids])}
    found = figures.of(list(listings.values()))
    shown = []
    for listing_id, rows in ids:
        listing, figure = listings[listing_id], found[listing_id]
        now = figure.raised(listing.currency)
        moment = figure.report.moment if figure.report else None
        then = now + _added(one, listing, moment)
        shown.append(Effect(listing, now, then, rows))
    return shown


def decide(
    one: Import, positions: Collection[int], decision: Decision | None, now: datetime, by: Staff
) -> int:
    """Say of single rows that they are to be booked or left, or take that back; how many it met.

    To take is for rows that are ambiguous since another entry looks like them, and for those that
    are no donation but have all that booking needs. What differs is corrected at its entry, by
    hand and one by one. Raises `NotOpen`.
    """
    steps.demand(one, ImportState.REVIEW)
    which: list[Any] = [ROWS.c.import_id == one.id, ROWS.c.position.in_(list(positions))]
    if decision is Decision.TAKE:
        which.append(text(f"({_TAKEABLE})"))
    done = db.session.execute(update(ROWS).where(*which).values(decision=decision))
    met: int = done.rowcount  # type: ignore[attr-defined]
    audit.record(
        "decided rows", one, now, by=by, changes={"rows": (None, f"{met} {decision or 'as read'}")}
    )
    return met


def decide_all(
    one: Import,
    verdict: RowVerdict,
    kind: EntryKind | None,
    decision: Decision | None,
    now: datetime,
    by: Staff,
) -> None:
    """Say it of all rows of a verdict, and kind if given; what is said of a single row wins.

    The second time it replaces what was said. Raises `NotOpen`, and `NotTakeable` for a verdict
    none of whose rows can be taken.
    """
    steps.demand(one, ImportState.REVIEW)
    if decision is Decision.TAKE and verdict not in _MAY_BE_TAKEN:
        raise NotTakeable("Rows that differ are corrected at their entries, one by one.")
    said: list[list[Any]] = [
        rule for rule in one.decisions if (rule[0], rule[1]) != (verdict.value, kind and kind.value)
    ]
    if decision is not None:
        said.append([verdict.value, kind and kind.value, decision.value])
    # Rules about a kind come before those about all kinds.
    one.decisions = sorted(said, key=lambda rule: rule[1] is None)
    about = f"{verdict}{f' {kind}' if kind else ''}"
    audit.record("decided rows", one, now, by=by, changes={about: (None, decision or "as read")})


_MAY_BE_TAKEN = (RowVerdict.NEW, RowVerdict.AMBIGUOUS, RowVerdict.NOT_A_DONATION)
_TAKEABLE = "verdict IN ('new', 'not_a_donation') OR verdict = 'ambiguous' AND entry_id IS NOT NULL"


def _added(one: Import, listing: Listing, after: datetime | None) -> Money:
    """What the import's rows add to a listing's figure: under `reported` only what came later."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(COUNTED))
    later = "AND occurred_at > :now" if after is not None and listing.rule is Rule.REPORTED else ""
    given = {"now": after} if later else {}
    minor = batches.run(
        f"SELECT sum({SIGNED}) FROM import_rows WHERE import_id = :id AND listing_id = :listing "  # noqa: S608
        f"AND currency = :currency AND kind IN ({kinds}) {later} "
        f"AND {batches.planned(one.decisions)}",
        id=one.id,
        listing=listing.id,
        currency=listing.currency,
        **given,
    ).scalar()
    return Money(int(minor or 0), listing.currency)


def _listings(ids: Collection[int]) -> Sequence[Listing]:
    return db.session.scalars(select(Listing).where(Listing.id.in_(ids))).all()
