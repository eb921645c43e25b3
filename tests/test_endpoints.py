"""Endpoints: names, secrets that only their own row opens, rotation, and the commands."""

import base64
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import endpoints
from campaigns.crypto import Undecryptable
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.endpoint import WebhookEndpoint, WebhookSecret
from campaigns.platforms.registry import UnknownScheme
from config import settings
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
NEW = ("k2", b"2" * 32)


def made(name: str = "lianquan") -> endpoints.Made:
    return endpoints.create(name, "standard", make.campaign(), NOON)


def test_a_secret_is_shown_once_and_stored_sealed() -> None:
    one = made()
    sealed = db.session.scalars(select(WebhookSecret.sealed)).one()
    assert one.secret.startswith("whsec_")
    assert one.secret not in sealed
    assert one.endpoint.keys(settings().data_keys, NOON).valid("secret") == [one.secret]
    assert one.address == "http://localhost/webhooks/lianquan"


def test_a_secret_opens_only_in_its_own_row() -> None:
    other = made("other").endpoint
    sealed = made().endpoint.secrets[0].sealed
    other.secrets[0].sealed = sealed
    with pytest.raises(Undecryptable):
        other.keys(settings().data_keys, NOON)


@pytest.mark.parametrize("name", ["", "a", "A-b", "a/b", "-a", "a-", "a b", "é" * 3, "x" * 65])
def test_a_name_must_stand_in_an_address(name: str) -> None:
    with pytest.raises(endpoints.BadName):
        made(name)


def test_a_name_is_taken_once() -> None:
    made()
    with pytest.raises(endpoints.NameTaken):
        made()


def test_a_scheme_must_be_known() -> None:
    with pytest.raises(UnknownScheme):
        endpoints.create("lianquan", "morse", make.campaign(), NOON)


def test_rotating_twice_keeps_no_secret_longer() -> None:
    endpoint = made().endpoint
    second = endpoints.rotate(endpoint, NOON + timedelta(hours=1))
    third = endpoints.rotate(endpoint, NOON + timedelta(hours=2))
    keys = settings().data_keys
    at = NOON + timedelta(hours=25, minutes=30)
    assert endpoint.keys(keys, at).valid("secret") == [third.secret, second.secret]
    assert endpoint.keys(keys, at + timedelta(hours=1)).valid("secret") == [third.secret]


def test_every_change_leaves_an_audit_record_without_the_secret() -> None:
    one = made()
    endpoints.rotate(one.endpoint, NOON)
    endpoints.pause(one.endpoint, NOON)
    endpoints.pause(one.endpoint, NOON)
    endpoints.resume(one.endpoint, NOON)
    records = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    actions = ["created endpoint", "rotated secret", "paused", "resumed"]
    assert [record.action for record in records] == actions
    assert one.secret not in str([record.changes for record in records])


def run(app: Flask, *words: str) -> tuple[int, str]:
    db.session.commit()
    result = app.test_cli_runner().invoke(args=list(words))
    return result.exit_code, result.output


def test_the_command_prints_address_and_secret_once(app: Flask) -> None:
    make.campaign("spring")
    code, said = run(app, "add-webhook", "lianquan", "--scheme", "standard", "--campaign", "spring")
    assert (code, "http://localhost/webhooks/lianquan" in said) == (0, True)
    secret = said.rsplit(" ", 1)[1].strip()
    endpoint = db.session.scalars(select(WebhookEndpoint)).one()
    assert endpoint.keys(settings().data_keys, NOON).valid("secret") == [secret]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def test_the_command_takes_a_listing_too(app: Flask) -> None:
    listing = make.listing()
    assert run(app, "add-webhook", "lianquan", "--listing", str(listing.id))[0] == 0
    assert db.session.scalars(select(WebhookEndpoint)).one().listing_id == listing.id


@pytest.mark.parametrize(
    "words",
    [
        ("add-webhook", "lianquan"),
        ("add-webhook", "lianquan", "--campaign", "nowhere"),
        ("add-webhook", "lianquan", "--listing", "7"),
        ("add-webhook", "Lian Quan", "--campaign", "spring"),
        ("add-webhook", "lianquan", "--scheme", "morse", "--campaign", "spring"),
        ("rotate-webhook", "lianquan"),
    ],
    ids=" ".join,
)
def test_a_command_that_cannot_be_followed_says_so_in_a_sentence(
    app: Flask, words: tuple[str, ...]
) -> None:
    make.campaign("spring")
    code, said = run(app, *words)
    assert code == 1
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert db.session.scalars(select(WebhookEndpoint)).all() == []


def test_the_commands_rotate(app: Flask) -> None:
    first = made().secret
    code, said = run(app, "rotate-webhook", "lianquan")
    assert code == 0
    assert first not in said
    assert run(app, "rotate-data-key") == (
        0,
        "0 secrets encrypted again with the newest key.\n",
    )
