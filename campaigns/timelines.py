"""Timelines: a person has seen that the database was set back."""

from datetime import datetime

from campaigns import audit
from campaigns.db import db
from campaigns.model.staff import Staff
from campaigns.model.timeline import Timeline


def confirm(timeline: Timeline, by: Staff | None, now: datetime) -> None:
    """What came since was looked after: thanks go out again. The second time changes nothing."""
    if timeline.confirmed_at is not None:
        return
    timeline.confirmed_at, timeline.confirmed_by = now, by.id if by else None
    audit.record("confirmed timeline", timeline, now, by=by)
    db.session.flush()
