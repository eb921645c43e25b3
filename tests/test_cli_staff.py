"""The command that adds members of staff."""

from click.testing import Result
from flask import Flask

from campaigns import accounts
from campaigns.model.staff import Role


def run(app: Flask, *arguments: str, input: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["add-staff", *arguments], input=input)


def test_a_password_is_printed_once_and_opens_the_door(app: Flask) -> None:
    said = run(app, "Lin@Example.org", "--role", "editor", "--role", "approver")
    assert said.exit_code == 0
    staff = accounts.check("lin@example.org", said.output.split()[-1])
    assert staff is not None
    assert {held.role for held in staff.roles} == {Role.EDITOR, Role.APPROVER}


def test_a_given_password_is_not_printed(app: Flask) -> None:
    words = "three green bicycles"
    said = run(app, "lin@example.org", "--role", "editor", "--password-stdin", input=words)
    assert words not in said.output
    assert accounts.check("lin@example.org", words)


def test_the_second_time_is_one_sentence_and_exit_code_1(app: Flask) -> None:
    run(app, "lin@example.org", "--role", "editor")
    again = run(app, "lin@example.org", "--role", "editor")
    assert again.exit_code == 1
    assert "already" in again.output
    assert "Traceback" not in again.output


def test_a_bad_address_or_weak_password_adds_nobody(app: Flask) -> None:
    assert run(app, "lin", "--role", "editor").exit_code == 1
    weak = run(app, "lin@example.org", "--role", "editor", "--password-stdin", input="weak")
    assert weak.exit_code == 1
    assert accounts.at("lin@example.org") is None
