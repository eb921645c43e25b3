"""A member of staff at a browser: logged in, and able to send forms with their token."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from campaigns.model.staff import Role, Staff
from tests import make
from tests.anypage import AnyPage, standing

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Desk:
    """What somebody does in a browser on staff pages."""

    def __init__(self, client: FlaskClient, staff: Staff) -> None:
        self.client, self.staff = client, staff
        with client.session_transaction("/staff/") as session:
            session["_user_id"] = f"{staff.id}.{staff.session_key}"
            session["csrf_token"] = "of this session"
        # What a page would say, which takes a tenth of a second to make.
        signer = URLSafeTimedSerializer(client.application.secret_key or "", "wtf-csrf-token")
        self.token = signer.dumps("of this session")

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **fields})


def token(answer: TestResponse) -> str:
    """The token of the first form on a page."""
    found = TOKEN.search(answer.text)
    assert found, answer.text
    return found[1]


@pytest.fixture
def desk(app: Flask) -> Callable[..., Desk]:
    """`desk(Role.EDITOR)`: a new member of staff with these roles, in English, logged in."""

    def sit(*roles: Role, **more: Any) -> Desk:
        who = make.staff(None, *roles, **{"locale": "en"} | more)
        return Desk(app.test_client(), who)

    return sit


@pytest.fixture
def treasurer(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.TREASURER)


@pytest.fixture
def platform(app: Flask) -> Iterator[AnyPage]:
    """A platform that nobody knows, which we may ask although it is on loopback."""
    before = app.extensions["settings"]
    with standing() as server:
        app.extensions["settings"] = replace(before, poll_allow_private=frozenset({server.host}))
        yield server
    app.extensions["settings"] = before
