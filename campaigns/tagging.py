"""Tagging: where a donor lives and the tags that staff keep, to select donors by."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import cast

from flask_babel import gettext as _
from sqlalchemy import Table, delete, select, update

from campaigns import audit, persons
from campaigns.db import db, insert
from campaigns.model.donor import Donor
from campaigns.model.staff import Staff
from campaigns.model.tag import LONGEST_TAG, MOST_TAGS, DonorTag, tag_of

_SEPARATORS = re.compile(r"[,;，；、\n]")


class BadTag(ValueError):
    """A tag is too long, or there are too many. Its text is a sentence for whoever typed it."""


def read(text: str) -> tuple[str, ...]:
    """The tags in a line that somebody typed, with commas between them. Raises `BadTag`."""
    tags = tuple(sorted({tag_of(one) for one in _SEPARATORS.split(text)} - {""}))
    if any(len(tag) > LONGEST_TAG for tag in tags):
        raise BadTag(_("A tag has at most %(max)d characters.", max=LONGEST_TAG))
    if len(tags) > MOST_TAGS:
        raise BadTag(_("At most %(max)d tags, please.", max=MOST_TAGS))
    return tags


def of(donor: Donor) -> tuple[str, ...]:
    """The person's tags, those of rows merged into theirs too."""
    tags = select(DonorTag.tag).where(DonorTag.donor_id.in_(persons.rows_of(donor.id))).distinct()
    return tuple(db.session.scalars(tags.order_by(DonorTag.tag)))


def place(donor: Donor) -> str | None:
    """Where the person lives, as their own row says, else one that was merged into it."""
    said = select(Donor.place).where(
        Donor.id.in_(persons.rows_of(donor.id)), Donor.place.is_not(None)
    )
    return db.session.scalar(said.order_by(Donor.id != donor.id, Donor.id).limit(1))


def known() -> list[str]:
    """Every tag that somebody carries."""
    return list(db.session.scalars(select(DonorTag.tag).distinct().order_by(DonorTag.tag)))


def describe(
    donor: Donor, place_now: str | None, tags: Collection[str], by: Staff, now: datetime
) -> None:
    """Keep the person's place and tags, as `read` gave them; the second time changes nothing.

    What rows that were merged into theirs say otherwise is forgotten.
    """
    before, place_before = of(donor), place(donor)
    changes: dict[str, tuple[object, object]] = {}
    if place_before != place_now:
        changes["place"] = (place_before, place_now)
        rows = persons.rows_of(donor.id)
        others = update(Donor).where(Donor.id.in_(rows), Donor.place.is_not(None))
        db.session.execute(others.values(place=None))
        donor.place = place_now
    if set(before) != set(tags):
        changes["tags"] = (before, tags)
        gone = DonorTag.tag.not_in(list(tags)), DonorTag.donor_id.in_(persons.rows_of(donor.id))
        db.session.execute(delete(DonorTag).where(*gone))
        add([donor.id], set(tags) - set(before))
    if changes:
        audit.record("described donor", donor, now, by=by, changes=changes)
    db.session.flush()


def move(donor: Donor, zone: str | None, by: Staff, now: datetime) -> None:
    """Keep by which zone's clocks the person lives, None if nobody knows; twice changes nothing."""
    if donor.timezone != zone:
        changes = {"timezone": (donor.timezone, zone)}
        audit.record("described donor", donor, now, by=by, changes=changes)
        donor.timezone = zone
        db.session.flush()


def add(donor_ids: Collection[int], tags: Collection[str]) -> None:
    """Give each of these donors each tag, as `read` gave them; whoever has one keeps it."""
    rows = [{"donor_id": id, "tag": tag} for id in sorted(donor_ids) for tag in sorted(tags)]
    if rows:
        table = cast(Table, DonorTag.__table__)
        db.session.execute(insert(table).on_conflict_do_nothing(), rows)
