"""The chain behind one entry: where its money came from, what became of it, and who decided."""

from dataclasses import dataclass
from datetime import datetime

from flask import current_app, url_for
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry
from campaigns.model.imported import Import, ImportRow
from campaigns.model.notice import Notice
from campaigns.model.staff import Permission, Staff
from campaigns.web.staff.session import me

# Nobody books the same money anew more often; a longer chain is shown in part.
LONGEST = 50


@dataclass(frozen=True)
class Origin:
    """What the entry was made from; `url` leads there, if there is a page this person may see."""

    door: Door
    words: str
    url: str | None = None
    at: datetime | None = None


def origin(entry: Entry) -> Origin:
    """The notice, the row of a file, or the person that the entry came from."""
    if entry.notice_id is not None:
        return _of_notice(db.session.get_one(Notice, entry.notice_id))
    if entry.import_id is not None and entry.reverses is None:
        return _of_file(entry.import_id, entry.import_row)
    return Origin(entry.door, name(entry.staff_id))


def family(entry: Entry) -> list[Entry]:
    """Every entry for the same money in the order they were booked: what this one replaces, what
    replaces it, and what takes each of them back."""
    original = entry if entry.reverses is None else db.session.get_one(Entry, entry.reverses)
    first = original
    for _step in range(LONGEST):
        if first.replaces is None:
            break
        first = db.session.get_one(Entry, first.replaces)
    found, ids = [first], [first.id]
    for _step in range(LONGEST):
        about = or_(Entry.reverses.in_(ids), Entry.replaces.in_(ids))
        more = db.session.scalars(
            select(Entry).where(about).options(selectinload(Entry.keys)).order_by(Entry.id)
        ).all()
        if not more:
            break
        found += more
        ids = [one.id for one in more]
    return sorted(found, key=lambda one: one.id)


def records(entries: list[Entry], notice_id: int | None) -> list[AuditRecord]:
    """What people did with these entries and with the notice they came by, the oldest first."""
    ours = (AuditRecord.subject == "entry") & AuditRecord.subject_id.in_([e.id for e in entries])
    theirs = (AuditRecord.subject == "notice") & (AuditRecord.subject_id == notice_id)
    which = ours if notice_id is None else or_(ours, theirs)
    return list(db.session.scalars(select(AuditRecord).where(which).order_by(AuditRecord.id)))


def name(staff_id: int | None) -> str:
    """A member of staff's name; the service's own where nobody decided."""
    staff = db.session.get(Staff, staff_id) if staff_id is not None else None
    return (staff.name or staff.email) if staff else _("the service itself")


def _of_notice(notice: Notice) -> Origin:
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    words = _("Notice %(number)s to “%(endpoint)s”", number=notice.id, endpoint=endpoint.name)
    seen = me().may(Permission.SEE_NOTICES)
    url = url_for("staff.notices.one", id=notice.id) if seen else None
    return Origin(Door.WEBHOOK, words, url, notice.received_at)


def _of_file(import_id: int, position: int | None) -> Origin:
    source = db.session.get(Import, import_id)
    row = db.session.get(ImportRow, (import_id, position))
    if source is None or row is None:
        return Origin(Door.FILE, _("Import %(number)s", number=import_id))
    words = _("Row %(row)s of “%(file)s”", row=row.number, file=source.member or source.name)
    known = "staff.import_rows.one" in current_app.view_functions
    url = url_for("staff.import_rows.one", id=import_id, position=position) if known else None
    return Origin(Door.FILE, words, url, source.created_at)
