"""Letters as files: what the list shows, masked for those who may not see donors, and on record."""

import csv
from collections.abc import Callable
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns import letterbook
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Attempt, DeliveryState
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Role
from campaigns.web.staff import exports
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

State = DeliveryState
EVIL = '=HYPERLINK("http://evil.example")'


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR)


@pytest.fixture
def mailing(app: object) -> Mailing:
    mailing = make.mailing()
    for number, state in enumerate((State.SENT, State.FAILED, State.FAILED, State.QUEUED)):
        delivery = make.delivery(f"a{number}@example.org", of=mailing, state=state)
        assert delivery.donor is not None
        delivery.donor.name = EVIL
        if state is State.FAILED:
            tried = {"at": NOON, "transport": "relay", "outcome": state, "code": 550}
            answer = "5.2.2 full" if number == 1 else "=cmd|calc"
            db.session.add(Attempt(delivery_id=delivery.id, answer=answer, **tried))
    db.session.commit()
    return mailing


def table(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(StringIO(answer.data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("chosen", [{}, {"state": "failed"}, {"reason": "mailbox full"}])
def test_the_file_is_the_list(treasurer: Desk, mailing: Mailing, chosen: dict[str, str]) -> None:
    state = State(chosen["state"]) if "state" in chosen else None
    sought = letterbook.Sought(mailing.id, state=state, reason=chosen.get("reason"))
    listed = sorted((row.id for row in db.session.scalars(letterbook.found(sought))), reverse=True)
    path = f"/staff/exports/mailings/{mailing.id}/letters.csv"
    rows = table(treasurer.post(path, **chosen))
    assert [int(row["Number"]) for row in rows] == listed
    assert rows[0]["Address"].endswith("@example.org")


def test_what_somebody_wrote_is_no_formula(treasurer: Desk, mailing: Mailing) -> None:
    path = f"/staff/exports/mailings/{mailing.id}/letters.csv"
    row = table(treasurer.post(path, reason="refused"))[0]
    assert row["Name"] == f"'{EVIL}"
    assert row["What the relay said"] == "'=cmd|calc"
    assert (row["State"], row["Why"]) == ("failed", "refused for another reason")


def test_who_may_not_see_donors_gets_masked_addresses(editor: Desk, mailing: Mailing) -> None:
    make.consent(make.donor("zoe@example.org"), campaign_of(mailing))
    for path in (f"mailings/{mailing.id}/letters", f"updates/{mailing.update_id}/recipients"):
        rows = table(editor.post(f"/staff/exports/{path}.csv"))
        assert {row["Address"] for row in rows} <= {"a•••@example.org", "z•••@example.org"}
        assert {row["Name"] for row in rows} <= {"'=•••", "A•••"}


def campaign_of(mailing: Mailing) -> Campaign:
    return db.session.get_one(Campaign, mailing.update.campaign_id)


def test_who_took_letters_away_is_on_record_with_what_they_chose(
    editor: Desk, mailing: Mailing
) -> None:
    answer = editor.post(
        f"/staff/exports/mailings/{mailing.id}/letters.xlsx", state="failed", day="never"
    )
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).active
    assert sheet is not None
    assert sheet.max_row == 3
    record = db.session.scalars(select(AuditRecord)).one()
    assert (record.action, record.subject, record.subject_id) == (
        "exported letters",
        "mailing",
        mailing.id,
    )
    assert record.changes == {"format": [None, "xlsx"], "state": [None, "failed"]}


def test_letters_of_a_person_are_for_those_who_see_donors(treasurer: Desk, editor: Desk) -> None:
    delivery = make.delivery("ada@example.org")
    make.delivery()
    path = f"/staff/exports/donors/{delivery.donor_id}/letters.csv"
    [row] = table(treasurer.post(path))
    assert row["Address"] == "ada@example.org"
    assert editor.post(path).status_code == 403


def test_letters_of_no_mailing_name_colleagues_as_the_list_does(editor: Desk) -> None:
    alert: dict[str, Any] = {
        "letter": "alert",
        "mailing_id": None,
        "occasion": "alert:1",
        "donor_id": None,
    }
    make.delivery(staff_id=editor.staff.id, campaign_id=None, purpose="service", **alert)
    [row] = table(editor.post("/staff/exports/letters.csv"))
    assert (row["Address"], row["Mailing"]) == ("Lin", "")


@pytest.mark.parametrize("chosen", [{}, {"state": "none"}, {"reason": "mailbox full"}])
def test_who_was_told_is_exported_as_listed(
    treasurer: Desk, mailing: Mailing, chosen: dict[str, str]
) -> None:
    make.consent(make.donor("zoe@example.org"), campaign_of(mailing))
    path = f"{mailing.update_id}/recipients"
    rows = table(treasurer.post(f"/staff/exports/updates/{path}.csv", **chosen))
    query = "&".join(f"{name}={value}" for name, value in chosen.items())
    page = treasurer.get(f"/staff/updates/{path}?{query}").text
    every = [f"a{number}@example.org" for number in range(4)] + ["zoe@example.org"]
    listed = [address for address in reversed(every) if address in page]
    assert [row["Address"] for row in rows] == listed
    assert listed


def test_nobody_was_told_before_a_mailing_began(treasurer: Desk) -> None:
    update = make.update()
    path = f"{update.id}/recipients"
    assert "Nobody was told yet" in treasurer.get(f"/staff/updates/{path}").text
    assert treasurer.post(f"/staff/exports/updates/{path}.csv").status_code == 302


def test_a_workbook_that_would_take_long_is_not_begun(
    treasurer: Desk, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "LONGEST_BOOK", 1)
    path = f"/staff/exports/mailings/{mailing.id}/letters"
    answer = treasurer.post(f"{path}.xlsx", state="failed")
    assert answer.status_code == 302
    assert f"/staff/mailings/{mailing.id}/letters?state=failed" in (answer.location or "")
    assert db.session.scalars(select(AuditRecord)).all() == []
    assert treasurer.post(f"{path}.pdf").status_code == 404
