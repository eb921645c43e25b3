"""The command that relays hand what comes back to."""

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from campaigns.db import db
from campaigns.mail.parts import LARGEST
from campaigns.model.delivery import DeliveryState
from campaigns.model.returned import Return
from tests import make
from tests.claiming import state
from tests.returning import address, bounce


def run(app: Flask, message: bytes, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["take-return", *arguments], input=message)


def test_a_bounce_is_taken_from_standard_input_and_committed(app: Flask) -> None:
    letter = make.delivery(state=DeliveryState.SENT)
    db.session.commit()
    said = run(app, bounce(address(letter)))
    assert (said.exit_code, said.output) == (0, "taken\n")
    db.session.rollback()
    assert state(letter) == "bounced"


def test_the_recipient_may_be_told_by_the_relay(app: Flask) -> None:
    letter = make.delivery(state=DeliveryState.SENT)
    db.session.commit()
    said = run(app, bounce("somebody@example.org"), "--to", address(letter))
    assert said.output == "taken\n"


@pytest.mark.parametrize("message", [b"", b"hello", b"\xff" * (LARGEST + 70_000)])
def test_what_is_of_no_letter_is_never_sent_back(app: Flask, message: bytes) -> None:
    assert run(app, message).exit_code == 0
    assert db.session.query(Return).count() == 0


def test_with_the_database_away_the_relay_comes_again(app: Flask) -> None:
    db.session.execute(text("ALTER TABLE strays RENAME TO elsewhere"))
    db.session.commit()
    try:
        said = run(app, b"hello")
    finally:
        db.session.rollback()
        db.session.execute(text("ALTER TABLE elsewhere RENAME TO strays"))
        db.session.commit()
    assert said.exit_code == 75
    assert "Traceback" not in said.output


def test_wrong_use_sends_nothing_back_either(app: Flask) -> None:
    assert run(app, b"", "--from", "x").exit_code == 75


def test_no_address_is_printed(app: Flask) -> None:
    letter = make.delivery("ada@example.org", state=DeliveryState.SENT)
    db.session.commit()
    assert "@" not in run(app, bounce(address(letter))).output
