"""Likeness: donors who may be one person by their name, and those of whom staff know better."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Select, Table, exists, func, select
from sqlalchemy.orm import aliased, joinedload

from campaigns import audit
from campaigns.db import db, insert
from campaigns.model.apart import Apart
from campaigns.model.donor import Donor
from campaigns.model.staff import Staff

# Of each name so many of the newest are compared with each other: a common one has thousands.
NEWEST = 8
APART = cast(Table, Apart.__table__)


def alike(limit: int = 50) -> list[tuple[Donor, Donor]]:
    """Two of each name that several have, who may be one person: only staff can tell.

    The newest two whom nobody has told apart; names that came up again lately first.
    """
    pairs = _pairs().subquery()
    names = select(
        pairs.c.donor_id,
        pairs.c.other_id,
        func.row_number()
        .over(
            partition_by=pairs.c.name, order_by=(pairs.c.other_id.desc(), pairs.c.donor_id.desc())
        )
        .label("nth"),
    ).subquery()
    one, other = aliased(Donor), aliased(Donor)
    found = db.session.execute(
        select(one, other)
        .join_from(names, one, one.id == names.c.donor_id)
        .join(other, other.id == names.c.other_id)
        .where(names.c.nth == 1)
        .order_by(other.id.desc())
        .limit(limit)
    )
    return [(first, second) for first, second in found]


def tell_apart(one: Donor, other: Donor, now: datetime, by: Staff) -> None:
    """They are two people: do not suggest them again. The second time changes nothing.

    Raises `ValueError` for one row.
    """
    if one.id == other.id:
        raise ValueError("A row cannot be told apart from itself.")
    first, second = sorted((one, other), key=lambda row: row.id)
    told = db.session.execute(
        insert(APART)
        .values(donor_id=first.id, other_id=second.id, at=now, staff_id=by.id)
        .on_conflict_do_nothing()
        .returning(APART.c.donor_id)
    ).first()
    if told is not None:
        audit.record("told donors apart", first, now, by=by, changes={"other": (None, second.id)})


def suggest_again(apart: Apart, now: datetime, by: Staff) -> None:
    """Nobody knows any more that they are two people."""
    changes = {"other": (apart.other_id, None)}
    audit.record("suggest donors again", apart.donor, now, by=by, changes=changes)
    db.session.delete(apart)
    db.session.flush()


def apart(one: Donor, other: Donor) -> Apart | None:
    """What staff said of the two, in either order."""
    ids = sorted((one.id, other.id))
    return db.session.get(Apart, (ids[0], ids[1]))


def told_apart(limit: int = 50) -> Sequence[Apart]:
    """Those told apart last. Whoever was merged or forgotten since is left out."""
    one, other = aliased(Donor), aliased(Donor)
    told = (
        select(Apart)
        .join(one, one.id == Apart.donor_id)
        .join(other, other.id == Apart.other_id)
        .where(_is_known(one), _is_known(other))
        .options(joinedload(Apart.donor), joinedload(Apart.other), joinedload(Apart.staff))
    )
    return db.session.scalars(told.order_by(Apart.at.desc()).limit(limit)).all()


def _pairs() -> Select[str, int, int]:
    """Of each name that several have: every two of its newest whom nobody told apart."""
    name = func.lower(func.trim(Donor.name))
    several = (
        select(name)
        .where(_is_known(Donor), name != "")
        .group_by(name)
        .having(func.count() > 1)
        .scalar_subquery()
    )
    nth = func.row_number().over(partition_by=name, order_by=Donor.id.desc())
    newest = (
        select(Donor.id, name.label("name"), nth.label("nth"))
        .where(_is_known(Donor), name.in_(several))
        .cte("newest")
    )
    one, other = newest.alias("one"), newest.alias("other")
    return (
        select(one.c.name, one.c.id.label("donor_id"), other.c.id.label("other_id"))
        .join_from(one, other, (one.c.name == other.c.name) & (one.c.id < other.c.id))
        .where(one.c.nth <= NEWEST, other.c.nth <= NEWEST)
        .where(~exists().where(Apart.donor_id == one.c.id, Apart.other_id == other.c.id))
    )


def _is_known(donor: type[Donor]) -> ColumnElement[bool]:
    return donor.merged_into.is_(None) & donor.address.is_not(None)
