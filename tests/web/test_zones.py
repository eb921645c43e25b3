"""Where letters shall come by day: said by the donor, or by staff whom they told."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns import hours
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.staff import Role
from tests import make
from tests.reading import link, post
from tests.web.staff.conftest import Desk, desk

__all__ = ["desk"]
ZONE = "Pacific/Auckland"


@pytest.fixture
def letter(app: Flask) -> Delivery:
    make.organisation(quiet_from=21 * 60, quiet_until=8 * 60)
    return make.delivery("ada@example.org")


@pytest.fixture
def ada(letter: Delivery) -> Donor:
    assert letter.donor is not None
    return letter.donor


def test_a_donor_says_where_they_live_and_takes_it_back(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    at = link(letter)
    page = post(client, at, language="en", zone=ZONE).text
    assert f'<option value="{ZONE}" selected>' in page
    assert ada.timezone == ZONE
    night_there = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert hours.ours().opens(ada.timezone, Purpose.UPDATES, night_there) > night_there
    post(client, at, language="en", zone="")
    assert ada.timezone is None


@pytest.mark.parametrize("zone", ["Asia/Atlantis", "../../etc/passwd", "x" * 500])
def test_a_zone_that_is_none_changes_nothing(
    client: FlaskClient, letter: Delivery, ada: Donor, zone: str
) -> None:
    ada.timezone = ZONE
    assert post(client, link(letter), language="en", zone=zone).status_code == 200
    assert ada.timezone == ZONE


def test_who_says_nothing_of_it_keeps_it(client: FlaskClient, letter: Delivery, ada: Donor) -> None:
    ada.timezone = ZONE
    post(client, link(letter), language="en")
    assert ada.timezone == ZONE


def test_staff_keep_what_a_donor_told_them(desk: Callable[..., Desk], ada: Donor) -> None:
    who, where = desk(Role.TREASURER), f"/staff/donors/{ada.id}"
    for _ in range(2):
        assert who.post(f"{where}/about", zone=ZONE, place="", tags="").status_code == 302
    assert ada.timezone == ZONE
    assert f"<dd>{ZONE}</dd>" in who.get(where).text
    records = db.session.query(AuditRecord).filter_by(action="described donor").all()
    assert [record.changes for record in records] == [{"timezone": [None, ZONE]}]
    assert who.post(f"{where}/about", zone="Asia/Atlantis", place="", tags="").status_code == 400
