"""A year of reports every ten minutes, thinned: what is left, how fast, and who waits how long.

`python -m bench.thinning`. A listing with 52,560 reports, beside others thinned before, on a
PostgreSQL that keeps what it confirms and on SQLite.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import flask_migrate
from sqlalchemy import func, insert, select

from campaigns import thinning
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.listing import Listing
from campaigns.model.report import Origin, Report, ReportState
from config import load
from tests import make, postgres
from tests.conftest import environment

ROUNDS, A_YEAR, EVERY = 3, 365 * 144, timedelta(minutes=10)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


class Took(NamedTuple):
    """One run: reports left of the year, seconds in all and of the longest transaction."""

    left: int
    seconds: float
    longest: float


def main() -> None:
    with tempfile.TemporaryDirectory() as home, postgres.durable() as cluster:
        for url in (cluster.url, f"sqlite:///{home}/thinning.sqlite3"):
            with create_app(load(environment(url, Path(home)))).app_context():
                flask_migrate.upgrade()
                make.organisation()
                _thin(_year())
                rounds = [_thin(_year()) for _ in range(ROUNDS)]
                _print(db.engine.dialect.name, rounds)
                db.session.remove()
                db.engine.dispose()


def _year() -> int:
    """A listing that was asked for a year, growing a little each time."""
    listing = make.listing()
    common = {
        "listing_id": listing.id,
        "currency": "CNY",
        "origin": Origin.ASKED,
        "state": ReportState.ACCEPTED,
    }
    moments = [NOW - number * EVERY for number in range(A_YEAR, 0, -1)]
    rows = [
        {**common, "moment": at, "received_at": at, "raised_minor": 100_000 + 7 * number}
        for number, at in enumerate(moments)
    ]
    db.session.execute(insert(Report), rows)
    db.session.commit()
    return listing.id


def _thin(listing_id: int) -> Took:
    began, longest = time.perf_counter(), 0.0
    more = True
    while more:
        at = time.perf_counter()
        more = thinning.sweep(NOW)
        db.session.commit()
        longest = max(longest, time.perf_counter() - at)
    seconds = time.perf_counter() - began
    of_it = select(func.count()).select_from(Report).join(Listing).where(Listing.id == listing_id)
    return Took(db.session.scalar(of_it) or 0, seconds, longest)


def _print(database: str, rounds: list[Took]) -> None:
    seconds = statistics.median(one.seconds for one in rounds)
    print(
        f"{database:12}{A_YEAR:8,} reports, {rounds[0].left:,} left, {seconds:.1f} s, "
        f"{A_YEAR / seconds:,.0f} rows/s, longest transaction "
        f"{max(one.longest for one in rounds):.2f} s"
    )


if __name__ == "__main__":
    main()
