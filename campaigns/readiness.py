"""Readiness: whether every part that the service stands on does its work at this moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from campaigns import bell, due, schema
from campaigns.db import db
from campaigns.model.pulse import Pulse
from config import settings

# The pulse beats every 5 s; a worker's restart fits in here.
LATEST_BEAT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: whether it does its work, and what was seen."""

    ok: bool
    seen: dict[str, Any]


def of(now: datetime) -> dict[str, Part]:
    """Every part by its name; never raises. The service is ready when all of them are ok."""
    looks: dict[str, Callable[[datetime], Part]] = {
        "database": _database,
        "migrations": _migrations,
        "broker": _broker,
        "beat": _beat,
        "due": _due,
    }
    return {name: _looked(look, now) for name, look in looks.items()}


def _looked(look: Callable[[datetime], Part], now: datetime) -> Part:
    try:
        return look(now)
    except (SQLAlchemyError, bell.Silent) as error:
        db.session.rollback()
        return Part(False, {"error": type(error).__name__})


def _database(now: datetime) -> Part:
    db.session.execute(select(1))
    return Part(True, {})


def _migrations(now: datetime) -> Part:
    stands = schema.stands_at(db.session.connection())
    return Part(stands == _head(), {"at": stands, "head": _head()})


def _broker(now: datetime) -> Part:
    if url := settings().broker_url:
        bell.ring(url)
    return Part(True, {} if url else {"configured": False})


def _beat(now: datetime) -> Part:
    at = db.session.scalar(select(Pulse.at).where(Pulse.name == "beat"))
    return Part(at is not None and now - at <= LATEST_BEAT, {"at": at and at.isoformat()})


def _due(now: datetime) -> Part:
    since = due.oldest(now)
    seconds = {name: at and int((now - at).total_seconds()) for name, at in since.items()}
    return Part(not due.late(since, now), {"oldest_seconds": seconds})


@cache
def _head() -> str:
    return schema.head()
