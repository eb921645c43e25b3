"""The commands that keep the whole service in a file, and lay it back."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from campaigns import backups
from campaigns.cli_command import Command
from campaigns.files.backup import Backup
from campaigns.files.sealed import Unreadable
from campaigns.rows import Misfit
from campaigns.vacating import InUse, NotEmpty
from config import SHORTEST_PASSPHRASE, settings

# Tables of which people speak; the others are summed up.
_TOLD = ("campaigns", "donors", "entries", "deliveries", "consents")


@click.command(cls=Command, name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def back_up(file: Path) -> None:
    """Write the database and the keys to a new FILE, encrypted, while the service runs.

    The passphrase is asked for twice, or taken from BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE.
    """
    passphrase = settings().backup_passphrase or _asked("Passphrase for the backup", twice=True)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise click.ClickException(f"Use at least {SHORTEST_PASSPHRASE} characters.")
    try:
        made = backups.make(file, passphrase, datetime.now(UTC))
    except (backups.NotPossible, Misfit) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written ({error.strerror}).") from error
    click.echo(f"{_counted(made.rows)}; {made.size:,} bytes in {file}.")


@click.command(cls=Command, name="restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Lay aside what the database holds.")
@click.option(
    "--keys", "keys_to", type=click.Path(path_type=Path), help="Write the keys to this new file."
)
@click.option("--check", is_flag=True, help="Only look whether it is whole, and of when it is.")
def restore(file: Path, replace: bool, keys_to: Path | None, check: bool) -> None:
    """Lay back a backup, of SQLite or PostgreSQL alike, all of it or nothing.

    Stop the service first. Afterwards no mailing goes on before a person says so.
    """
    passphrase = settings().backup_passphrase or _asked("Passphrase of the backup")
    try:
        with file.open("rb") as opened:
            found = backups.read(opened, passphrase)
            click.echo(f"{file} is whole: version {found.head.version}, of {found.head.at}.")
            if not check:
                _lay_back(found, replace, keys_to)
            elif keys_to is not None:
                _keep(found.keys, keys_to)
    except (backups.NotPossible, Unreadable, Misfit, InUse, NotEmpty) as error:
        raise click.ClickException(f"Nothing was changed. {error}") from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read ({error.strerror}).") from error


def _lay_back(found: Backup, replace: bool, keys_to: Path | None) -> None:
    others = [name for name, value in found.keys.items() if settings().keys.get(name) != value]
    if others and keys_to is None:
        raise backups.NotPossible(
            f"It was made with another {' and '.join(others)} than this service has. Give "
            "--keys and a file name, to which they are written, and put them in their place."
        )
    if keys_to is not None:
        _keep(found.keys, keys_to)
    done = backups.restore(found, datetime.now(UTC), replace=replace)
    click.echo(f"Restored: {_counted(done.rows)}.")
    if done.aside:
        click.echo(f"What was there before is kept as {done.aside}.")
    click.echo(
        f"{done.stopped.mailings} mailings wait for a person, {done.stopped.letters} letters are "
        "unknown: what happened since then is not known here."
    )
    if others:
        click.echo(f"Put {', '.join(others)} from {keys_to} in their place before you start.")


def _keep(keys: Mapping[str, str], path: Path) -> None:
    """A new file for its owner only, in the form of an EnvironmentFile."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise backups.NotPossible(f"{path} cannot be made ({error.strerror}).") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in keys.items())
    click.echo(f"The keys are in {path}. Delete it once they are where they belong.")


def _asked(question: str, *, twice: bool = False) -> str:
    if not sys.stdin.isatty():
        raise click.ClickException(
            "Set BACKUP_PASSPHRASE_FILE to a file that holds the passphrase, or run it at a "
            "terminal."
        )
    given: str = click.prompt(question, hide_input=True, confirmation_prompt=twice)
    return given


def _counted(rows: Mapping[str, int]) -> str:
    told = [f"{rows[name]:,} {name}" for name in _TOLD if name in rows]
    return f"{sum(rows.values()):,} rows ({', '.join(told)})"
