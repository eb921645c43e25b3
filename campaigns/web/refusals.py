"""Refused posts: counted, and logged at most once a minute for each endpoint and reason."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.web.errors import let_go

log = logging.getLogger(__name__)
EVERY = timedelta(minutes=1)


@dataclass
class Refusals:
    """What this process refused. Only names of endpoints that exist get in, so it stays small."""

    _held: Counter[tuple[str, str]] = field(default_factory=Counter)
    _said: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, endpoint: str, reason: str, now: datetime) -> int:
        """Count one; how many are to be told of now, this one included, or none yet."""
        key = endpoint, reason
        with self._lock:
            self._held[key] += 1
            said = self._said.get(key)
            if said is not None and said <= now < said + EVERY:
                return 0
            self._said[key] = now
            return self._held.pop(key)


def note(refusals: Refusals, endpoint: str, reason: str, now: datetime) -> None:
    """Count a refused post; once a minute say so, and add up in the endpoint's row.

    What cannot be added because the database is away or busy is left out: refusing must not hang
    on it.
    """
    told = refusals.count(endpoint, reason, now)
    if not told:
        return
    log.warning("%d posts to %s were not taken: %s.", told, endpoint, reason)
    try:
        db.session.execute(
            update(WebhookEndpoint)
            .where(WebhookEndpoint.name == endpoint)
            .values(refused=WebhookEndpoint.refused + told, refused_at=now, refused_for=reason[:40])
            .execution_options(synchronize_session=False)
        )
        db.session.commit()
    except (DBAPIError, PoolTimeout):
        let_go()
