"""Donors by address: the same address is the same person, whichever door they came in by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from campaigns.crypto import address_hash
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.donor import Donor
from config import settings


def at(address: Address) -> Donor | None:
    """The donor at an address, followed to the one they were merged into; None if unknown."""
    return _followed(db.session.scalar(select(Donor).where(Donor.address_hash == hashed(address))))


class Person(NamedTuple):
    """Who is at an address, as far as somebody says."""

    address: Address
    name: str | None = None
    locale: str | None = None


def at_or_new(address: Address, name: str | None, locale: str | None, now: datetime) -> Donor:
    """`at_or_new_all` for one."""
    return at_or_new_all([Person(address, name, locale)], now)[0]


def at_or_new_all(people: Sequence[Person], now: datetime) -> list[Donor]:
    """The donor at each address, made where there is none; a race ends with one row.

    The second call changes nothing that is known; it fills in a name or language that was missing,
    and gives an erased donor who came back their address again.
    """
    if not people:
        return []
    digests = [hashed(person.address) for person in people]
    new = {
        digest: {
            "address": person.address.text,
            "address_hash": digest,
            "name": person.name,
            "locale": person.locale,
            "created_at": now,
        }
        for digest, person in reversed(list(zip(digests, people, strict=True)))
    }
    into = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert(Donor)
    rows = [new[digest] for digest in sorted(new)]
    db.session.execute(into.on_conflict_do_nothing(index_elements=["address_hash"]), rows)
    known = db.session.scalars(select(Donor).where(Donor.address_hash.in_(list(new))))
    found = {donor.address_hash: _followed(donor) for donor in known}
    donors = []
    for digest, person in zip(digests, people, strict=True):
        donor = found.get(digest)
        if donor is None:
            raise LookupError("A donor was made and is not there.")
        _fill_in(donor, digest, person)
        donors.append(donor)
    return donors


def at_or_new_many(people: Mapping[str, tuple[str, str | None]], now: datetime) -> dict[str, int]:
    """Donors' ids by the hashes of their addresses; `people` gives each address and name.

    As `at_or_new`, but in two statements, and what is known of a donor is not touched: an erased
    one who stands in an old file keeps no address.
    """
    if not people:
        return {}
    new = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert(Donor)
    db.session.execute(
        new.on_conflict_do_nothing(index_elements=["address_hash"]),
        [
            {"address": address, "address_hash": digest, "name": name, "created_at": now}
            for digest, (address, name) in sorted(people.items())
        ],
    )
    rows = db.session.execute(
        select(Donor.address_hash, Donor.id, Donor.merged_into).where(
            Donor.address_hash.in_(list(people))
        )
    )
    return {digest: _merged(id, into) for digest, id, into in rows if digest}


def hashed(address: Address) -> str:
    """The address's permanent pseudonym."""
    return address_hash(settings().address_pepper, address.text)


def _fill_in(donor: Donor, digest: str, person: Person) -> None:
    donor.name = donor.name or person.name
    donor.locale = donor.locale or person.locale
    if donor.address_hash == digest:
        donor.address = person.address.text


def _merged(id: int, into: int | None) -> int:
    donor = _followed(db.session.get(Donor, into)) if into is not None else None
    return donor.id if donor else id


def _followed(donor: Donor | None) -> Donor | None:
    while donor is not None and donor.merged_into is not None:
        donor = db.session.get(Donor, donor.merged_into)
    return donor
