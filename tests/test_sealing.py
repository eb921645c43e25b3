"""Sealing: with a new key in front of DATA_KEYS, every stored secret moves to it, once."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import crypto, mailhooks, sealing, signing, transports
from campaigns.crypto import Undecryptable
from campaigns.db import Base, db
from campaigns.model.audit import AuditRecord
from campaigns.model.sealed import Sealed
from campaigns.model.transport import MailTransport
from config import settings
from tests import make
from tests.make import NOON

NEW = ("k2", b"9" * 32)
KINDS = len(sealing.SEALED)


@pytest.fixture
def one_of_each(app: Flask) -> None:
    keys = settings().data_keys
    make.organisation()
    secret = make.secret(make.endpoint(listing=make.listing()), "-")
    secret.seal(keys, b"whsec")
    mailhooks.setup("bounces", "mailgun", "key-0123456789abcdef0123456789abcdef", NOON)
    transports.add(transports.Plan("Main relay", "smtp://mail.example.org:587"), NOON)
    signing.add("updates.example.org", "huiyin1", "ed25519", NOON)
    db.session.commit()


def sealed() -> dict[str, bytes]:
    """Every secret that is kept, as it can be read with the settings' keys."""
    rows = [row for kind in sealing.SEALED for row in db.session.scalars(select(kind))]
    return {type(row).__name__: row.unsealed(settings().data_keys) for row in rows}


def with_keys(app: Flask, patch: pytest.MonkeyPatch, *keys: tuple[str, bytes]) -> None:
    patch.setitem(app.extensions, "settings", replace(app.extensions["settings"], data_keys=keys))


def test_whatever_is_sealed_is_sealed_anew() -> None:
    mapped = {each.class_ for each in Base.registry.mappers}
    assert {each for each in mapped if issubclass(each, Sealed)} == set(sealing.SEALED)
    columns = {each for each in mapped if "sealed" in each.__table__.columns}
    assert columns == set(sealing.SEALED)


@pytest.mark.usefixtures("one_of_each")
def test_afterwards_the_older_key_may_go(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sealed()
    assert len(before) == KINDS
    with_keys(app, monkeypatch, NEW, *settings().data_keys)
    assert (sealing.renew(NOON), sealing.renew(NOON)) == (KINDS, 0)
    with_keys(app, monkeypatch, NEW)
    assert sealed() == before
    told = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "sealed anew")).all()
    assert [record.changes for record in told] == [{"key": ["k1", "k2"]}] * KINDS


@pytest.mark.usefixtures("one_of_each")
def test_a_secret_that_no_key_opens_stops_it_with_nothing_changed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.session.scalars(select(MailTransport)).one().sealed = "k0:00"
    db.session.commit()
    with_keys(app, monkeypatch, NEW, *settings().data_keys)
    with pytest.raises(Undecryptable):
        sealing.renew(NOON)
    db.session.rollback()
    rows = [row for kind in sealing.SEALED for row in db.session.scalars(select(kind))]
    assert "k2" not in {crypto.key_id(row.sealed) for row in rows}


@pytest.mark.usefixtures("one_of_each")
def test_the_command_says_how_many(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(app, monkeypatch, NEW, *settings().data_keys)
    for number in (KINDS, 0):
        said = app.test_cli_runner().invoke(args=["rotate-data-key"])
        assert said.output == f"{number} secrets encrypted again with the newest key.\n"
