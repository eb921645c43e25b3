"""Verdicts about contacts: what a row of a file would change, and why it changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from zoneinfo import available_timezones

from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import donors, tagging
from campaigns.db import db
from campaigns.files.pasted import Line
from campaigns.mail.address import Address, BadAddress
from campaigns.model.consent import Consent, Purpose
from campaigns.model.donor import Donor
from campaigns.model.suppression import Suppression
from campaigns.tagging import BadTag

Value = TypeVar("Value")
About = tuple[Purpose, int | None]  # a purpose, and the campaign if it is of one
LONGEST_NAME, LONGEST_PLACE = 200, 120
LANGUAGES = {
    "": None, "zh-hans": "zh-Hans", "zh": "zh-Hans", "zh-cn": "zh-Hans", "中文": "zh-Hans",
    "chinese": "zh-Hans", "en": "en", "english": "en", "英文": "en", "英语": "en",
}  # fmt: skip
# Numbers in one statement; SQLite takes some thousands.
_AT_ONCE = 500


class Verdict(StrEnum):
    """new: becomes a donor. agrees: known, and now agrees to something. known: has agreed before.
    declined: said no themselves. suppressed: gets nothing, erased or not. repeated: stands above
    already. invalid: no mail address. bad: another cell cannot be read."""

    NEW = "new"
    AGREES = "agrees"
    KNOWN = "known"
    DECLINED = "declined"
    SUPPRESSED = "suppressed"
    REPEATED = "repeated"
    INVALID = "invalid"
    BAD = "bad"


@dataclass(frozen=True)
class Contact:
    """A row that can be read."""

    address: Address
    name: str | None
    locale: str | None
    timezone: str | None
    place: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """A row with its verdict; `reason` says what is wrong, `gives` what is agreed to by it."""

    line: Line
    verdict: Verdict
    contact: Contact | None = None
    reason: str = ""
    gives: tuple[About, ...] = ()


def judge(lines: Sequence[Line], purposes: Collection[About]) -> list[Judged]:
    """Every row, in their order. Reads only; the words of reasons are in the language at hand."""
    zones, seen, judged = available_timezones(), set[str](), list[Judged]()
    for line in lines:
        row = _read(line, zones)
        if row.contact is not None:
            address = row.contact.address.text
            if address in seen:
                row = replace(row, verdict=Verdict.REPEATED)
            seen.add(address)
        judged.append(row)
    return _looked_up(judged, purposes)


def _read(line: Line, zones: Collection[str]) -> Judged:
    try:
        address = Address.parse(line["address"])
    except BadAddress:
        return Judged(line, Verdict.INVALID)
    try:
        contact = Contact(
            address,
            _short(line["name"], LONGEST_NAME),
            _language(line["language"]),
            _zone(line["time zone"], zones),
            _short(line["place"], LONGEST_PLACE),
            tagging.read(line["tags"]),
        )
    except (BadTag, _BadCell) as error:
        return Judged(line, Verdict.BAD, reason=str(error))
    return Judged(line, Verdict.NEW, contact)


class _BadCell(ValueError):
    """Its text is a sentence for whoever handed in the file."""


def _short(text: str, most: int) -> str | None:
    plain = " ".join(text.split())
    if len(plain) > most:
        raise _BadCell(_("At most %(max)d characters.", max=most))
    return plain or None


def _language(text: str) -> str | None:
    try:
        return LANGUAGES[text.strip().casefold()]
    except KeyError:
        raise _BadCell(_("No language we write in: use zh-Hans or en.")) from None


def _zone(text: str, zones: Collection[str]) -> str | None:
    if text and text not in zones:
        raise _BadCell(_("No time zone: use a name such as Asia/Shanghai."))
    return text or None


def _looked_up(judged: Sequence[Judged], purposes: Collection[About]) -> list[Judged]:
    """With what is known of the addresses of rows that could be new."""
    hashes = [_hash(row) for row in judged if row.verdict is Verdict.NEW]
    people = _people(hashes)
    suppressed = _suppressed([*hashes, *(one.address_hash or "" for one in people.values())])
    said = _said({one.id for one in people.values()})
    result = []
    for row in judged:
        if row.verdict is Verdict.NEW:
            digest = _hash(row)
            person = people.get(digest)
            gone = person is not None and (
                person.erased_at is not None or person.address_hash in suppressed
            )
            row = _known(row, person, gone or digest in suppressed, said, purposes)
        result.append(row)
    return result


def _known(
    row: Judged,
    person: Donor | None,
    suppressed: bool,
    said: dict[int, dict[About, bool]],
    purposes: Collection[About],
) -> Judged:
    if suppressed:
        return replace(row, verdict=Verdict.SUPPRESSED)
    if person is None:
        return replace(row, gives=tuple(purposes))
    before = said[person.id]
    gives = tuple(about for about in purposes if about not in before)
    declined = any(before.get(about) is False for about in purposes)
    verdict = Verdict.AGREES if gives else Verdict.DECLINED if declined else Verdict.KNOWN
    return replace(row, verdict=verdict, gives=gives)


def _hash(row: Judged) -> str:
    return donors.hashed(row.contact.address) if row.contact else ""


def _people(hashes: Sequence[str]) -> dict[str, Donor]:
    """Who is at each address, followed to the row they were merged into."""
    rows = {
        donor.address_hash or "": donor
        for some in _cut(hashes)
        for donor in db.session.scalars(select(Donor).where(Donor.address_hash.in_(some)))
    }
    into = {one.merged_into for one in rows.values() if one.merged_into is not None}
    persons = {
        donor.id: donor
        for some in _cut(sorted(into))
        for donor in db.session.scalars(select(Donor).where(Donor.id.in_(some)))
    }
    return {digest: persons.get(one.merged_into or 0, one) for digest, one in rows.items()}


def _suppressed(hashes: Sequence[str]) -> set[str]:
    found = (
        db.session.scalars(
            select(Suppression.address_hash).where(Suppression.address_hash.in_(some))
        )
        for some in _cut(hashes)
    )
    return {digest for some in found for digest in some}


def _said(ids: Collection[int]) -> dict[int, dict[About, bool]]:
    """What each person last said about each purpose."""
    said: defaultdict[int, dict[About, bool]] = defaultdict(dict)
    for some in _cut(sorted(ids)):
        rows = select(Consent.donor_id, Consent.purpose, Consent.campaign_id, Consent.given)
        asked = rows.where(Consent.donor_id.in_(some)).order_by(Consent.id)
        for donor_id, purpose, campaign_id, given in db.session.execute(asked):
            said[donor_id][purpose, campaign_id] = given
    return said


def _cut(values: Sequence[Value]) -> Iterable[Sequence[Value]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
