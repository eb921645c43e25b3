"""Batches: an import's work in pieces that nobody waits for long, each done once."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    CursorResult,
    String,
    Table,
    Update,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)

from campaigns.db import Id, Moment, db
from campaigns.model.imported import (
    Decision,
    Import,
    ImportGiver,
    ImportRow,
    ImportState,
    RowVerdict,
)

# A worker that died loses the import for this long; renewed with every batch.
LEASE = timedelta(seconds=60)
SKEW = timedelta(minutes=2)  # by which two machines' clocks may differ
# An import whose work came no further for so long needs a person.
LONGEST_STILL = timedelta(minutes=15)
PATIENCE = 5  # tries of one row that the database refuses
WORK = (
    ImportState.READING,
    ImportState.COMMITTING,
    ImportState.UNDOING,
    ImportState.DISCARDING,
)
IMPORTS, ROWS = cast(Table, Import.__table__), cast(Table, ImportRow.__table__)
GIVERS = cast(Table, ImportGiver.__table__)

Clock = Callable[[], datetime]

# The columns of a row that hold numbers of money, by the scheme of the number (`platforms.Key`),
# in the order in which the ledger inserts them: who books the same at the same moment waits, and
# never in a ring.
NUMBERS = {
    "fee": "fee",
    "line": "line",
    "match": "match_number",
    "order": "order_number",
    "refund": "refund",
    "request": "request",
    "trade": "trade",
}


# Values in statements of ours whose types PostgreSQL could not tell from the place they stand in.
_TYPES: dict[str, Any] = {
    "now": Moment(),
    "turned": Moment(),
    "by": Id,
    "reason": String(),
    "source": String(),
}


class Overtaken(Exception):
    """Somebody else did this batch, or the import is no longer in this state."""


@dataclass
class Pace:
    """How many rows a batch may have, so that its transaction lasts about `aim` seconds.

    Nobody waits for a transaction longer than a second, however slow the machine is today. Nor are
    there more rows than `most`, which a worker holds in memory.
    """

    rows: int = 1000
    aim: float = 0.3
    least: int = 50
    most: int = 4_000
    began: float | None = None
    refused: int = 0

    def begin(self) -> None:
        """A transaction is about to begin whose time depends on `rows`."""
        self.began = time.monotonic()

    def end(self) -> None:
        """It is over: learn from it."""
        if self.began is None:
            return
        seconds, self.began, self.refused = time.monotonic() - self.began, None, 0
        factor = min(2.0, self.aim / max(seconds, 0.001))
        self.rows = max(self.least, min(self.most, int(self.rows * factor)))

    def stumbled(self) -> bool:
        """Whether a batch of one row was refused before."""
        self.refused += 1
        return self.refused > PATIENCE

    def falter(self) -> None:
        """Try again with fewer: what is in the way is then in fewer rows' way."""
        self.rows = max(1, self.rows // 2)


def take(now: datetime) -> int | None:
    """Lease the import that waits longest for a worker; None if none does.

    A lease for longer than any is a clock's that was ahead, and holds nobody up.
    """
    leased = IMPORTS.c.leased_until.between(now, now + LEASE + SKEW)
    free = IMPORTS.c.leased_until.is_(None) | ~leased
    waiting = (
        select(IMPORTS.c.id)
        .where(IMPORTS.c.state.in_(WORK), free)
        .order_by(IMPORTS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = update(IMPORTS).where(IMPORTS.c.id == waiting.scalar_subquery(), free)
    found: int | None = db.session.scalar(
        taken.values(leased_until=now + LEASE).returning(IMPORTS.c.id)
    )
    return found


def release(import_id: int) -> None:
    """Let the next worker go on at once."""
    db.session.execute(update(IMPORTS).where(IMPORTS.c.id == import_id).values(leased_until=None))


def advance(
    import_id: int, state: ImportState, before: int, after: int, now: datetime, **more: Any
) -> None:
    """Note that the batch from row `before` is done, in the transaction that did it.

    Raises `Overtaken` where another worker did it: then nothing of this batch must stay.
    """
    at = _at(import_id, state, before)
    moved = {"position": after, "leased_until": now + LEASE, "moved_at": now}
    done = db.session.execute(at.values(moved | more))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Overtaken


def finish(
    import_id: int,
    state: ImportState,
    position: int,
    then: ImportState,
    now: datetime,
    **more: Any,
) -> None:
    """Leave a state whose work is done for the one after. Raises `Overtaken` the second time."""
    values = more | {"state": then, "leased_until": None, "moved_at": now}
    done = db.session.execute(_at(import_id, state, position).values(values))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Overtaken


def clear(import_id: int, pace: Pace) -> Iterator[None]:
    """Delete an import's rows, some at a time; whoever asks commits after each. Twice is once."""
    for table in (ROWS, GIVERS):
        while _delete_some(table, import_id, pace):
            yield
    db.session.rollback()


def run(sql: str, **given: Any) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement of ours with values by their names in it."""
    known: list[Any] = [bindparam(name, type_=_TYPES[name]) for name in given if name in _TYPES]
    found = db.session.execute(text(sql).bindparams(*known), given)
    return cast("CursorResult[*tuple[Any, ...]]", found)


def by_probes() -> None:
    """Let the database look numbers up one by one in this transaction.

    PostgreSQL would else read a whole ledger where it thinks that a batch is large, keep to a plan
    that it made while the tables were empty, or compile one that is used once. SQLite would hold no
    more of the ledger than 2 MB, less than the pages of its indexes that a batch falls into.
    """
    db.session.execute(text(_PROBES[db.engine.dialect.name]))


_PROBES = {
    "postgresql": """
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)
""",
    "sqlite": "PRAGMA cache_size = -8000",  # kB
}


def numbers(which: str, entry: str = "entry_id") -> str:
    """SQL: (position, scheme, value, entry_id) of each number of an import's rows [:first, :last).

    `entry` is the SQL that gives a row's entry, by default the one that its numbers led to, if any.
    """
    columns = ", ".join(NUMBERS.values())
    each = " UNION ALL ".join(
        f"SELECT position, '{scheme}' AS scheme, {column} AS value, entry_id FROM numbered "  # noqa: S608
        f"WHERE {column} IS NOT NULL"
        for scheme, column in NUMBERS.items()
    )
    return (
        f"WITH numbered AS MATERIALIZED (SELECT position, {columns}, {entry} AS entry_id "  # noqa: S608
        "FROM import_rows WHERE import_id = :id AND position >= :first AND position < :last "
        f"AND ({which})) {each}"
    )


def planned(decisions: Sequence[Sequence[Any]]) -> str:
    """SQL: whether a row is to be booked, by its verdict and by what people said.

    It needs a listing, and all that booking needs, a number among it. What is ambiguous since its
    numbers lead to several entries has no `entry_id` and cannot be taken.
    """
    said = decided(decisions)
    numbered = f"COALESCE({', '.join(NUMBERS.values())}) IS NOT NULL"
    whole = f"kind IS NOT NULL AND amount <> 0 AND occurred_at IS NOT NULL AND {numbered}"
    return (
        f"listing_id IS NOT NULL AND {whole} AND ("
        f"verdict = 'new' AND COALESCE({said}, 'take') = 'take' OR {said} = 'take' AND "
        "(verdict = 'not_a_donation' OR verdict = 'ambiguous' AND entry_id IS NOT NULL))"
    )


def decided(decisions: Sequence[Sequence[Any]]) -> str:
    """SQL: what people decided about a row: of itself, else of its verdict and kind, else null."""
    general = " ".join(
        f"WHEN {_is('verdict', RowVerdict(verdict))}"
        + (f" AND kind = '{kind}'" if kind else "")
        + f" THEN '{Decision(decision).value}'"
        for verdict, kind, decision in decisions
    )
    return f"COALESCE(decision, CASE {general} END)" if general else "decision"


def count(import_id: int, which: str) -> int:
    """How many of an import's rows fulfil an SQL condition."""
    found = select(func.count()).select_from(ROWS).where(ROWS.c.import_id == import_id, text(which))
    return db.session.scalar(found) or 0


def _delete_some(table: Table, import_id: int, pace: Pace) -> bool:
    """Whether there were any."""
    pace.begin()
    some = select(table.c.position).where(table.c.import_id == import_id).limit(pace.rows)
    these = delete(table).where(table.c.import_id == import_id, table.c.position.in_(some))
    return db.session.execute(these).rowcount > 0  # type: ignore[attr-defined,no-any-return]


def _is(column: str, value: RowVerdict) -> str:
    return f"{column} = '{value.value}'"


def _at(import_id: int, state: ImportState, position: int) -> Update:
    return update(IMPORTS).where(
        IMPORTS.c.id == import_id, IMPORTS.c.state == state, IMPORTS.c.position == position
    )
