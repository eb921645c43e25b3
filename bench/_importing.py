"""One import in a process like a worker's, which has loaded what that worker loads.

`python -m bench._importing WAY FILE ROWS` prints the seconds it took, those of the processor
among them, and the process's peak memory in MB.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from celery.apps import worker
from kombu.transport import redis
from sqlalchemy import select

from bench import _plain_import
from campaigns import imports, stored
from campaigns.db import db
from campaigns.model.imported import Import
from campaigns.model.listing import Listing
from workers.imports import work_on
from workers.main import app

LOADED = (worker, redis)  # by every worker when it starts


def main(way: str, file: Path, rows: int) -> None:
    with app.app_context():
        listing = db.session.scalars(select(Listing)).one()
        ways: dict[str, Callable[[], None]] = {
            "ours": lambda: _ours(file, listing),
            "orm": lambda: _plain_import.add_all(file, listing, rows),
            "single": lambda: _plain_import.one_by_one(file, listing, rows),
        }
        began = time.perf_counter()
        busy = time.process_time()
        ways[way]()
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
    # Not getrusage, which counts what the process was before it became this program.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(seconds, busy, int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def _ours(file: Path, listing: Listing) -> None:
    now, listing_id = datetime.now(UTC), listing.id
    with file.open("rb") as content:
        kept = stored.keep(content, now, pause=db.session.commit)
    reading = imports.Reading("alipay_account", listing_id=listing_id)
    import_id = imports.add(kept, file.name, reading, now, None).id
    db.session.commit()
    work_on(import_id)
    imports.commit(db.session.get_one(Import, import_id), now, None)
    db.session.commit()
    work_on(import_id)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
