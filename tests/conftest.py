"""What tests stand on: an app on a real database, fresh for each test, and clients for it."""

import base64
import contextvars
import functools
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from campaigns import accounts, cli
from campaigns.app import create_app
from campaigns.db import Base, db
from campaigns.files import sealed
from campaigns.model.listing import Listing, Rule
from config import Settings, load
from tests import make, postgres

# How long one example takes says more about the machine's other work than about ours. Which ones
# are tried is the same in each run, so that a change is blamed for nothing but itself; the judge
# tries others each time.
hypothesis.settings.register_profile("the same", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.register_profile("others", deadline=None, max_examples=200)
hypothesis.settings.load_profile("the same")

MEMORY, ROOM = Path("/dev/shm"), 1024**3  # containers often have 64 MB, which is too little
KEY = base64.b64encode(b"0123456789" * 3 + b"01").decode()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what the database makes a difference to."""
    if "dialect" in getattr(item, "fixturenames", ()):
        item.add_marker("database")


def environment(database_url: str, instance: Path, **more: str) -> dict[str, str]:
    """A complete environment for the service, as `config.load` and child processes take it."""
    return {
        "EMBEDDED": "1",
        "DATABASE_URL": database_url,
        "INSTANCE_DIR": str(instance),
        "SECRET_KEY": "a secret key that only tests ever use",
        "DATA_KEYS": f"k1:{KEY}",
        "ADDRESS_PEPPER": KEY,
        "BASE_URL": "http://localhost",
        "MAIL_FROM": "Facilitators <updates@example.org>",
        "ORGANISATION_NAME": "协作者",
        **more,
    }


@pytest.fixture(scope="session", autouse=True)
def quick_secrets() -> Iterator[None]:
    """Hash passwords and passphrases at next to no cost: in life each takes 64 MB and a while.

    Tests that look at what they cost do so in a process of its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(accounts, "_hasher", hasher)
        patch.setattr(accounts, "_nobody", hasher.hash(""))
        patch.setattr(sealed, "_COST", (1, 8, 1))
        yield


@pytest.fixture(scope="session")
def dialect(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("database"))


@pytest.fixture
def new_database(dialect: str, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    with without_disk(tmp_path) as place, empty_database(dialect, place) as url:
        yield url


@pytest.fixture(scope="session")
def _app(dialect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    home = tmp_path_factory.mktemp("app")
    with (
        without_disk(home) as place,
        empty_database(dialect, place) as url,
        migrated(url, home) as app,
    ):
        yield app


@contextmanager
def migrated(url: str, home: Path) -> Iterator[Flask]:
    """The app on an empty database, which gets its tables."""
    app = create_app(load(environment(url, home)))
    cli.init_app(app)
    app.testing = True
    app.extensions["recent"].seconds = 0
    app.test_client_class = Client
    with app.app_context():
        flask_migrate.upgrade()
        _keep_empty()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(_app: Flask) -> Iterator[Flask]:
    """The app on an empty database, its context pushed: `db.session` works."""
    with _app.app_context():
        yield _app
        db.session.remove()
        _empty()


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies yet. What the test did before is committed before each request."""
    return app.test_client()


@pytest.fixture
def listing(app: Flask) -> Listing:
    """Where money is booked unless a test says otherwise: it shows the sum of its entries."""
    make.organisation()
    return make.listing(rule=Rule.ITEMISED)


class Client(FlaskClient):
    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.session.commit()
        # In an empty context a request gets an app context, a `g` and a session of its own, as a
        # real one does, although the test has pushed a context too.
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        db.session.expire_all()
        return answer


@contextmanager
def without_disk(home: Path) -> Iterator[Path]:
    """A directory in memory, where the system has one with room; else `home`.

    A usual test commits ten times, and each time SQLite waits for the disk. Processes may be killed
    over such a database, but whole services get theirs on disk, as in life.
    """
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="huiyin-", dir=MEMORY) as place:
        yield Path(place)


class empty_database:  # noqa: N801 - read as a context manager, it is a verb
    """A new, empty database; dropped again at the end."""

    def __init__(self, dialect: str, home: Path) -> None:
        self.name = f"test_{uuid.uuid4().hex[:12]}"
        self.postgresql = dialect == "postgresql"
        self.url = f"sqlite:///{home}/{self.name}.sqlite3"

    def __enter__(self) -> str:
        if self.postgresql:
            server = make_url(postgres.server())
            self._run(f"CREATE DATABASE {self.name}")
            self.url = server.set(database=self.name).render_as_string(hide_password=False)
        return self.url

    def __exit__(self, *error: object) -> None:
        if self.postgresql:
            self._run(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        server = make_url(postgres.server()).set(drivername="postgresql")
        address = server.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


def _keep_empty() -> None:
    if db.engine.dialect.name == "sqlite":
        db.engine.dispose()
        shutil.copy(_sqlite_file(), _sqlite_file().with_name("empty.sqlite3"))


def _empty() -> None:
    """Empty every table; append-only ones refuse DELETE, so this goes round their triggers."""
    if db.engine.dialect.name == "sqlite":
        db.engine.dispose()
        file = _sqlite_file()
        for leftover in (file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copy(file.parent / "empty.sqlite3", file)
        return
    with db.engine.begin() as connection:
        connection.exec_driver_sql(_everything_deleted())


@functools.cache
def _everything_deleted() -> str:
    """All at once, since to wait for each of the tables takes five times as long."""
    tables = "; ".join(f'DELETE FROM "{table.name}"' for table in Base.metadata.sorted_tables)
    return f"SET LOCAL session_replication_role = replica; {tables}"


def _sqlite_file() -> Path:
    assert db.engine.url.database
    return Path(db.engine.url.database)
