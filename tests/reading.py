"""A donor with a letter in their hands: its link, as the letter carries it, and what they post."""

from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns.crypto import new_token, token_hash
from campaigns.db import db
from campaigns.model.delivery import Delivery, DeliveryState

OURS = {"Origin": "http://localhost"}


def link(letter: Delivery, ago: timedelta = timedelta()) -> str:
    """The address of the preferences in a letter that went out some time ago."""
    token = new_token()
    letter.token_hash, letter.state = token_hash(token), DeliveryState.SENT
    letter.settled_at = datetime.now(UTC) - ago
    db.session.commit()
    return f"/preferences/{token}"


def newest() -> Delivery:
    return db.session.scalars(select(Delivery).order_by(Delivery.id.desc())).first() or Delivery()


def fresh_link(client: FlaskClient, letter: Delivery, ago: timedelta = timedelta()) -> str:
    """The address in a letter that was asked for by the link of another one."""
    assert post(client, link(letter) + "/letter").status_code == 200
    return link(newest(), ago)


def post(client: FlaskClient, path: str, **form: object) -> TestResponse:
    return client.post(path, data=form, headers=OURS)
