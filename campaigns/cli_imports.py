"""The commands of imports: a file read, judged and booked, or put away, without any worker."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from campaigns import imports, reviewing, stored
from campaigns.batches import LEASE
from campaigns.cli_command import LARGEST_ID, Command, listing
from campaigns.db import db
from campaigns.model.imported import Import, ImportState, SavedMapping
from campaigns.platforms import bills, generic, registry
from campaigns.steps import NotOpen
from workers import imports as import_work


@click.command(cls=Command, name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--listing", "listing_id", type=click.IntRange(1, LARGEST_ID), help="Of all rows.")
@click.option("--profile", help="The kind of export; without it the file is looked at.")
@click.option("--source", default="", help="The account, where the file does not say it.")
@click.option("--charset", help="Such as gb18030; without it the file is looked at.")
@click.option("--mapping", help="The name of a saved mapping; implies the generic profile.")
@click.option("--member", help="The file within an archive, or the sheet of a workbook.")
@click.option("--commit", is_flag=True, help="Book what is new. Else it waits for review.")
def import_file(
    file: Path, listing_id: int | None, profile: str | None, mapping: str | None, commit: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Read a platform's export into the ledger, and print how many rows have which verdict."""
    if listing_id is not None:
        listing(listing_id)
    saved = _mapping(mapping) if mapping else None
    reading = imports.Reading(profile or "", listing_id=listing_id, mapping=saved, **given)
    one = _kept(file, replace(reading, profile=generic.NAME) if saved else reading)
    import_work.work_on(one.id)
    db.session.refresh(one)
    if one.state is ImportState.FAILED:
        raise click.ClickException(one.reason or "The file cannot be read.")
    if commit:
        imports.commit(one, datetime.now(UTC), None)
        db.session.commit()
        import_work.work_on(one.id)
        db.session.refresh(one)
    for verdict, rows in reviewing.counts(one).by_verdict.items():
        click.echo(f"{verdict.replace('_', ' ')}: {rows}")
    click.echo(f"Import {one.id} is {one.state}.")


@click.command(cls=Command, name="discard-import")
@click.argument("number", type=click.IntRange(1, LARGEST_ID))
@click.option("--reason", required=True, help="It is kept with the import.")
def discard_import(number: int, reason: str) -> None:
    """Put an import away that is not booked: its rows go, and its file where no other has it."""
    one = db.session.get(Import, number)
    if one is None:
        raise click.ClickException(f"There is no import {number}.")
    try:
        imports.discard(one, reason, datetime.now(UTC), None)
    except (NotOpen, ValueError) as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    db.session.commit()
    import_work.work_on(one.id)
    db.session.refresh(one)
    click.echo(f"Import {one.id} is {one.state}.")


def _kept(file: Path, reading: imports.Reading) -> Import:
    """A new import of a file, leased by us; says so where the same file came before."""
    now = datetime.now(UTC)
    try:
        with file.open("rb") as content:
            reading = replace(reading, profile=reading.profile or bills.recognise(content) or "")
            registry.profile(reading.profile)
            kept = stored.keep(content, now, pause=db.session.commit)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read ({error.strerror}).") from error
    except (ValueError, LookupError) as error:
        raise click.ClickException(str(error)) from error
    for before in imports.of_file(kept)[:1]:
        click.echo(f"The same file is import {before.id} ({before.state}).", err=True)
    one = imports.add(kept, file.name, reading, now, None, leased_until=now + LEASE)
    db.session.commit()
    return one


def _mapping(name: str) -> dict[str, Any]:
    found = db.session.scalar(select(SavedMapping).where(SavedMapping.name == name))
    if found is None:
        raise click.ClickException(f"There is no saved mapping called {name}.")
    return found.mapping
