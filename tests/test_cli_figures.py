"""`flask report-figures`: a table of figures, judged as in the browser, and kept or not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.listing import Asking, Listing
from campaigns.model.report import Origin, Report
from campaigns.model.staff import Role
from tests import make


@pytest.fixture
def listing(app: Flask) -> Listing:
    listing = make.listing(asking=Asking.BY_HAND)
    make.report(listing, 1_000_000, datetime.now(UTC) - timedelta(days=9))
    return listing


def run(app: Flask, file: Path, table: str, *words: str) -> Result:
    file.write_text(table, encoding="utf-8")
    db.session.commit()
    return app.test_cli_runner().invoke(args=["report-figures", str(file), *words])


def kept() -> list[Report]:
    return list(
        db.session.scalars(
            select(Report).where(Report.origin == Origin.BY_HAND).order_by(Report.listing_id)
        )
    )


def test_a_table_is_kept(app: Flask, listing: Listing, tmp_path: Path) -> None:
    treasurer = make.staff("wu@example.org", Role.TREASURER)
    other = make.listing(asking=Asking.BY_HAND)
    table = f"listing,raised,moment\n{listing.id},9000,\n{other.id},2万,2026-01-05 08:00\n"
    answer = run(app, tmp_path / "figures.csv", table, "--by", "Wu@example.org")
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines() == [
        f"Row 2: listing {listing.id}, held: The figure fell from 10000.00 CNY to 9000.00 CNY.",
        f"Row 3: listing {other.id}, 20000.00 CNY kept.",
    ]
    assert [one.staff_id for one in kept()] == [treasurer.id] * 2
    assert kept()[1].moment == datetime(2026, 1, 5, 0, 0, tzinfo=UTC)


def test_a_dry_run_keeps_nothing(app: Flask, listing: Listing, tmp_path: Path) -> None:
    answer = run(app, tmp_path / "f.csv", f"listing,raised\n{listing.id},10100\n", "--dry-run")
    assert "10100.00 CNY kept." in answer.output
    assert "Nothing was kept: this was a dry run." in answer.output
    assert kept() == []


def test_twice_with_a_moment_it_is_kept_once(app: Flask, listing: Listing, tmp_path: Path) -> None:
    file, table = tmp_path / "f.csv", f"listing,raised\n{listing.id},10100\n"
    moment = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d} 08:00"
    run(app, file, table, "--moment", moment)
    assert "known already" in run(app, file, table, "--moment", moment).output
    assert len(kept()) == 1


@pytest.mark.parametrize(
    ("table", "words", "said"),
    [
        ("listing,raised\n{id},10100\n{id},ten\n", (), "Row 3: Write an amount in CNY"),
        ("listing,colour\n1,red\n", (), "No column is called “colour”."),
        ("listing,raised\n{id},\n", (), "No row has a figure"),
        ("listing,raised\n{id},1\n", ("--moment", "noon"), "--moment: A time cannot be read"),
        ("listing,raised\n{id},1\n", ("--by", "nobody@example.org"), "Nobody at nobody@"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_keeps_nothing(
    app: Flask, listing: Listing, tmp_path: Path, table: str, words: tuple[str, ...], said: str
) -> None:
    answer = run(app, tmp_path / "f.csv", table.format(id=listing.id), *words)
    assert answer.exit_code == 1
    assert said in answer.output
    assert kept() == []


def test_who_may_not_enter_figures_is_not_named(
    app: Flask, listing: Listing, tmp_path: Path
) -> None:
    make.staff("lin@example.org", Role.EDITOR)
    table = f"listing,raised\n{listing.id},10100\n"
    assert run(app, tmp_path / "f.csv", table, "--by", "lin@example.org").exit_code == 1
    assert kept() == []
