"""The commands of backups: what they print, ask, refuse, and never show."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.donor import Donor
from tests import make
from tests.laid_back import PASSPHRASE, another

ANOTHER_KEY = "A" * 43 + "="


@pytest.fixture(autouse=True)
def words(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "words").write_text(PASSPHRASE + "\n")
    return {"BACKUP_PASSPHRASE_FILE": str(tmp_path / "words")}


def run(app: Flask, *arguments: object) -> Result:
    db.session.commit()
    return app.test_cli_runner().invoke(args=[str(each) for each in arguments])


@pytest.fixture
def kept(tmp_path: Path, words: dict[str, str]) -> Path:
    """A backup with one donor in it, made by the command."""
    with another("sqlite", tmp_path, **words) as app:
        run(app, "db", "upgrade")
        make.donor("ada@example.org")
        said = run(app, "backup", tmp_path / "kept")
        assert said.exit_code == 0, said.output
        assert "1 donors" in said.output
    return tmp_path / "kept"


def test_a_backup_is_for_its_owner_only_and_shows_nothing(kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert b"ada@example.org" not in kept.read_bytes()
    assert [path.name for path in kept.parent.iterdir() if path.name.startswith(".")] == []


def test_it_never_writes_over_a_file(tmp_path: Path, words: dict[str, str], kept: Path) -> None:
    before = kept.read_bytes()
    with another("sqlite", tmp_path, **words) as app:
        said = run(app, "backup", kept)
    assert (said.exit_code, kept.read_bytes()) == (1, before)


def test_a_restore_says_what_it_did(tmp_path: Path, words: dict[str, str], kept: Path) -> None:
    with another("sqlite", tmp_path, **words) as app:
        said = run(app, "restore", kept)
        assert said.exit_code == 0, said.output
        assert "1 donors" in said.output
        assert PASSPHRASE not in said.output
        assert db.session.scalars(select(Donor.address)).all() == ["ada@example.org"]


def test_looking_whether_it_is_whole_changes_nothing(
    tmp_path: Path, words: dict[str, str], kept: Path
) -> None:
    with another("sqlite", tmp_path, **words) as app:
        said = run(app, "restore", "--check", kept)
        assert said.exit_code == 0
        assert "is whole" in said.output
        assert "Restored" not in said.output


def test_a_damaged_file_or_a_wrong_passphrase_is_one_sentence(
    tmp_path: Path, words: dict[str, str], kept: Path
) -> None:
    wrong = {"BACKUP_PASSPHRASE": "another one altogether"}
    with another("sqlite", tmp_path, **wrong) as app:
        said = run(app, "restore", kept)
        assert said.exit_code == 1
        assert "Nothing was changed. The passphrase" in said.output
    kept.write_bytes(kept.read_bytes()[:-1])
    with another("sqlite", tmp_path, **words) as app:
        assert run(app, "restore", kept).exit_code == 1


def test_without_a_passphrase_or_a_terminal_it_says_what_to_set(app: Flask, tmp_path: Path) -> None:
    said = run(app, "backup", tmp_path / "file")
    assert said.exit_code == 1
    assert "BACKUP_PASSPHRASE_FILE" in said.output
    assert not (tmp_path / "file").exists()


def test_other_keys_are_given_back_in_a_file_for_their_owner(
    tmp_path: Path, words: dict[str, str], kept: Path
) -> None:
    keys = tmp_path / "keys"
    with another("sqlite", tmp_path, ADDRESS_PEPPER=ANOTHER_KEY, **words) as app:
        refused = run(app, "restore", kept)
        assert refused.exit_code == 1
        assert "another ADDRESS_PEPPER" in refused.output
        said = run(app, "restore", kept, "--keys", keys)
        assert said.exit_code == 0, said.output
        assert "Put ADDRESS_PEPPER" in said.output
    assert stat.S_IMODE(os.stat(keys).st_mode) == 0o600
    given = dict(line.split("=", 1) for line in keys.read_text().splitlines())
    assert given.keys() == {"SECRET_KEY", "DATA_KEYS", "ADDRESS_PEPPER"}
    with another("sqlite", tmp_path, **words, **given) as app:
        assert "--keys" not in run(app, "restore", kept).output
