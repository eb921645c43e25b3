"""A million rows of a bill, from file to ledger: ours against the ORM version, on both databases.

`python -m bench.imports`. Each import runs in a process of its own, whose memory is measured, on a
real PostgreSQL that keeps what it confirms or on SQLite. Meanwhile somebody else writes a small row
again and again, and the longest that they waited is told. Counted is what stands in the ledger.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import flask_migrate
from flask import Flask
from sqlalchemy import func, select, text

from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.listing import Rule
from config import load
from tests import bill, make, postgres
from tests.bill import Paid
from tests.conftest import environment

# As a server with some gigabytes of memory would be set up.
SERVER = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
FEWER = 10  # the ORM versions get so many times fewer rows


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--databases", nargs="*", default=["postgresql", "sqlite"])
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as home:
        bills = _written(Path(home), given.rows)
        for name in given.databases:
            _compare(name, bills, given.rows, given.rounds)


@dataclass(frozen=True)
class _Bills:
    """As the house hands them out, packed: a million rows are more than a file may have. The plain
    versions read the tenth as it is."""

    whole: Path
    tenth: Path
    plain: Path


def _written(home: Path, rows: int) -> _Bills:
    bills = _Bills(home / "bill.zip", home / "tenth.zip", home / "tenth.csv")
    bills.plain.write_bytes(bill.bill(_paid(number) for number in range(rows // FEWER)))
    _pack(bills.tenth, bills.plain.read_bytes())
    _pack(bills.whole, bill.bill(_paid(number) for number in range(rows)))
    return bills


def _pack(path: Path, content: bytes) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("account-detail.csv", content)


def _paid(number: int) -> Paid:
    return Paid(number, 100 + number % 977, party="" if number % 3 else "张三 (zh***@example.com)")


def _compare(name: str, bills: _Bills, rows: int, rounds: int) -> None:
    print(name)
    found: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    waits = []
    for _ in range(rounds):
        for label, child, path, many in (
            ("ours", "ours", bills.whole, rows),
            ("ours, a tenth", "ours", bills.tenth, rows // FEWER),
            ("ORM add_all", "orm", bills.plain, rows // FEWER),
            ("query and commit per row", "single", bills.plain, rows // FEWER // 100),
        ):
            rate, busy, peak, waited = _run(name, child, path, many)
            found.setdefault(label, []).append(rate)
            memory.setdefault(label, []).append(peak)
            waits += [waited] if label == "ours" else []
            print(
                f"  {label}: {rate:,.0f} rows/s, {busy:.0f} µs of the processor each, "
                f"{peak:.0f} MB, others waited {waited:.2f} s"
            )
    medians = {label: statistics.median(rates) for label, rates in found.items()}
    peaks = {label: statistics.median(peak) for label, peak in memory.items()}
    for label, median in medians.items():
        print(f"{label:28} {median:10,.0f} rows/s  {peaks[label]:6.0f} MB")
    print(f"ours / ORM add_all           {medians['ours'] / medians['ORM add_all']:10.1f}")
    print(f"memory, a million / a tenth  {peaks['ours'] / peaks['ours, a tenth']:10.2f}  (aim 1.2)")
    print(f"longest wait of another writer {max(waits):8.2f} s  (aim 1)")


def _run(name: str, child: str, path: Path, rows: int) -> tuple[float, float, float, float]:
    """Rows a second, microseconds of the processor for each, peak memory in MB, and the longest
    that another writer waited."""
    with _database(name) as environ, create_app(load(environ)).app_context() as context:
        flask_migrate.upgrade()
        make.organisation()
        make.listing(rule=Rule.ITEMISED)
        db.session.commit()
        with _writing(context.app) as waits:
            said = subprocess.run(
                [sys.executable, "-m", "bench._importing", child, path, str(rows)],
                env=dict(os.environ) | environ, check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        seconds, busy, peak = map(float, said.stdout.split()[-3:])
        entries = db.session.scalar(select(func.count()).select_from(Entry))
        db.session.remove()
        db.engine.dispose()
    if entries != rows:
        sys.exit(f"{entries} entries of {rows} rows.")
    return rows / seconds, busy / rows * 1e6, peak, max(waits)


@contextmanager
def _database(name: str) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as home:
        if name == "sqlite":
            yield environment(f"sqlite:///{home}/bench.sqlite3", Path(home))
            return
        postgres.SETTINGS |= SERVER
        with postgres.durable() as cluster:
            yield environment(cluster.url, Path(home))


@contextmanager
def _writing(app: Flask) -> Iterator[list[float]]:
    """Somebody who writes a row again and again; how long each time took."""
    waits = [0.0]
    over = threading.Event()

    def write() -> None:
        with app.app_context():
            while not over.wait(0.02):
                began = time.perf_counter()
                db.session.execute(text("UPDATE listings SET position = position + 1 WHERE id = 1"))
                db.session.commit()
                waits.append(time.perf_counter() - began)
            db.session.remove()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
