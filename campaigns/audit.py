"""Audit: who did what, in the transaction that did it."""

from collections.abc import Mapping
from datetime import datetime

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.staff import Staff

# Fields of which a record says only that they changed (design §5 rule 3).
PERSONAL = frozenset(
    {"name", "email", "address", "message", "public_name", "body", "note", "place", "tags"}
)


def record(
    action: str,
    subject: object,
    now: datetime,
    *,
    by: Staff | None,
    changes: Mapping[str, tuple[object, object]] | None = None,
) -> None:
    """Write one record about a row. `by` is None for commands and the service itself.

    `changes` maps a field to what it was and is; of personal ones the values are dropped here, so
    that no caller has to remember. The subject must have its id: flush before.
    """
    db.session.add(
        AuditRecord(
            at=now,
            actor="staff" if by else "system",
            staff_id=by.id if by else None,
            action=action,
            subject=type(subject).__name__.lower(),
            subject_id=getattr(subject, "id", None),
            changes={field: _shown(field, *pair) for field, pair in (changes or {}).items()},
        )
    )


def _shown(field: str, before: object, after: object) -> list[str | None]:
    if field.rpartition(".")[2] in PERSONAL:
        return ["changed"]
    return [None if value is None else str(value) for value in (before, after)]
