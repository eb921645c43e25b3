"""Staging: a file's rows, read into the database in batches and compared with the ledger."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DataError

from campaigns import batches, bulk, donors, figures, stored, verdicts
from campaigns.batches import GIVERS, NUMBERS, ROWS, Clock, Pace
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.mail.address import Address, BadAddress
from campaigns.model.imported import Import, ImportState
from campaigns.model.listing import Listing
from campaigns.places import Places
from campaigns.platforms import bills
from campaigns.platforms.base import N_, Item
from campaigns.platforms.bills import Opened
from campaigns.platforms.mapping import BadMapping, Mapping

log = logging.getLogger(__name__)
UNSTORABLE = N_("A cell of the file holds what the database does not store.")
ELSEWHERE = N_("The row belongs to another account")
NUMBERLESS = N_("The row has no number by which it would be known if it came again.")
ROW_COLUMNS = (
    "import_id position number verdict reason kind amount currency occurred_at day donations "
    "campaign_id listing_id ref line trade order_number refund request fee match_number regards"
).split()
GIVER_COLUMNS = "import_id position name email message address_hash".split()
LONGEST_REASON, LONGEST_NUMBER, LONGEST_MESSAGE, LONGEST_ADDRESS = 300, 200, 1000, 320
# Pairs of rows of one file that share a number, found and settled so many at a time.
PAIRS, SOME = 20_000, 1000


def stage(import_id: int, pace: Pace, clock: Clock) -> Iterator[None]:
    """Read an import's file on from where it stands; whoever asks commits after each batch.

    Ends with the import under review, or failed with a reason. Killed at any moment and called
    again it goes on behind the last batch that was committed. Raises `batches.Overtaken` where
    another worker did a batch.
    """
    one = db.session.get_one(Import, import_id, populate_existing=True)
    at, file_id = one.position, one.file_id
    db.session.rollback()
    if at == 0:
        yield from batches.clear(import_id, pace)
    opened = None
    with ExitStack() as open_files:
        try:
            opened = _opened(import_id, open_files.enter_context(stored.opened(file_id)))
            yield from _read(import_id, opened, pace, clock)
        except (BadFile, BadMapping, LookupError, DataError) as error:
            db.session.rollback()
            reason = UNSTORABLE if isinstance(error, DataError) else str(error)
            _fail(import_id, reason, opened, clock())
            yield
            return
        yield from _compared(import_id)
        _review(import_id, opened, clock())
        yield


def _opened(import_id: int, file: Any) -> Opened:
    one = db.session.get_one(Import, import_id)
    mapping = Mapping.from_json(one.mapping) if one.mapping else None
    profile, charset, member = one.profile, one.charset, one.member
    db.session.rollback()
    return bills.open(file, profile, charset=charset, mapping=mapping, member=member)


def _source(one: Import, opened: Opened) -> str:
    """The account that the money came through: as the file says, else as a person said."""
    first = next(iter(opened.items()), None)
    stated = opened.account or (first.account if first else None)
    if stated or one.source:
        return stated or one.source
    listing = db.session.get(Listing, one.listing_id) if one.listing_id else None
    if listing is None:
        raise BadFile("The file does not say which account the money came through: choose it.")
    return listing.platform


def _seen(opened: Opened) -> dict[str, Any]:
    """What one can choose about the file, by the names of an import's columns."""
    zone = figures.zone()
    first, last = opened.period or (None, None)
    return {
        "charset": opened.charset,
        "member": opened.member,
        "covers_from": first and first.astimezone(zone).date(),
        "covers_until": last and last.astimezone(zone).date(),
        "seen": {
            "format": opened.format,
            "charsets": list(opened.charsets),
            "members": list(opened.members),
            "header": opened.header,
            "missing": list(opened.missing),
        },
    }


