"""The commands for signing letters (DKIM): make a key, start, and remove it."""

from datetime import UTC, datetime

import click

from campaigns import signing
from campaigns.cli_command import Command
from campaigns.db import db

# What a string of a TXT record holds (RFC 1035 §3.3.14).
_LONGEST_STRING = 255


@click.command(cls=Command, name="add-signing-key")
@click.argument("domain")
@click.argument("selector")
@click.option("--kind", type=click.Choice(signing.KINDS), default=signing.KINDS[0])
def add_signing_key(domain: str, selector: str, kind: str) -> None:
    """Make a key for letters from DOMAIN, and print the DNS record that belongs to it.

    Every receiver knows rsa; ed25519 may be used beside it, not instead. Letters are signed once
    `start-signing` is called.
    """
    try:
        row = signing.add(domain, selector, kind, datetime.now(UTC))
    except signing.Unfit as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    name, value = signing.signer(row).record()
    parts = [value[at : at + _LONGEST_STRING] for at in range(0, len(value), _LONGEST_STRING)]
    click.echo(f"{name}. TXT " + " ".join(f'"{part}"' for part in parts))
    click.echo(f"Once it can be looked up: flask --app wsgi start-signing {row.domain} {selector}")


@click.command(cls=Command, name="start-signing")
@click.argument("domain")
@click.argument("selector")
def start_signing(domain: str, selector: str) -> None:
    """Sign letters from DOMAIN with a key whose DNS record stands."""
    try:
        row = signing.start(domain, selector, datetime.now(UTC))
    except signing.Unfit as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"Letters from {row.domain} are signed with {row.selector}.")


@click.command(cls=Command, name="remove-signing-key")
@click.argument("domain")
@click.argument("selector")
def remove_signing_key(domain: str, selector: str) -> None:
    """Sign no more with a key. Leave its DNS record for a week: letters are still under way."""
    try:
        signing.remove(domain, selector, datetime.now(UTC))
    except signing.Unfit as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"No more letters are signed with {selector}.")
