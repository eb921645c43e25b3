"""Posts to the door for mail providers, each with a session of its own, at a chosen moment."""

import contextvars
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from campaigns.db import db
from campaigns.web import mailhooks as door
from tests.make import NOON

Send = Callable[..., int]


@pytest.fixture
def send(app: Flask) -> Send:
    """Post a body to a hook; the status of the answer."""

    def sent(
        body: bytes,
        now: datetime = NOON,
        name: str = "mailgun",
        auth: tuple[str, str] | None = None,
    ) -> int:
        db.session.commit()
        app.extensions["refusals"] = type(app.extensions["refusals"])()
        status = contextvars.Context().run(answered, body, now, name, auth)
        db.session.expire_all()
        return status

    def answered(body: bytes, now: datetime, name: str, auth: tuple[str, str] | None) -> int:
        with app.test_request_context(f"/hooks/mail/{name}", method="POST", data=body, auth=auth):
            return door.answer(name, now).status_code

    return sent
