"""The command of figures by hand: a table of them, judged and kept, or only judged."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from flask_babel import force_locale

from campaigns import accounts, figures, reporting
from campaigns.cli_command import Command
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.model.report import Report, ReportState
from campaigns.model.staff import Permission, Staff
from campaigns.platforms.cells import BadCell
from campaigns.web.staff import figure_rows, gift_rows, small_tables
from campaigns.web.staff.figure_rows import COLUMNS, Read


@click.command(cls=Command, name="report-figures")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--moment", default="", help="Of rows that name none, such as 2026-11-22 14:05.")
@click.option("--by", "email", help="The mail address of the member of staff who read them.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each row, keep nothing.")
def report_figures(file: Path, moment: str, email: str | None, dry_run: bool) -> None:
    """Keep what platforms' pages show, as a CSV with the columns listing, raised and moment.

    Every figure passes the guards of any other. If one row cannot be read, none is kept.
    """
    now = datetime.now(UTC)
    by = _reader(email) if email else None
    with force_locale("en"):
        read = _read(file, moment, now)
        wrong = [f"Row {row.line.number}: {row.error}" for row in read if row.error]
        if wrong:
            raise click.ClickException("\n".join([*wrong, "Nothing was kept."]))
        good = [(row.listing, row.reading) for row in read if row.listing and row.reading]
        said = [*_said(read, reporting.enter_all(good, now, by))]
    if dry_run:
        db.session.rollback()
        said.append("Nothing was kept: this was a dry run.")
    else:
        db.session.commit()
    click.echo("\n".join(said))


def _reader(email: str) -> Staff:
    staff = accounts.at(email)
    if staff is None or not staff.may(Permission.ENTER_REPORTS):
        raise click.ClickException(f"Nobody at {email} may enter figures.")
    return staff


def _read(file: Path, moment: str, now: datetime) -> list[Read]:
    zone = figures.zone().key
    try:
        with file.open("rb") as content:
            text = small_tables.decoded(content.read(small_tables.LARGEST + 1))
        otherwise = gift_rows.moment(moment, zone, now) if moment else now
        read = figure_rows.read(COLUMNS.lines(text), zone, otherwise, now)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read ({error.strerror}).") from error
    except BadFile as error:
        raise click.ClickException(small_tables.told(error, COLUMNS)) from error
    except BadCell as error:
        raise click.ClickException(f"--moment: {error}.") from error
    if not read:
        raise click.ClickException("No row has a figure in the column “raised”.")
    return read


def _said(read: list[Read], entered: list[reporting.Entered]) -> Iterator[str]:
    for row, (report, new) in zip(read, entered, strict=True):
        yield f"Row {row.line.number}: listing {report.listing_id}, {_became(report, new)}"


def _became(report: Report, new: bool) -> str:
    if report.state is ReportState.ACCEPTED:
        return f"{report.raised} kept." if new else f"{report.raised} known already."
    if report.state is ReportState.REJECTED:
        return f"rejected before: {report.reason}"
    return f"held: {report.reason}"
