"""What must never change: the database itself refuses, on both."""

import warnings
from datetime import date
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from campaigns.app import create_app
from campaigns.db import Base, db
from campaigns.model import append_only
from campaigns.model.consent import Consent
from campaigns.model.entry import Door, Entry, EntryKind
from config import load
from tests import make
from tests.conftest import environment
from tests.make import NOON


def entry(**more: object) -> Entry:
    listing = make.listing()
    row = Entry(
        kind=EntryKind.DONATION,
        amount_minor=1050,
        currency="CNY",
        donations=1,
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source="test",
        occurred_at=NOON,
        day=date(2026, 11, 22),
        booked_at=NOON,
        door=Door.HAND,
    )
    for name, value in more.items():
        setattr(row, name, value)
    db.session.add(row)
    return row


def mirror(of: Entry, **more: object) -> Entry:
    row = Entry(
        **{
            column.key: getattr(of, column.key)
            for column in Entry.__mapper__.column_attrs
            if column.key != "id"
        }
    )
    row.amount_minor, row.donations, row.reverses = -of.amount_minor, -of.donations, of.id
    for name, value in more.items():
        setattr(row, name, value)
    db.session.add(row)
    return row


@pytest.mark.parametrize("table", append_only.TABLES)
def test_every_append_only_table_has_its_triggers(app: Flask, table: str) -> None:
    expected = append_only.triggers(db.engine.dialect.name)
    assert expected <= standing()
    assert any(name.startswith(table) for name in expected)


def test_an_entry_cannot_be_changed(app: Flask) -> None:
    entry()
    db.session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text("UPDATE entries SET amount = 1"))


def test_a_consent_cannot_be_deleted(app: Flask) -> None:
    make.consent(make.donor())
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(Consent.__table__.delete())  # type: ignore[attr-defined]


def test_an_entry_cannot_be_replaced(app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("REPLACE exists on SQLite only")
    kept = entry()
    db.session.commit()
    statement = "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE id = :id"
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement), {"id": kept.id})


def test_entries_cannot_be_truncated(app: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("TRUNCATE exists on PostgreSQL only")
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text("TRUNCATE entries CASCADE"))


def test_a_reversal_mirrors_its_entry(app: Flask) -> None:
    original = entry()
    db.session.flush()
    mirror(original)
    db.session.flush()


@pytest.mark.parametrize(
    "crooked",
    [
        {"amount_minor": -1049},
        {"kind": EntryKind.REFUND},
        {"currency": "USD"},
        {"donations": 0},
    ],
)
def test_a_crooked_reversal_is_refused(app: Flask, crooked: dict[str, object]) -> None:
    original = entry()
    db.session.flush()
    mirror(original, **crooked)
    with pytest.raises(DBAPIError, match="reversal"):
        db.session.flush()


def test_an_entry_is_reversed_once(app: Flask) -> None:
    original = entry()
    db.session.flush()
    mirror(original)
    db.session.flush()
    mirror(original)
    with pytest.raises(DBAPIError, match=r"(?i)unique"):
        db.session.flush()


@pytest.mark.parametrize("amount", [0, -5])
def test_a_donation_is_positive(app: Flask, amount: int) -> None:
    entry(amount_minor=amount)
    with pytest.raises(DBAPIError):
        db.session.flush()


def test_a_fee_may_be_given_back(app: Flask) -> None:
    entry(kind=EntryKind.FEE, amount_minor=12)
    entry(kind=EntryKind.FEE, amount_minor=-60)
    db.session.flush()


def test_a_refund_is_never_positive(app: Flask) -> None:
    entry(kind=EntryKind.REFUND, amount_minor=12)
    with pytest.raises(DBAPIError):
        db.session.flush()


def test_triggers_stand_after_every_migration_on_a_filled_database(
    new_database: str, tmp_path: Path
) -> None:
    other = create_app(load(environment(new_database, tmp_path)))
    with other.app_context():
        flask_migrate.upgrade()
        original = entry()
        db.session.commit()
        mirror(original)
        db.session.commit()
        expected = append_only.triggers(db.engine.dialect.name)
        assert expected <= standing()
        flask_migrate.downgrade(revision="base")
        assert not standing()
        flask_migrate.upgrade()
        assert expected <= standing()
        db.engine.dispose()


def standing() -> frozenset[str]:
    if db.engine.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    names = frozenset(db.session.scalars(text(query)))
    db.session.commit()
    return names


def test_the_migrations_lay_what_the_model_says(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        with warnings.catch_warnings():
            # An index over an expression cannot be read back on SQLite.
            warnings.filterwarnings("ignore", "(?i).*expression-based index", Warning)
            assert compare_metadata(context, Base.metadata) == []
