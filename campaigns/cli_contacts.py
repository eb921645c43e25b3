"""The command that imports contacts, with the basis on which we may write to them."""

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select

from campaigns import contacts
from campaigns.cli_command import Command
from campaigns.contact_verdicts import About, Verdict
from campaigns.contacts import Basis
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Purpose


@click.command(cls=Command, name="import-contacts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--asked-by", required=True, help="Who asked these people.")
@click.option("--agreed-on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="When.")
@click.option("--how", required=True, help="Such as: paper list at the spring fair.")
@click.option("--words", required=True, help="The words they agreed to.")
@click.option("--newsletter", is_flag=True, help="They agreed to the newsletter.")
@click.option("--campaign", "slugs", multiple=True, help="To updates of a campaign. Repeatable.")
@click.option("--commit", is_flag=True, help="Keep them. Else only what would be is printed.")
def import_contacts(
    file: Path, asked_by: str, agreed_on: datetime, how: str, words: str, newsletter: bool,
    slugs: tuple[str, ...], commit: bool,
) -> None:  # fmt: skip
    """Make the people of a CSV or XLSX file donors who agreed to be written to."""
    now = datetime.now(UTC)
    if agreed_on.date() > now.date():
        raise click.ClickException("They cannot have agreed on a day that has not come.")
    for_what = [(Purpose.NEWSLETTER, None)] * newsletter
    try:
        basis = Basis(asked_by.strip(), agreed_on.date(), how.strip(), words.strip(),
                      (*for_what, *map(_updates, slugs)))  # fmt: skip
        with file.open("rb") as content:
            one, lines = contacts.add(content, file.name, basis, now, None)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read ({error.strerror}).") from error
    except (BadFile, ValueError) as error:
        raise click.ClickException(str(error)) from error
    rows = contacts.judged(one, lines)
    for verdict, number in contacts.counted(rows).items():
        click.echo(f"{verdict}: {number}")
    wrong = [row.line.number for row in rows if row.verdict in (Verdict.INVALID, Verdict.BAD)]
    if wrong:
        click.echo(f"Rows to mend: {', '.join(map(str, wrong))}.", err=True)
    if not commit:
        db.session.rollback()
        click.echo("Nothing is kept: --commit keeps what can be.")
        return
    contacts.commit(one, lines, contacts.counted(rows), now, None)
    db.session.commit()
    click.echo(f"Import of contacts {one.id} is committed.")


def _updates(slug: str) -> About:
    campaign = db.session.scalar(select(Campaign).where(Campaign.slug == slug))
    if campaign is None:
        raise click.ClickException(f"There is no campaign {slug}.")
    return Purpose.UPDATES, campaign.id
