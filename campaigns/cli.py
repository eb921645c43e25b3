"""The commands: `flask --app wsgi …`. An error is one sentence and exit code 1."""

import sys
from datetime import UTC, datetime

import click
from flask import Flask

from campaigns import accounts, doctor, polling
from campaigns.db import db
from campaigns.model.staff import Role
from workers import poll

MOST_LISTINGS = 10_000
ROLES = [role.value for role in Role]


def init_app(app: Flask) -> None:
    """Add every command to the app."""
    for command in (add_staff, ask_platforms, examine):
        app.cli.add_command(command)


@click.command("add-staff")
@click.argument("email")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="Repeatable."
)
@click.option("--name", default="", help="As colleagues see it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_staff(email: str, roles: tuple[str, ...], name: str, password_stdin: bool) -> None:
    """Add a member of staff, and print a password once unless it is given."""
    now = datetime.now(UTC)
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
    password = given if password_stdin else accounts.new_password()
    try:
        staff = accounts.add(email, [Role(role) for role in roles], now, name=name)
        accounts.set_password(staff, password, now)
    except (accounts.AddressTaken, ValueError) as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"{staff.email} can log in at /staff.")
    if not password_stdin:
        click.echo(f"Password (shown this once): {password}")


@click.command("poll")
@click.option("--now", "every", is_flag=True, help="Also those whose time has not come.")
def ask_platforms(every: bool) -> None:
    """Ask the platforms of the listings that are due, and keep what they say."""
    asked = poll.ask_all(polling.take_due(datetime.now(UTC), MOST_LISTINGS, every=every))
    click.echo(f"{asked} listings asked.")


@click.command("doctor")
def examine() -> None:
    """Look at settings, database, broker, mail and clock; say what to do about each failure.

    Exit code 1 if anything failed; warnings alone leave it at 0.
    """
    failed = False
    for finding in doctor.examine(datetime.now(UTC)):
        sign = "FAIL" if finding.failed else "warn" if finding.remedy else "ok"
        click.echo(f"{sign:5}{finding.part}: {finding.seen} {finding.remedy}".rstrip())
        failed = failed or finding.failed
    raise SystemExit(int(failed))
