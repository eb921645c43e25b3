"""The commands for what comes back: a message from a relay's pipe, and providers' hooks."""

import sys
from datetime import UTC, datetime
from typing import IO, Any

import click
from sqlalchemy.exc import SQLAlchemyError

from campaigns import mailhooks, returns
from campaigns.cli_command import Command
from campaigns.db import db
from campaigns.mail.parts import LARGEST

# EX_TEMPFAIL of sysexits.h: the relay keeps the message and comes again.
COME_AGAIN = 75
CHUNK = 64 * 1024


class Pipe(click.Command):
    """A command for relays. Whatever goes wrong, they are to come again: what comes back must
    never be sent back (RFC 3464 §2)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            click.echo(error.format_message(), err=True)
            raise SystemExit(COME_AGAIN) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SQLAlchemyError, OSError) as error:
            db.session.rollback()
            click.echo(f"Not taken ({type(error).__name__}); it may come again.", err=True)
            raise SystemExit(COME_AGAIN) from error


@click.command(cls=Pipe, name="take-return")
@click.option("--to", help="Whom the message came to, as the relay knows it.")
def take_return(to: str | None) -> None:
    """Take a bounce, complaint or automatic reply: one message on standard input.

    Exit code 0 if it was taken or is of no letter of ours, 75 if it is to come again.
    """
    message = _read(sys.stdin.buffer)
    verdict = returns.take(message, "command", datetime.now(UTC), to=to)
    db.session.commit()
    click.echo(f"{verdict}")


@click.command(cls=Command, name="add-mail-hook")
@click.argument("name")
@click.option("--provider", required=True, type=click.Choice(sorted(mailhooks.PROVIDERS)))
@click.option("--secret", type=click.File(), default="-", help="A file; standard input if absent.")
def add_mail_hook(name: str, provider: str, secret: IO[str]) -> None:
    """Let a mail provider tell what became of letters, by the secret it signs with.

    Again with the same name it replaces the secret.
    """
    try:
        hook = mailhooks.setup(name, provider, secret.read().strip(), datetime.now(UTC))
    except mailhooks.BadHook as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Address: {mailhooks.address(hook)}")


@click.command(cls=Command, name="remove-mail-hook")
@click.argument("name")
def remove_mail_hook(name: str) -> None:
    """Take nothing more from a mail provider."""
    try:
        mailhooks.remove(name, datetime.now(UTC))
    except mailhooks.BadHook as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"The hook {name} is closed.")


def _read(stream: IO[bytes]) -> bytes:
    """As much as we look at; the rest is read too, since relays mind a pipe that closes early."""
    message = stream.read(LARGEST)
    while stream.read(CHUNK):
        pass
    return message
