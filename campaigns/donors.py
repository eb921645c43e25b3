"""Donors by address: the same address is the same person, whichever door they came in by."""

from collections.abc import Mapping
from datetime import datetime

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


def at_or_new(address: Address, name: str | None, locale: str | None, now: datetime) -> Donor:
    """The donor at an address, made if there is none; a race ends with one row.

    The second call changes nothing that is known; it fills in a name or language that was missing,
    and gives an erased donor who came back their address again.
    """
    digest = hashed(address)
    insert = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert
    db.session.execute(
        insert(Donor)
        .values(address=address.text, address_hash=digest, name=name, locale=locale, created_at=now)
        .on_conflict_do_nothing(index_elements=["address_hash"])
    )
    donor = at(address)
    if donor is None:
        raise LookupError("A donor was made and is not there.")
    donor.name = donor.name or name
    donor.locale = donor.locale or locale
    if donor.address_hash == digest:
        donor.address = address.text
    return donor


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


def _merged(id: int, into: int | None) -> int:
    donor = _followed(db.session.get(Donor, into)) if into is not None else None
    return donor.id if donor else id


def _followed(donor: Donor | None) -> Donor | None:
    while donor is not None and donor.merged_into is not None:
        donor = db.session.get(Donor, donor.merged_into)
    return donor
