"""Administrators set up mail servers and limits; addresses are kept encrypted and never shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from campaigns import transports, ways
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.staff import Role
from campaigns.model.transport import MailDomain, MailTransport
from tests.make import NOON
from tests.web.staff.conftest import Desk

PAGE = "/staff/organisation/mail"
RELAY = "smtp+starttls://huiyin:s3cret@mail.example.org"
GIVEN = {"name": "Main relay", "place": RELAY, "rank": "1", "share": "1"}


@pytest.fixture
def administrator(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.ADMINISTRATOR)


def only() -> MailTransport:
    return db.session.scalars(select(MailTransport)).one()


def test_a_relay_is_added_and_its_secret_is_seen_by_nobody(administrator: Desk) -> None:
    assert "outbox" in administrator.get(PAGE).text
    assert administrator.post(PAGE, **GIVEN, per_hour="200").status_code == 302
    row = only()
    assert "s3cret" not in row.sealed
    assert (row.limits, [way.name for way in ways.out()]) == ({"hour": 200}, ["Main relay"])
    for page in (PAGE, f"{PAGE}/{row.id}"):
        text = administrator.get(page).text
        assert "Main relay" in text
        assert "s3cret" not in text
    assert "mail.example.org:587" in administrator.get(PAGE).text
    (record,) = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "add transport"))
    assert "s3cret" not in str(record.changes)


def test_a_change_keeps_the_address_unless_another_is_given(administrator: Desk) -> None:
    administrator.post(PAGE, **GIVEN)
    there = f"{PAGE}/{only().id}"
    changed = GIVEN | {"name": "Old relay", "place": "", "rank": "2", "paused": "y"}
    assert administrator.post(there, **changed).status_code == 302
    row = only()
    assert (row.name, row.rank, row.paused, ways.of(row).transport.name) == (
        "Old relay",
        2,
        True,
        "mail.example.org:587",
    )
    administrator.post(there, **changed | {"place": "smtp://other.example"})
    assert ways.of(only()).transport.name == "other.example:25"
    assert administrator.post(f"{there}/remove").status_code == 302
    assert [way.name for way in ways.out()] == ["outbox"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "<b>"),
        ("place", ""),
        ("place", "mail.example.org"),
        ("rank", "0"),
        ("rank", "x"),
        ("per_day", "x"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    administrator: Desk, field: str, value: str
) -> None:
    answer = administrator.post(PAGE, **GIVEN | {field: value})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert db.session.scalars(select(MailTransport)).all() == []


def test_a_name_is_given_once(administrator: Desk) -> None:
    administrator.post(PAGE, **GIVEN)
    assert administrator.post(PAGE, **GIVEN | {"name": "main relay"}).status_code == 400
    assert only().name == "Main relay"


def test_a_domain_is_limited_and_freed_again(administrator: Desk) -> None:
    assert (
        administrator.post(f"{PAGE}/domains", domain="QQ.com", per_minute="30").status_code == 302
    )
    assert db.session.scalars(select(MailDomain)).one().limits == {"minute": 30}
    assert "qq.com" in administrator.get(PAGE).text
    assert 'value="30"' in administrator.get(f"{PAGE}/domains?name=qq.com").text
    administrator.post(f"{PAGE}/domains", domain="qq.com")
    assert db.session.scalars(select(MailDomain)).all() == []
    assert administrator.post(f"{PAGE}/domains", domain="a b").status_code == 400


def test_the_page_says_what_rests_and_which_domain_is_slow(administrator: Desk) -> None:
    now = datetime.now(UTC)
    row = transports.add(transports.Plan("Main relay", RELAY), NOON)
    row.trouble, row.rests_until = "It cannot be reached.", now + timedelta(minutes=1)
    db.session.add(MailDomain(name="qq.com", gap_ms=4000, slowed_at=now, next_at=now))
    db.session.commit()
    text = administrator.get(PAGE).text
    assert "It cannot be reached." in text
    assert "4" in text.partition("slowed down")[2][:40]
