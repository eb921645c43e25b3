"""What most would write instead: the same bill with the same rows by ORM objects (design §9)."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.total import Total

SHANGHAI = ZoneInfo("Asia/Shanghai")
SOURCE = "alipay:2088000000000001"


def add_all(path: Path, listing: Listing, rows: int) -> None:
    """Entries and their numbers by `add_all`, a thousand objects in a transaction."""
    total = _total(listing)
    read = _read(path, rows)
    while some := list(islice(read, 1000)):
        entries = [_entry(row, listing) for row in some]
        db.session.add_all(entries)
        db.session.flush()
        for row, entry in zip(some, entries, strict=True):
            db.session.add_all(_keys(row, entry))
            total.amount_minor += entry.amount_minor
            total.entries += 1
        db.session.commit()


def one_by_one(path: Path, listing: Listing, rows: int) -> None:
    """A question, the rows and a commit for each row of the file."""
    for row in _read(path, rows):
        trade = (SOURCE, "trade", row["业务流水号"])
        if db.session.get(EntryKey, trade) is not None:
            continue
        entry = _entry(row, listing)
        db.session.add(entry)
        db.session.flush()
        db.session.add_all(_keys(row, entry))
        total = _total(listing)
        total.amount_minor += entry.amount_minor
        total.entries += 1
        db.session.commit()


def _read(path: Path, rows: int) -> Iterator[dict[str, str]]:
    with path.open(encoding="gb18030", newline="") as file:
        lines = (line.replace("\t", "") for line in file if not line.startswith("#"))
        yield from islice(csv.DictReader(lines), rows)


def _entry(row: dict[str, str], listing: Listing) -> Entry:
    local = datetime.strptime(row["发生时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    return Entry(
        kind=EntryKind.DONATION,
        amount_minor=int(row["收入金额（+元）"].replace(".", "")),
        currency="CNY",
        donations=1,
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source=SOURCE,
        occurred_at=local.astimezone(UTC),
        day=local.date(),
        booked_at=datetime.now(UTC),
        door=Door.FILE,
    )


def _keys(row: dict[str, str], entry: Entry) -> list[EntryKey]:
    columns = (("line", "账务流水号"), ("trade", "业务流水号"), ("order", "商户订单号"))
    return [
        EntryKey(source=SOURCE, scheme=scheme, value=row[column], entry_id=entry.id)
        for scheme, column in columns
    ]


def _total(listing: Listing) -> Total:
    key = {"listing_id": listing.id, "day": date(2026, 11, 22), "slot": 0,
           "kind": EntryKind.DONATION, "currency": "CNY"}  # fmt: skip
    found = db.session.scalar(select(Total).filter_by(**key))
    if found is None:
        found = Total(**key, amount_minor=0, donations=0, entries=0)
        db.session.add(found)
        db.session.flush()
    return found
