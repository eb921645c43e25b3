"""Fault row 14: a mail scanner that opens every link of a letter changes nothing."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import accounts, addressing, following, preferences
from campaigns.db import Base, db
from campaigns.mail.address import Address
from campaigns.mail.transport import MemoryTransport
from campaigns.model.campaign import Campaign
from config import settings
from tests import make
from workers.office import Office

# The clockwork's own.
APART = {"pulses", "throttles"}


@pytest.mark.parametrize("verb", ["get", "head"])
def test_opening_every_link_of_every_letter_changes_nothing(client: FlaskClient, verb: str) -> None:
    memory = MemoryTransport()
    _write_one_of_each()
    Office(memory).work()
    links = {link for kept in memory.kept for link in _links(kept.message)}
    before = _everything()
    asked = {link: getattr(client, verb)(link) for link in sorted(links)}
    assert _everything() == before
    assert len(memory.kept) == 6
    for door in ("/unsubscribe/", "/preferences/", "/follow/confirm/", "/staff/reset/"):
        assert [answer.status_code for link, answer in asked.items() if door in link][:1] == [200]


def _write_one_of_each() -> None:
    now = datetime.now(UTC)
    make.organisation()
    delivery, staff = make.delivery(), make.staff()
    campaign = db.session.get_one(Campaign, delivery.campaign_id)
    following.ask(campaign, Address.parse("new@example.org"), "en", now)
    following.ask(None, Address.parse("new@example.org"), "en", now)
    if reader := preferences.reader(delivery, now):
        preferences.write(reader, now)
    accounts.ask_reset(staff.email, now)
    addressing.pause_itself(make.mailing().id, 30, 100, now)
    db.session.commit()


def _links(message: bytes) -> set[str]:
    """Every address in it, within headers, text and HTML, as a path of ours."""
    letter = message_from_bytes(message, policy=policy.default)
    found = [letter["List-Unsubscribe"] or ""]
    found += [str(part.get_content()) for part in letter.walk() if not part.is_multipart()]
    addresses = re.findall(r"https?://[^\s\"'<>]+", " ".join(found))
    own = settings().base_url
    return {urlsplit(each).path or "/" for each in addresses if each.startswith(own)}


def _everything() -> dict[str, list[tuple[object, ...]]]:
    db.session.rollback()
    tables = [table for table in Base.metadata.sorted_tables if table.name not in APART]
    rows = {table.name: db.session.execute(select(table)).all() for table in tables}
    db.session.rollback()
    return {name: sorted((tuple(row) for row in found), key=repr) for name, found in rows.items()}
