"""Contacts by a file at a browser and by command: handed in, looked at, kept."""

import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns import suppression
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent
from campaigns.model.contact_import import ContactImport, ContactImportState
from campaigns.model.donor import Donor
from campaigns.model.staff import Role
from campaigns.model.suppression import SuppressionCause
from tests import make
from tests.web.staff.conftest import Desk

PATH = "/staff/contacts"
FILE = "email,name\nada@example.org,Ada\nleft@example.org,Bob\nno address,Eve\n"


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    gone = make.donor("left@example.org")
    suppression.suppress(gone.address_hash or "", SuppressionCause.LEFT, make.NOON)
    return make.campaign("after-school")


def hand_in(staff: Desk, **more: Any) -> TestResponse:
    fields: dict[str, Any] = {
        "file": (io.BytesIO(FILE.encode()), "list.csv"),
        "purposes": ["newsletter"],
        "asked_by": "Lin",
        "agreed_on": "2026-11-20",
        "how": "a paper list",
        "words": "Yes, write to me.",
    }
    return staff.post(PATH, **(fields | more))


def press(staff: Desk, page: TestResponse) -> TestResponse:
    """The button that keeps what a page shows."""
    found = re.search(r'action="([^"]+/commit)".*?name="shown" value="([^"]*)"', page.text, re.S)
    assert found
    return staff.post(found[1], shown=unescape(found[2]))


def addresses() -> list[str | None]:
    return list(db.session.scalars(select(Donor.address).order_by(Donor.id)))


def test_a_file_is_looked_at_and_then_kept(campaign: Campaign, desk: Callable[..., Desk]) -> None:
    staff = desk(Role.TREASURER)
    answer = hand_in(staff, purposes=["newsletter", str(campaign.id)])
    page = staff.get(answer.location or "")
    for said in ("no mail address", "gets nothing: left", "Keep 1 contact", "Yes, write to me."):
        assert said in page.text
    assert addresses() == ["left@example.org"]
    assert press(staff, page).status_code == 302
    assert addresses() == ["left@example.org", "ada@example.org"]
    consents = db.session.scalars(select(Consent)).all()
    assert {row.campaign_id for row in consents} == {None, campaign.id}
    kept = staff.get(answer.location or "").text
    assert "Keep 1 contact" not in kept
    assert "ada@example.org" not in kept
    donor = staff.get(f"/staff/donors/{consents[0].donor_id}").text
    assert f'href="{answer.location}">contacts:' in donor


def test_the_second_press_is_told_so(campaign: Campaign, desk: Callable[..., Desk]) -> None:
    staff = desk(Role.TREASURER)
    page = staff.get(hand_in(staff).location or "")
    assert [press(staff, page).status_code for _ in range(2)] == [302, 409]


def test_what_changed_since_it_was_shown_is_shown_again(
    campaign: Campaign, desk: Callable[..., Desk]
) -> None:
    staff = desk(Role.TREASURER)
    page = staff.get(hand_in(staff).location or "")
    make.donor("ada@example.org")
    assert press(staff, page).status_code == 302
    assert db.session.scalars(select(ContactImport.state)).all() == [ContactImportState.REVIEW]
    assert db.session.scalars(select(Consent)).all() == []


def test_a_file_is_discarded(campaign: Campaign, desk: Callable[..., Desk]) -> None:
    staff = desk(Role.TREASURER)
    at = hand_in(staff).location
    assert [staff.post(f"{at}/discard").status_code for _ in range(2)] == [302, 409]
    assert addresses() == ["left@example.org"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"words": " "}, "Write the words"),
        ({"asked_by": ""}, "Write who asked."),
        ({"agreed_on": "2999-01-01"}, "That day has not come yet."),
        ({"purposes": []}, "Choose at least one."),
        ({"purposes": ["99"]}, "is not a valid choice"),
        ({"file": (io.BytesIO(b""), "list.csv")}, "empty"),
        ({"file": (io.BytesIO(b"email,phone\na@example.org,1\n"), "l.csv")}, "called “phone”"),
        ({"file": (io.BytesIO(b"\xd0\xcf\x11\xe0 old"), "list.xls")}, "Save it as CSV or XLSX."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    campaign: Campaign, desk: Callable[..., Desk], fields: dict[str, Any], said: str
) -> None:
    answer = hand_in(desk(Role.TREASURER), **fields)
    assert answer.status_code == 400
    assert said in unescape(answer.text)
    assert db.session.scalars(select(ContactImport)).all() == []


def test_the_command_shows_and_keeps(app: Flask, campaign: Campaign, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(FILE)
    words = ["import-contacts", str(file), "--asked-by", "Lin", "--agreed-on", "2026-11-20",
             "--how", "a list", "--words", "Yes.", "--campaign", "after-school"]  # fmt: skip
    db.session.commit()
    run = app.test_cli_runner().invoke
    looked = run(args=words)
    assert looked.exit_code == 0
    assert "new: 1\nsuppressed: 1\ninvalid: 1\nRows to mend: 4." in looked.output
    assert addresses() == ["left@example.org"]
    kept = run(args=[*words, "--commit"])
    assert "is committed." in kept.output
    assert addresses() == ["left@example.org", "ada@example.org"]
    nothing = run(args=words[:-2])
    assert (nothing.exit_code, nothing.output[:8]) == (1, "Error: A")
