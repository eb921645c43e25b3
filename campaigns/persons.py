"""Persons: one row of donors, with those that were merged into it; merges make no chains."""

from sqlalchemy import func, or_, select

from campaigns.db import db
from campaigns.model.donor import Donor


def behind(donor_id: int | None) -> int | None:
    """The row that the person of a row stands under now; None where there is no such row."""
    into = select(func.coalesce(Donor.merged_into, Donor.id)).where(Donor.id == donor_id)
    return None if donor_id is None else db.session.scalar(into)


def rows_of(donor_id: int) -> list[int]:
    """Every row of the person: the one they stand under, and those that were merged into it."""
    person = behind(donor_id)
    rows = select(Donor.id).where(or_(Donor.id == person, Donor.merged_into == person))
    return list(db.session.scalars(rows.order_by(Donor.id)))