def _read(import_id: int, opened: Opened, pace: Pace, clock: Clock) -> Iterator[None]:
    one = db.session.get_one(Import, import_id)
    at = one.position
    source = one.source = _source(one, opened) if at == 0 else one.source
    staged = _Rows(one, Places(source, one.listing_id))
    db.session.rollback()
    items = enumerate(opened.items())
    next(islice(items, at, at), None)
    while batch := list(islice(items, pace.rows)):
        rows, givers = staged.of(batch)
        pace.begin()
        first, last = batch[0][0], batch[-1][0] + 1
        batches.by_probes()
        more = {"rows": last, "source": source} | (_seen(opened) if first == 0 else {})
        batches.advance(import_id, ImportState.READING, first, last, clock(), **more)
        bulk.add(ROWS, ROW_COLUMNS, rows)
        bulk.add(GIVERS, GIVER_COLUMNS, givers)
        verdicts.judge(import_id, source, first, last, "verdict = 'new'")
        verdicts.follow(import_id, source, first, last)
        yield


class _Rows:
    """Items as rows of the tables."""

    def __init__(self, of: Import, places: Places) -> None:
        self._id, self._source, self._places = of.id, of.source, places
        self._zone, self._moment = figures.zone(), bulk.moments()
        self._day, self._begins, self._ends = "", _LAST, _LAST

    def of(self, batch: list[tuple[int, Item]]) -> tuple[list[tuple[Any, ...]], list[Any]]:
        rows, givers = [], []
        for position, item in batch:
            rows.append(self._row(position, item))
            if item.name or item.email or item.message:
                givers.append(self._giver(position, item))
        return rows, givers

    def _row(self, position: int, item: Item) -> tuple[Any, ...]:
        (number, verdict, reason, kind, minor, currency, at, line, trade, order, refund, request,
         fee, match, regards, ref, account, donations, _, _, _) = item  # fmt: skip
        listing_id = campaign_id = when = day = None
        if verdict == "new":
            if account is not None and account != self._source:
                verdict, reason = "unreadable", f"{ELSEWHERE}: {account}"
            elif not (trade or line or order or refund or request or fee or match):
                verdict, reason = "unreadable", NUMBERLESS
            elif place := self._places.of(item):
                listing_id, campaign_id = place
        if at is not None:
            when = self._moment(at)
            day = self._day if self._begins <= at < self._ends else self._turn(at)
        return (
            self._id, position, number, verdict, reason[:LONGEST_REASON] or None, kind, minor,
            currency, when, day, donations, campaign_id, listing_id, ref and ref[:LONGEST_NUMBER],
            line, trade, order, refund, request, fee, match, regards,
        )  # fmt: skip

    def _turn(self, at: datetime) -> str:
        """The organisation's day of a moment, whose bounds are kept for the rows that follow."""
        local = at.astimezone(self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        tomorrow = (midnight + timedelta(days=1)).replace(fold=0)
        self._begins, self._ends = midnight.astimezone(UTC), tomorrow.astimezone(UTC)
        self._day = local.date().isoformat()
        return self._day

    def _giver(self, position: int, item: Item) -> tuple[Any, ...]:
        name, email, message = item.name, item.email, item.message
        return (
            self._id,
            position,
            name and name[:LONGEST_NUMBER],
            email and email[:LONGEST_ADDRESS],
            message and message[:LONGEST_MESSAGE],
            _hash(email) if email else None,
        )


_LAST = datetime.max.replace(tzinfo=UTC)


def _hash(email: str) -> str | None:
    try:
        return donors.hashed(Address.parse(email))
    except BadAddress:
        return None


def _compared(import_id: int) -> Iterator[None]:
    """Settle the rows that share a number with one further up."""
    _count_on_it()
    for scheme, column in NUMBERS.items():
        after = -1
        while pairs := _pairs(import_id, column, after):
            for first in range(0, len(pairs), SOME):
                some = pairs[first : first + SOME]
                db.session.execute(
                    text(_SECOND),
                    [{"id": import_id, "position": p, "above": above} for p, above in some],
                )
                yield
            after = pairs[-1][0] if len(pairs) == PAIRS else after
            if len(pairs) < PAIRS:
                break
        log.debug("Import %d: compared by %s.", import_id, scheme)
    yield from verdicts.disclaim(import_id)


def _count_on_it() -> None:
    """Let PostgreSQL's planner know of the rows that just came, else it takes them for a few."""
    if db.engine.dialect.name == "postgresql":
        own = db.engine.execution_options(isolation_level="AUTOCOMMIT")
        with own.connect() as connection:
            connection.execute(text("ANALYZE import_rows"))


def _pairs(import_id: int, column: str, after: int) -> list[tuple[int, int]]:
    """Rows behind `after` that share a number with a row above, and the first row that has it."""
    engine = db.engine.execution_options(reading=True, postgresql_readonly=True)
    with engine.connect() as connection:
        found = connection.execute(
            text(_SHARING.format(column=column)), {"id": import_id, "after": after, "most": PAIRS}
        )
        return [(position, above) for position, above in found]


_SHARING = """
WITH shared AS MATERIALIZED (
    SELECT {column} AS value, min(position) AS above FROM import_rows
    WHERE import_id = :id AND {column} IS NOT NULL AND verdict IN ('new', 'booked', 'differs')
    GROUP BY {column} HAVING count(*) > 1
)
SELECT r.position, shared.above FROM shared CROSS JOIN import_rows r
WHERE r.import_id = :id AND r.{column} = shared.value AND r.position > shared.above
  AND r.position > :after AND r.verdict IN ('new', 'booked', 'differs') AND r.entry_id IS NULL
ORDER BY r.position LIMIT :most
"""
# A second number that leads to the same row changes nothing, one to another makes it ambiguous.
_SECOND = f"""
UPDATE import_rows SET
    verdict = CASE
        WHEN import_rows.verdict = 'new' THEN CASE WHEN above.same THEN 'booked' ELSE 'differs' END
        WHEN import_rows.reason LIKE above.said THEN import_rows.verdict
        ELSE 'ambiguous' END,
    reason = CASE
        WHEN import_rows.verdict = 'new' THEN
            CASE WHEN above.same THEN '{verdicts.ABOVE}: ' ELSE '{verdicts.ABOVE_OTHERWISE}: ' END
            || above.number
        WHEN import_rows.reason LIKE above.said THEN import_rows.reason
        ELSE '{verdicts.ABOVE_SEVERAL}' END
FROM (
    SELECT a.number, '%: ' || a.number AS said,
        a.kind = r.kind AND a.amount = r.amount AND a.currency = r.currency AS same
    FROM import_rows a CROSS JOIN import_rows r
    WHERE a.import_id = :id AND a.position = :above AND r.import_id = :id AND r.position = :position
) above
WHERE import_rows.import_id = :id AND import_rows.position = :position
  AND import_rows.entry_id IS NULL
"""  # noqa: S608


def _fail(import_id: int, reason: str, opened: Opened | None, now: datetime) -> None:
    seen = _seen(opened) if opened else {}
    _leave(import_id, ImportState.FAILED, now, reason=reason[:500], **seen)


def _review(import_id: int, opened: Opened, now: datetime) -> None:
    footer = opened.footer
    told = {
        "stated": [list(figure) for figure in footer.stated],
        "found": [list(figure) for figure in footer.found],
        "agree": footer.agree,
    }
    _leave(import_id, ImportState.REVIEW, now, reason=None, footer=told, **_seen(opened))


def _leave(import_id: int, then: ImportState, now: datetime, **values: Any) -> None:
    """Unless somebody discarded it at this moment."""
    at = db.session.get_one(Import, import_id, populate_existing=True).position
    batches.finish(import_id, ImportState.READING, at, then, now, **values)
