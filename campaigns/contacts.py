"""Contacts: a file's people become donors who agreed to something, on a basis that is recorded."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import IO, Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, select

from campaigns import audit, contact_verdicts, donors, stored, tagging
from campaigns.contact_verdicts import About, Contact, Judged, Verdict
from campaigns.db import db
from campaigns.donors import Person
from campaigns.files import contacts as files
from campaigns.files.pasted import Line
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.contact_import import ContactImport, ContactImportState
from campaigns.model.donor import Donor
from campaigns.model.file import File
from campaigns.model.imported import Import, ImportState
from campaigns.model.organisation import first_language
from campaigns.model.staff import Staff
from config import settings

# Verdicts whose rows are kept, if only with a place or tags that were not known.
KEPT = frozenset({Verdict.NEW, Verdict.AGREES, Verdict.KNOWN})
# What nobody committed for so long is discarded: it holds addresses.
REVIEW_LASTS = timedelta(days=1)
_AT_ONCE = 500
CONSENTS = cast(Table, Consent.__table__)
State = ContactImportState


class NotOpen(Exception):
    """The import was committed or discarded before."""


class Changed(Exception):
    """The rows would not become what was shown: look again."""


@dataclass(frozen=True)
class Basis:
    """Why we may write to a file's people: who asked them, when, how, in which words, for what."""

    asked_by: str
    agreed_on: date
    how: str
    words: str
    purposes: tuple[About, ...]

    def __post_init__(self) -> None:
        if not (self.asked_by and self.how and self.words and self.purposes):
            raise ValueError("A basis says who asked, how, in which words and for what.")


def add(
    file: IO[bytes], name: str, basis: Basis, now: datetime, by: Staff | None
) -> tuple[ContactImport, list[Line]]:
    """An import under review, with its file's rows. Raises what `files.bad.BadFile` stands for."""
    lines = files.read(file)
    file.seek(0)
    one = ContactImport(
        name=name[:200],
        sha256=sha256(file.read()).hexdigest(),
        state=State.REVIEW,
        purposes=[list(about) for about in basis.purposes],
        asked_by=basis.asked_by,
        agreed_on=basis.agreed_on,
        how=basis.how,
        words=basis.words,
        locale=first_language(),
        counts={},
        staff_id=by.id if by else None,
        created_at=now,
    )
    db.session.add(one)
    db.session.flush()
    return one, lines


def keep(one: ContactImport, file: File) -> None:
    """Keep the file's bytes for as long as the import is under review."""
    one.file_id = file.id
    db.session.flush()


def lines_of(one: ContactImport) -> list[Line]:
    """The rows of an import under review. Raises `NotOpen`."""
    if one.state is not State.REVIEW or one.file_id is None:
        raise NotOpen
    with stored.opened(one.file_id) as file:
        return files.read(file)


def judged(one: ContactImport, lines: Sequence[Line]) -> list[Judged]:
    """What each row would change now."""
    return contact_verdicts.judge(lines, purposes(one))


def counted(rows: Sequence[Judged]) -> dict[str, int]:
    """How many rows have which verdict."""
    found = Counter(row.verdict for row in rows)
    return {verdict.value: found[verdict] for verdict in Verdict if found[verdict]}


def purposes(one: ContactImport) -> tuple[About, ...]:
    return tuple((Purpose(purpose), campaign_id) for purpose, campaign_id in one.purposes)


def commit(
    one: ContactImport,
    lines: Sequence[Line],
    shown: dict[str, int],
    now: datetime,
    by: Staff | None,
) -> None:
    """Keep the rows that can be kept, all in this transaction; others change nothing.

    What is known of a donor stays; what is missing is filled in and tags are added. `shown` is how
    many rows had which verdict when a person looked: raises `Changed` if that is no longer so, and
    `NotOpen` the second time.
    """
    _settle(one, State.COMMITTED, now)
    rows = judged(one, lines)
    one.counts = counted(rows)
    if one.counts != shown:
        raise Changed
    kept = [row for row in rows if row.verdict in KEPT]
    for start in range(0, len(kept), _AT_ONCE):
        _keep(one, kept[start : start + _AT_ONCE], now)
    changes: dict[str, tuple[object, object]] = {name: (None, n) for name, n in shown.items()}
    audit.record("imported contacts", one, now, by=by, changes=changes)
    _forget_file(one)


def discard(one: ContactImport, now: datetime, by: Staff | None) -> None:
    """Nobody of the file is kept. Raises `NotOpen` the second time."""
    _settle(one, State.DISCARDED, now)
    audit.record("discarded contacts", one, now, by=by)
    _forget_file(one)


def sweep(now: datetime) -> None:
    """Discard what stood under review for too long."""
    old = ContactImport.state == State.REVIEW, ContactImport.created_at < now - REVIEW_LASTS
    for one in db.session.scalars(select(ContactImport).where(*old)).all():
        discard(one, now, None)


def _settle(one: ContactImport, state: State, now: datetime) -> None:
    """Of two at once one waits here and raises `NotOpen`."""
    db.session.refresh(one, with_for_update=True)
    if one.state is not State.REVIEW:
        raise NotOpen
    one.state, one.settled_at = state, now


def _keep(one: ContactImport, rows: Sequence[Judged], now: datetime) -> None:
    contacts = [row.contact for row in rows if row.contact]
    people = [Person(each.address, each.name, each.locale) for each in contacts]
    found = donors.at_or_new_all(people, now)
    tagged: dict[tuple[str, ...], list[int]] = {}
    for donor, contact in zip(found, contacts, strict=True):
        _fill_in(donor, contact)
        tagged.setdefault(contact.tags, []).append(donor.id)
    db.session.flush()
    for tags, ids in tagged.items():
        tagging.add(ids, tags)
    given: dict[tuple[int, About], dict[str, Any]] = {}
    for donor, row in zip(found, rows, strict=True):
        for about in row.gives:
            # Two addresses of one person agree once.
            given[donor.id, about] = _consent(one, donor, about)
    if given:
        db.session.execute(CONSENTS.insert(), list(given.values()))


def _fill_in(donor: Donor, contact: Contact) -> None:
    donor.timezone = donor.timezone or contact.timezone
    donor.place = donor.place or contact.place


def _consent(one: ContactImport, donor: Donor, about: About) -> dict[str, Any]:
    purpose, campaign_id = about
    return {
        "donor_id": donor.id,
        "purpose": purpose,
        "campaign_id": campaign_id,
        "given": True,
        "at": _moment(one),
        "source": ConsentSource.FILE,
        "wording": one.wording,
        "locale": donor.locale or one.locale,
    }


def _moment(one: ContactImport) -> datetime:
    """When the people agreed: the beginning of the day, which nobody knows more closely."""
    zone = ZoneInfo(settings().default_timezone)
    return datetime.combine(one.agreed_on, time(), zone).astimezone(UTC)


def _forget_file(one: ContactImport) -> None:
    """The bytes go, unless another import has the same file to show."""
    if one.file_id is None:
        db.session.flush()
        return
    file_id, one.file_id = one.file_id, None
    db.session.flush()
    stored.hold(file_id)
    others = select(ContactImport.id).where(ContactImport.file_id == file_id)
    money = select(Import.id).where(
        Import.file_id == file_id, Import.state != ImportState.DISCARDED
    )
    if db.session.scalar(others.limit(1)) is None and db.session.scalar(money.limit(1)) is None:
        while stored.drop(file_id):
            pass
