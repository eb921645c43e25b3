"""Donors by address: the same address is the same person, whichever door they came in by."""

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


def hashed(address: Address) -> str:
    """The address's permanent pseudonym."""
    return address_hash(settings().address_pepper, address.text)


def _followed(donor: Donor | None) -> Donor | None:
    while donor is not None and donor.merged_into is not None:
        donor = db.session.get(Donor, donor.merged_into)
    return donor
