"""The commands: `flask --app wsgi …`. An error is one sentence and exit code 1."""

from datetime import UTC, datetime

import click
from flask import Flask

from campaigns import doctor


def init_app(app: Flask) -> None:
    """Add every command to the app."""
    app.cli.add_command(examine)


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
