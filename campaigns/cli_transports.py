"""The commands for transports: relays that letters go out by."""

from datetime import UTC, datetime
from typing import IO

import click
from flask_babel import force_locale

from campaigns import transports
from campaigns.cli_command import Command
from campaigns.db import db


@click.command(cls=Command, name="add-transport")
@click.argument("name")
@click.option(
    "--url", "source", type=click.File(), default="-",
    help="A file with the relay's address, as SMTP_URL is written; standard input if absent.",
)  # fmt: skip
@click.option("--rank", default=1, show_default=True, help="Those of the lowest come first.")
@click.option("--share", default=1, show_default=True, help="Among those of the same rank.")
@click.option("--per-second", type=int, help="The most letters in any second.")
@click.option("--per-minute", type=int)
@click.option("--per-hour", type=int)
@click.option("--per-day", type=int)
def add_transport(name: str, source: IO[str], rank: int, share: int, **most: int | None) -> None:
    """Let letters go by one more relay. Once there is one, SMTP_URL counts no more."""
    limits = {period.removeprefix("per_"): number for period, number in most.items()}
    plan = transports.Plan(name, source.read().strip(), rank, share, limits=limits)
    try:
        with force_locale("en"):
            row = transports.add(plan, datetime.now(UTC))
    except transports.Refused as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Letters go by {row.name}, rank {row.rank}, share {row.share}.")


@click.command(cls=Command, name="remove-transport")
@click.argument("name")
def remove_transport(name: str) -> None:
    """Send no more letters by a relay; what is in hand is finished."""
    row = transports.named(name)
    if row is None:
        raise click.ClickException(f"There is no transport called {name}.")
    transports.remove(row, datetime.now(UTC))
    db.session.commit()
    click.echo(f"No more letters go by {name}.")
