"""40,000 contacts with 100,000 gifts: how long counting a segment takes, on both databases.

`python -m bench.segments`. Counted as the form does: who is meant, and who of them may be written
to. Beside it the plainest version, which reads every donor's gifts and sums them in Python.
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import flask_migrate
from sqlalchemy import insert, select, text

from campaigns import segments
from campaigns.app import create_app
from campaigns.db import Base, db
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.tag import DonorTag
from config import load
from tests import make, postgres
from tests.conftest import environment

ROUNDS, CONTACTS, GIFTS, REFUNDS, AT_ONCE = 5, 40_000, 100_000, 2_000, 5_000
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
PROMISED = 1.0  # seconds, on SQLite
_GIVING = {"role": "gave", "currency": "CNY", "total": [20_000, None], "count": [2, None]}
SEGMENTS: dict[str, dict[str, Any]] = {
    "everybody": {"everyone": True},
    "gave to or follows a campaign": {"campaign": 1},
    "gave twice and 200 in all": {"include": _GIVING, "exclude": {}},
    "lapsed on one platform": {
        "include": {"platforms": ["tencent"], "lapsed": 180, "languages": ["zh-Hans"]},
        "exclude": {},
    },
    "place and tags, without who got a letter": {
        "include": {"places": ["深圳", "广州"], "tags": ["press", "board"]},
        "exclude": {"mailings": [1]},
    },
    "all of it": {
        "include": {**_GIVING, "campaigns": [1], "first": ["2025-01-01", None], "places": ["深圳"]},
        "exclude": {"mailings": [1], "tags": ["board"], "role": "follows"},
    },
}


def main() -> None:
    slow = []
    with tempfile.TemporaryDirectory() as home, postgres.durable() as cluster:
        for url in (f"sqlite:///{home}/segments.sqlite3", cluster.url):
            with create_app(load(environment(url, Path(home)))).app_context():
                flask_migrate.upgrade()
                _people()
                # SQLite has none in life either; PostgreSQL takes statistics within a minute.
                if db.engine.dialect.name == "postgresql":
                    db.session.execute(text("ANALYZE"))
                    db.session.commit()
                slow += _measured(db.engine.dialect.name)
                db.session.remove()
                db.engine.dispose()
    if slow:
        sys.exit(f"Slower than promised: {', '.join(slow)}.")


def _measured(database: str) -> list[str]:
    slow, by_hand = [], _seconds(_in_python)
    print(f"{database:12}{by_hand:8.3f} s  gave twice and 200 in all, read and summed in Python")
    for name, definition in SEGMENTS.items():
        reach = segments.reach(definition, Purpose.NEWSLETTER, None, NOW)
        took = _seconds(partial(segments.reach, definition, Purpose.NEWSLETTER, None, NOW))
        print(f"{database:12}{took:8.3f} s  {name}: {reach.people:,}, of them {reach.written_to:,}")
        if database == "sqlite" and took > PROMISED:
            slow.append(name)
    return slow


def _seconds(count: Callable[[], object]) -> float:
    """SQLite works in this process, so by the processor's time, which others do not lengthen."""
    clock = time.process_time if db.engine.dialect.name == "sqlite" else time.perf_counter
    found = []
    for _ in range(ROUNDS):
        began = clock()
        count()
        found.append(clock() - began)
        db.session.rollback()
    return statistics.median(found)


def _in_python() -> int:
    gave: defaultdict[int, list[int]] = defaultdict(list)
    rows = select(Gift.donor_id, Entry.amount_minor).join(Entry, Entry.id == Gift.entry_id)
    for donor_id, amount in db.session.execute(rows.where(Entry.kind == EntryKind.DONATION)):
        gave[donor_id or 0].append(amount)
    return sum(len(some) >= 2 and sum(some) >= 20_000 for some in gave.values())


def _people() -> None:
    make.organisation()
    listings = [make.listing(platform=name) for name in ("tencent", "alipay", "foundation")]
    mailing = make.mailing()
    _insert(Donor, _donors())
    _insert(Entry, _entries(listings))
    gifts = range(1, GIFTS + 1)
    _insert(Gift, ({"entry_id": id, "donor_id": _giver(id)} for id in gifts))
    keys = (
        {"source": "shop", "scheme": "trade", "value": f"T{id}", "entry_id": id} for id in gifts
    )
    _insert(EntryKey, keys)
    _insert(Consent, _consents())
    _insert(Delivery, _letters(mailing.id))
    tags = ("press", "board", "志愿者")
    _insert(DonorTag, ({"donor_id": id, "tag": tags[id % 3]} for id in range(1, CONTACTS, 5)))
    db.session.commit()


def _giver(number: int) -> int:
    """Three in four have given, some far more often than others."""
    return number * 7919 % (CONTACTS * (1 + number % 3) // 4) + 1


def _donors() -> Iterator[dict[str, Any]]:
    places = (None, "广东 深圳", "广东 广州", "北京", "Berlin")
    for id in range(1, CONTACTS + 1):
        yield {
            "id": id,
            "address": f"donor{id}@example.org",
            "address_hash": f"{id:064}",
            "name": f"Donor {id}",
            "locale": ("zh-Hans", "en", None)[id % 3],
            "place": places[id % 5],
            "created_at": NOW,
            "merged_into": id - 1 if id % 200 == 0 else None,
        }


def _entries(listings: list[Any]) -> Iterator[dict[str, Any]]:
    for id in range(1, GIFTS + REFUNDS + 1):
        listing, back = listings[id // 7 % 3], id > GIFTS
        at = NOW - timedelta(days=id % 700)
        yield {
            "id": id,
            "kind": EntryKind.REFUND if back else EntryKind.DONATION,
            "amount_minor": -1_000 if back else 1_000 + id % 97 * 200,
            "currency": "CNY",
            "campaign_id": listing.campaign_id,
            "listing_id": listing.id,
            "source": "shop",
            "occurred_at": at,
            "day": at.date(),
            "booked_at": NOW,
            "door": Door.HAND,
            "donations": 1,
            "regards": f"trade:T{(id - GIFTS) * 7}" if back else None,
        }


def _consents() -> Iterator[dict[str, Any]]:
    for id in range(1, CONTACTS + 1):
        yield {
            "donor_id": id,
            "purpose": Purpose.NEWSLETTER if id % 3 else Purpose.UPDATES,
            "campaign_id": None if id % 3 else 1,
            "given": id % 10 != 0,
            "at": NOW,
            "source": ConsentSource.FORM,
            "wording": "1",
            "locale": "en",
        }


def _letters(mailing_id: int) -> Iterator[dict[str, Any]]:
    for id in range(1, CONTACTS, 2):
        yield {
            "letter": LetterKind.MAILING,
            "mailing_id": mailing_id,
            "occasion": "",
            "address_hash": f"{id:064}",
            "donor_id": id,
            "purpose": Purpose.UPDATES,
            "campaign_id": 1,
            "locale": "en",
            "state": DeliveryState.SENT,
            "due_at": NOW,
            "created_at": NOW,
            "attempts": 1,
        }


def _insert(table: type[Base], rows: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            db.session.execute(insert(table), batch)
            batch = []
    if batch:
        db.session.execute(insert(table), batch)


if __name__ == "__main__":
    main()
