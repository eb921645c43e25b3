"""Erasing at a donor's request: who may, what is shown before, what is left, and its record."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import suppression, tagging
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.donor import Donor
from campaigns.model.gift import Gift
from campaigns.model.staff import Role
from tests import make
from tests.people import entry
from tests.web.staff.conftest import Desk

ADA = "ada@example.org"
SURE = {"wish": "in writing", "sure": "y"}


@pytest.fixture
def administrator(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.ADMINISTRATOR)


@pytest.fixture
def ada(app: Flask) -> Donor:
    """Ada gave, said yes to the newsletter, and has another row that was merged into hers."""
    donor = make.donor(ADA, name="Ada Lovelace")
    make.donor("countess@example.org", merged_into=donor.id)
    gave = entry(make.listing(), 1050, "CNY", make.NOON)
    db.session.add(Gift(entry_id=gave.id, donor_id=donor.id, public_name="Ada L.", show_name=True))
    tagging.add([donor.id], ["press"])
    make.consent(donor, wording="newsletter-1")
    db.session.commit()
    return donor


def test_what_goes_and_what_stays_is_said_first(administrator: Desk, ada: Donor) -> None:
    assert f"/staff/donors/{ada.id}/erase" in administrator.get(f"/staff/donors/{ada.id}").text
    page = administrator.get(f"/staff/donors/{ada.id}/erase").text
    for said in ("2 addresses", "name of one gift", "One tag", "One gift in the ledger", ADA):
        assert said in page
    assert ada.address == ADA


def test_who_books_by_hand_cannot_erase_who_gave(treasurer: Desk, ada: Donor) -> None:
    assert "/erase" not in treasurer.get(f"/staff/donors/{ada.id}").text
    assert treasurer.post(f"/staff/donors/{ada.id}/erase", **SURE).status_code == 403


@pytest.mark.parametrize("left_out", ["wish", "sure"])
def test_nothing_goes_without_a_reason_and_a_tick(
    administrator: Desk, ada: Donor, left_out: str
) -> None:
    asked = {name: value for name, value in SURE.items() if name != left_out}
    assert administrator.post(f"/staff/donors/{ada.id}/erase", **asked).status_code == 400
    assert ada.address == ADA


def test_the_person_is_forgotten_and_what_was_given_stays(administrator: Desk, ada: Donor) -> None:
    administrator.post(f"/staff/donors/{ada.id}/erase", **SURE)
    db.session.expire_all()
    rows = db.session.scalars(select(Donor)).all()
    assert [(one.address, one.name) for one in rows] == [(None, None)] * 2
    assert tagging.of(ada) == ()
    [gift] = db.session.scalars(select(Gift))
    assert (gift.donor_id, gift.public_name, gift.show_name) == (ada.id, None, False)
    assert all(suppression.forbids(one.address_hash or "", Purpose.NEWSLETTER) for one in rows)
    newest = select(Consent).where(Consent.donor_id == ada.id).order_by(Consent.id.desc())
    said = {one.purpose: one for one in db.session.scalars(newest.limit(2))}
    assert not said[Purpose.NEWSLETTER].given
    assert said[Purpose.NEWSLETTER].source is ConsentSource.STAFF


def test_the_record_says_who_and_why_and_not_whom(administrator: Desk, ada: Donor) -> None:
    for _ in range(2):
        administrator.post(f"/staff/donors/{ada.id}/erase", **SURE)
    [record] = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "erased donor"))
    assert (record.staff_id, record.subject_id) == (administrator.staff.id, ada.id)
    assert record.changes["wish"] == [None, "in writing"]
    assert not any(word in str(record.changes) for word in ("Ada", "example.org"))


def test_a_row_that_was_merged_leads_to_the_person(administrator: Desk, ada: Donor) -> None:
    other = db.session.scalars(select(Donor).where(Donor.merged_into == ada.id)).one()
    answer = administrator.get(f"/staff/donors/{other.id}/erase")
    assert answer.location == f"/staff/donors/{ada.id}/erase"
    administrator.post(f"/staff/donors/{other.id}/erase", **SURE)
    db.session.expire_all()
    assert ada.address is None
