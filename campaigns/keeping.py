"""Keeping: segments under a name, to be chosen for mailings and changed later."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from campaigns import audit
from campaigns.db import db
from campaigns.model.segment import Definition, Segment
from campaigns.model.staff import Staff


class NameTaken(ValueError):
    """Another segment has the name. Its text is a sentence for whoever chose it."""


def every() -> Sequence[Segment]:
    """All segments that are kept, by name."""
    return db.session.scalars(select(Segment).order_by(Segment.name, Segment.id)).all()


def keep(
    name: str, definition: Definition, by: Staff, now: datetime, segment: Segment | None = None
) -> Segment:
    """Keep a new segment, or change `segment`. Mailings that were given it stay as they are.

    Raises `NameTaken`. The second time writes the same again.
    """
    new = segment is None
    segment = segment or Segment(created_at=now)
    before = segment.definition
    # What is refused takes nothing with it that the caller did before.
    try:
        with db.session.begin_nested():
            segment.name, segment.definition = name, definition.stored()
            segment.changed_at, segment.changed_by = now, by.id
            db.session.add(segment)
            db.session.flush()
    except IntegrityError as error:
        raise NameTaken(_("Another segment has this name.")) from error
    changes = {"definition": (before, segment.definition)}
    audit.record("kept segment" if new else "changed segment", segment, now, by=by, changes=changes)
    db.session.flush()
    return segment


def drop(segment: Segment, by: Staff, now: datetime) -> None:
    """Forget a segment. Mailings keep the definition that they were given."""
    audit.record("dropped segment", segment, now, by=by)
    db.session.delete(segment)
    db.session.flush()
