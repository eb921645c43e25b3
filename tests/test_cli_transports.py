"""The commands for transports: a relay's address comes from a file, not from the command line."""

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import ways
from campaigns.db import db
from campaigns.model.transport import MailTransport

RELAY = "smtps://huiyin:s3cret@mail.example.org\n"


def test_a_transport_is_added_and_removed(app: Flask) -> None:
    runner = app.test_cli_runner()
    options = ["--rank", "2", "--share", "3", "--per-hour", "100"]
    added = runner.invoke(args=["add-transport", "Main relay", *options], input=RELAY)
    assert added.exit_code == 0, added.output
    assert "s3cret" not in added.output
    row = db.session.scalars(select(MailTransport)).one()
    assert (row.rank, row.share, row.limits) == (2, 3, {"hour": 100})
    assert ways.of(row).transport.name == "mail.example.org:465"
    assert runner.invoke(args=["remove-transport", "Main relay"]).exit_code == 0
    assert db.session.scalars(select(MailTransport)).all() == []


@pytest.mark.parametrize(
    "arguments",
    [["add-transport", "x", "--share", "0"], ["add-transport", ""], ["remove-transport", "x"]],
)
def test_what_cannot_be_is_a_sentence(app: Flask, arguments: list[str]) -> None:
    answer = app.test_cli_runner().invoke(args=arguments, input=RELAY)
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: ")
    assert "s3cret" not in answer.output
