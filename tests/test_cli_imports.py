"""`flask import`: a file read, judged and booked, or put away, without any worker."""

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from campaigns import figures
from campaigns.db import db
from campaigns.model.entry import EntryKey
from campaigns.model.imported import Import, ImportState, SavedMapping
from campaigns.model.listing import Listing
from tests import bill
from tests.bill import Paid
from tests.make import NOON


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bill.csv"
    path.write_bytes(bill.bill([Paid(1), Paid(2), Paid(2, 99)]))
    return path


def run(app: Flask, *words: object) -> Result:
    return command(app, "import", *words)


def command(app: Flask, *words: object) -> Result:
    db.session.commit()
    return app.test_cli_runner().invoke(args=[*map(str, words)])


def test_a_file_is_judged_and_waits(app: Flask, listing: Listing, file: Path) -> None:
    answer = run(app, file, "--listing", listing.id, "--profile", "alipay_account")
    assert answer.exit_code == 0
    said = answer.output.splitlines()
    assert said[:3] == ["new: 2", "booked: 0", "differs: 1"]
    assert db.session.scalars(select(Import)).one().state is ImportState.REVIEW
    assert figures.published(listing) is None


def test_with_commit_it_is_booked_and_the_second_time_nothing_is(
    app: Flask, listing: Listing, file: Path
) -> None:
    run(app, file, "--listing", listing.id, "--profile", "alipay_account", "--commit")
    number = db.session.scalars(select(Import.id)).one()
    answer = run(app, file, "--listing", listing.id, "--commit")
    assert answer.exit_code == 0
    assert "new: 0\nbooked: 2\ndiffers: 1" in answer.output
    assert f"The same file is import {number} (committed)." in answer.output
    published = figures.published(listing)
    assert published is not None
    assert published.minor == 2100


def test_a_saved_mapping_reads_another_table(app: Flask, listing: Listing, tmp_path: Path) -> None:
    mapping = {"columns": {"when": ["When"], "amount": ["How much"], "trade": ["Which"]}}
    db.session.add(SavedMapping(name="ours", mapping=mapping, created_at=NOON))
    table = tmp_path / "table.csv"
    table.write_text("When,How much,Which\n2026-11-22 10:00,10.50,T1\n")
    answer = run(app, table, "--listing", listing.id, "--mapping", "ours", "--source", "shop",
                 "--commit")  # fmt: skip
    assert "new: 1" in answer.output
    assert db.session.get(EntryKey, ("shop", "trade", "T1")) is not None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.csv"], "Error: nowhere.csv cannot be read (No such file or directory)."),
        (["FILE", "--listing", "99"], "Error: There is no listing 99."),
        (["FILE", "--mapping", "none"], "Error: There is no saved mapping called none."),
        (["FILE", "--profile", "wechatpay"], "Error: There is no profile called 'wechatpay', only"),
        (["EMPTY"], "Error: "),
        (["FILE", "--charset", "utf-8"], "Error: "),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    app: Flask, listing: Listing, file: Path, words: list[str], sentence: str
) -> None:
    empty = file.with_name("empty.csv")
    empty.touch()
    named = {"FILE": str(file), "EMPTY": str(empty)}
    answer = run(app, *(named.get(word, word) for word in words))
    assert answer.exit_code == 1
    assert answer.output.startswith(sentence)
    assert len(answer.output.splitlines()) == 1


def test_an_import_is_put_away_with_a_reason(app: Flask, listing: Listing, file: Path) -> None:
    run(app, file, "--listing", listing.id)
    number = db.session.scalars(select(Import.id)).one()
    answer = command(app, "discard-import", number, "--reason", "the wrong month")
    assert answer.output == f"Import {number} is discarded.\n"
    again = command(app, "discard-import", number, "--reason", "the wrong month")
    assert (again.exit_code, again.output) == (1, "Error: The import is discarded.\n")
    nobody = command(app, "discard-import", 99, "--reason", "x")
    assert (nobody.exit_code, nobody.output) == (1, "Error: There is no import 99.\n")
