"""Backups: everything comes back, on either database, or nothing changes."""

import io
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from campaigns import backups, clockwork, doctor, schema, stored, vacating
from campaigns.db import db
from campaigns.files.sealed import PIECE, Unreadable
from campaigns.local import demo
from campaigns.model.audit import AuditRecord
from campaigns.model.donor import Donor
from campaigns.model.file import FileChunk
from tests import laid_back, make
from tests.laid_back import another, held, restore


@pytest.fixture
def everything(app: Flask) -> Flask:
    """The demo: rows in nearly every table, in any script, and files."""
    demo.load(datetime.now(UTC))
    db.session.commit()
    return app


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_everything_comes_back_on_either_database(
    everything: Flask, tmp_path: Path, into: str
) -> None:
    made = laid_back.make(tmp_path / "file")
    before = held()
    assert sum(made.rows.values()) == sum(map(len, before.values())) > 300
    with another(into, tmp_path):
        done = restore(tmp_path / "file")
        after = held()
        assert done.rows == made.rows
        assert done.aside is None
        assert before.keys() == after.keys()
        for table in before.keys() - laid_back.STOPPED:
            assert sorted(after[table]) == sorted(before[table]), table
        for table in ("attempts", "audit_records"):
            assert after[table][: len(before[table])] == before[table]


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_restored_database_is_as_good_as_the_first(
    everything: Flask, tmp_path: Path, into: str
) -> None:
    laid_back.make(tmp_path / "file")
    largest = db.session.scalars(select(Donor.id).order_by(Donor.id.desc())).first() or 0
    with another(into, tmp_path):
        restore(tmp_path / "file")
        assert schema.stands_at(db.session.connection()) == schema.head()
        found = {one.part: one for one in doctor.examine(datetime.now(UTC))}
        for part in ("migrations", "triggers", "keys"):
            assert not found[part].remedy, found[part]
        assert make.donor("new@example.org").id == largest + 1
        with pytest.raises(DBAPIError, match="append-only"):
            db.session.execute(text("UPDATE entries SET amount = 1"))
        db.session.rollback()


def test_what_is_restored_is_written_down(app: Flask, tmp_path: Path) -> None:
    make.donor()
    laid_back.make(tmp_path / "file")
    with another("sqlite", tmp_path):
        restore(tmp_path / "file")
        record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc())).first()
        assert record
        assert record.action == "restored database"


def test_bytes_of_any_kind_and_size_come_back(app: Flask, tmp_path: Path) -> None:
    contents = [b"", b"\x00\xff\r\n", os.urandom(3 * PIECE), b"\n" * 2 * PIECE]
    file = stored.keep(io.BytesIO(b"a file"), datetime.now(UTC))
    rows = [
        {"file_id": file.id, "number": number, "content": content}
        for number, content in enumerate(contents, 10)
    ]
    db.session.execute(insert(FileChunk), rows)
    laid_back.make(tmp_path / "file")
    with another("sqlite", tmp_path):
        restore(tmp_path / "file")
        kept = db.session.scalars(
            select(FileChunk.content).where(FileChunk.number >= 10).order_by(FileChunk.number)
        )
        assert list(kept) == contents


def test_an_older_schema_is_brought_up_to_date(dialect: str, tmp_path: Path) -> None:
    with another(dialect, tmp_path):
        flask_migrate.upgrade(revision="0014")
        db.session.execute(
            text("INSERT INTO donors (address_hash, created_at) VALUES ('x', :at)"),
            {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - as the database keeps it
        )
        laid_back.make(tmp_path / "old")
        with another(dialect, tmp_path):
            restore(tmp_path / "old")
            assert schema.stands_at(db.session.connection()) == schema.head()
            assert db.session.scalars(select(Donor.address_hash)).all() == ["x"]


def test_a_newer_schema_is_refused(app: Flask, tmp_path: Path) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    laid_back.make(tmp_path / "new")
    db.session.execute(
        text("UPDATE alembic_version SET version_num = :head"), {"head": schema.head()}
    )
    db.session.commit()
    with another("sqlite", tmp_path), pytest.raises(backups.NotPossible, match="later version"):
        restore(tmp_path / "new")


def test_a_database_with_rows_is_replaced_only_if_told_and_kept(
    app: Flask, dialect: str, tmp_path: Path
) -> None:
    laid_back.make(tmp_path / "file")
    with another(dialect, tmp_path):
        flask_migrate.upgrade()
        make.donor("old@example.org")
        with pytest.raises(vacating.NotEmpty):
            restore(tmp_path / "file")
        assert _donors() == ["old@example.org"]
        done = restore(tmp_path / "file", replace=True)
        assert _donors() == []
        assert done.aside
        assert _donors_aside(done.aside, dialect) == ["old@example.org"]


def test_while_somebody_works_with_the_database_it_is_refused(
    app: Flask, dialect: str, tmp_path: Path
) -> None:
    make.donor("now@example.org")
    laid_back.make(tmp_path / "file")
    clockwork.beat(datetime.now(UTC))
    db.session.commit()
    with db.engine.connect() as other:
        other.execute(select(Donor.id)).all()
        with pytest.raises(vacating.InUse):
            restore(tmp_path / "file", replace=True)
        other.invalidate()  # or the pool, which is not the engine's any more, would keep it
    assert _donors() == ["now@example.org"]


def test_who_writes_is_waited_for_and_who_does_not_end_is_not_torn_down(
    app: Flask, dialect: str, tmp_path: Path
) -> None:
    laid_back.make(tmp_path / "file")
    with db.engine.connect() as other:
        other.execute(text("INSERT INTO throttles VALUES ('x', '2026-01-01', 1)"))
        with pytest.raises(vacating.InUse):
            restore(tmp_path / "file", replace=True)
        other.invalidate()


def test_a_fault_on_the_way_changes_nothing(app: Flask, dialect: str, tmp_path: Path) -> None:
    laid_back.make(tmp_path / "file")
    make.donor("stays@example.org")
    with (tmp_path / "file").open("rb") as file:
        found = backups.read(file, laid_back.PASSPHRASE)
        cut = tmp_path / "cut"
        cut.write_bytes((tmp_path / "file").read_bytes()[:-10])
        with cut.open("rb") as half:
            found._file = half
            with pytest.raises(Unreadable):
                backups.restore(found, datetime.now(UTC) + timedelta(days=1), replace=True)
    assert _donors() == ["stays@example.org"]
    assert not list(Path(db.engine.url.database or "").parent.glob("*.restoring*"))


def _donors() -> list[str | None]:
    db.session.rollback()
    found = list(db.session.scalars(select(Donor.address)))
    db.session.rollback()
    return found


def _donors_aside(aside: str, dialect: str) -> list[str | None]:
    if dialect == "postgresql":
        return list(db.session.scalars(text(f"SELECT address FROM {aside}.donors")))
    with closing(sqlite3.connect(aside)) as kept:
        return [address for (address,) in kept.execute("SELECT address FROM donors")]
