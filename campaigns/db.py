"""The database: session, column types, and how a transaction begins on each of the two."""

import json
import re
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as BaseSession
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UnaryExpression,
    bindparam,
    event,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import operators

BUSY_SECONDS = 5
LOOK_SECONDS = 0.005
# A web process has hundreds of threads; the database gets far fewer connections (design §8).
# Values are hidden in errors, which end up in logs (design §5 rule 11).
POOL = {
    "hide_parameters": True,
    "pool_size": 16,
    "max_overflow": 16,
    "pool_timeout": 5,
    "pool_pre_ping": True,
}

_reading: ContextVar[bool] = ContextVar("reading", default=False)


class Base(DeclarativeBase):
    """Every table's base; constraints are named by convention so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Session(BaseSession):
    """Flask-SQLAlchemy's session; inside `reading()` its transactions cannot write."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        bind = super().get_bind(*args, **kwargs)
        if not _reading.get() or not isinstance(bind, Engine):
            return bind
        # A session opens a connection for each engine it is given, and every call of
        # `execution_options` makes another engine: without this each query would have its own.
        if "reader" not in self.info:
            self.info["reader"] = bind.execution_options(postgresql_readonly=True, reading=True)
        return cast(Engine, self.info["reader"])


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": Session})

Id = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; a naive one is refused with `ValueError` (design §5 rule 2)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone was about to be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Exact(TypeDecorator[Decimal]):
    """A decimal kept as text, since SQLite would make a float of it."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def choice(kinds: type[StrEnum], name: str | None = None) -> Enum:
    """A text column that holds one of `kinds`, checked by the database too.

    `name` is the constraint's, where it is not that of the class.
    """
    return Enum(
        kinds,
        native_enum=False,
        create_constraint=True,
        length=24,
        name=name or re.sub(r"(?<!^)(?=[A-Z])", "_", kinds.__name__).lower(),
        values_callable=lambda members: [member.value for member in members],
    )


@contextmanager
def reading() -> Iterator[None]:
    """Transactions that begin inside cannot write: `READ ONLY`, or `query_only` on SQLite (rule 9).

    Nests. A transaction that is already open keeps its kind.
    """
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def is_outage(error: BaseException) -> bool:
    """Whether the database was away, full or broken, and would have been whatever was asked of it.

    PostgreSQL says so by the class of the error (its manual, appendix A), SQLite by its code.
    """
    if not isinstance(error, DBAPIError):
        return False
    state: str | None = getattr(error.orig, "sqlstate", None)
    code: int = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return (
        error.connection_invalidated
        or (state or "").startswith(_OUTAGES)
        or code & 0xFF in _SQLITE_OUTAGES
    )


# Insufficient resources (a full disk among them), operator intervention, system error.
_OUTAGES = ("53", "57P", "58")
_SQLITE_OUTAGES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def among(column: InstrumentedAttribute[int], ids: Collection[int]) -> ColumnElement[bool]:
    """`column IN (ids)`, one statement for lists of any length where the database knows lists.

    Else driver and server read and plan one anew for each length.
    """
    if db.engine.dialect.name == "sqlite":
        return column.in_(ids)
    many = bindparam(None, list(ids), type_=postgresql.ARRAY(BigInteger))
    return column.in_(select(func.unnest(many)))


def mostly(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that almost every row fulfils, such as that an entry reverses nothing.

    SQLite keeps no statistics here: unless it is told so, it takes the index of what reverses, and
    reads the whole ledger.
    """
    if db.engine.dialect.name == "sqlite":
        return func.likelihood(condition, literal_column("0.99"))
    return condition


def unindexed(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """The column, for whose sake no index is taken: neither to find rows nor to order them."""
    return UnaryExpression(column.expression, operator=operators.custom_op("+"), type_=column.type)


def clock() -> datetime | None:
    """The clock of the database's server, by which all processes measure; SQLite has none."""
    if db.engine.dialect.name == "sqlite":
        return None
    return db.session.scalar(select(func.clock_timestamp(type_=Moment())))


def insert(table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the words of the database in use."""
    if db.engine.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def engine_options(url: str) -> dict[str, Any]:
    """How to reach the database at `url`; connects to nothing."""
    if url.startswith("sqlite"):
        return POOL | {"connect_args": {"timeout": BUSY_SECONDS}}
    return POOL | {
        "connect_args": {
            "connect_timeout": 3,
            "options": "-c statement_timeout=30s -c TimeZone=UTC",
        }
    }


def prepare(engine: Engine) -> None:
    """Teach an engine how its transactions begin. Call once per engine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def dumps(value: object) -> str:
    """JSON for a column: readable Chinese, no NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _open_sqlite(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    # SQLAlchemy's default leaves the beginning of transactions to the driver, which defers them;
    # one that read and then wrote would fail at once where another had written in between.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA recursive_triggers=ON")
    # As PostgreSQL has it, for bytes within JSON; SQLite has its like since 3.41 only.
    connection.create_function("decode", 2, _decoded, deterministic=True)


def _decoded(text: str, form: str) -> bytes:
    if form != "hex":
        raise ValueError(form)
    return bytes.fromhex(text)


def _begin_sqlite(connection: Connection) -> None:
    read_only = bool(connection.get_execution_options().get("reading"))
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
    if read_only:
        connection.exec_driver_sql("BEGIN")
    else:
        _begin_writing(connection)


def _begin_writing(connection: Connection) -> None:
    """Begin as soon as nobody else writes.

    SQLite has no queue, and looks again only every tenth of a second: whoever writes batch after
    batch, as an import does, would keep others out for as long as it takes. We look more often
    than such a writer pauses.
    """
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    until = time.monotonic() + BUSY_SECONDS
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while _must_wait(driver) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        if not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def _must_wait(driver: sqlite3.Connection) -> bool:
    """Begin; True if somebody else writes. Anything else is said when it is tried again."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False
