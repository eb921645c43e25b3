"""Hosts: how many questions each may get just now, all workers counted together (design §11)."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from sqlalchemy import (
    Row,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from campaigns.db import Moment, among, db
from campaigns.db import insert as upsert
from campaigns.model.host import Host, Turn
from campaigns.model.listing import Listing

# Longer than any question may take; a worker that died loses the listing for this long.
LEASE = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
# A host that fails so often, one question after the other, rests; then one question tries it.
BREAKS_AFTER = 5
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(hours=1)
# More than that no host can ask for (`answers.retry_after`).
LONGEST_PATIENCE = timedelta(days=1)
JITTER = 0.1
# Two machines' clocks may differ by less; what is dated further ahead, a clock set back left.
SKEW = timedelta(minutes=2)
# When to try again where as many questions as may be are under way: none takes longer.
SOON = timedelta(seconds=10)
_HOSTS = cast(Table, Host.__table__)


class Full(Exception):
    """The host may not be asked just now; `wait` is for how long it is not worth trying."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"Full for {wait}.")
        self.wait = wait


class Outcome(NamedTuple):
    """How a turn ended for its host; `failed` is whether the host, not one page of it, ails.

    `patience` is how long it asked to be left alone.
    """

    turn_id: int
    host: str
    failed: bool
    patience: timedelta | None = None


def hold(names: Collection[str], now: datetime) -> list[str]:
    """Lock these hosts until the transaction ends; returns those that do not rest.

    A host that was never seen gets its row. Whoever takes turns locks first, always in the order
    of names, so that every count is exact and nobody waits in a circle.
    """
    held = _held(names)
    if new := sorted(set(names) - held.keys()):
        add = upsert(_HOSTS).on_conflict_do_nothing()
        db.session.execute(add, [{"name": name} for name in new])
        held |= _held(new)
    return [name for name, rests_until in held.items() if not rests_until or rests_until <= now]


def rooms(now: datetime) -> Select[str, int, int, int]:
    """Of each host, how many questions may be added to those under way, and to the last minute's.

    Exact for hosts that this transaction holds. A host that failed too often gets one at a time.
    `ahead` is how many may wait for others' places: none where the host did not answer well.
    """
    counted = (
        select(
            Turn.host,
            func.sum(case((and_(Turn.until > now, ~Turn.ahead), 1), else_=0)).label("under_way"),
            func.sum(case((Turn.at > now - MINUTE, 1), else_=0)).label("lately"),
        )
        .where(Turn.at > now - max(MINUTE, LEASE))
        .group_by(Turn.host)
        .subquery()
    )
    at_once = case((Host.failures >= BREAKS_AFTER, 1), else_=Host.at_once)
    return select(
        Host.name,
        (at_once - func.coalesce(counted.c.under_way, 0)).label("at_once"),
        (Host.a_minute - func.coalesce(counted.c.lately, 0)).label("a_minute"),
        case((Host.failures > 0, 0), else_=Host.at_once).label("ahead"),
    ).outerjoin(counted, counted.c.host == Host.name)


def share(
    waiting: Iterable[Row[int, str, bool]], limit: int, spare: Mapping[str, int]
) -> tuple[list[int], Counter[str]]:
    """Which listings to ask; how many of each host's have a place there at once, `limit` in all.

    The others are taken ahead: at each host one for each question that has a place now, and for
    each of `spare`. `waiting` has a listing, its host, and whether there is a place for it.
    """
    chosen, places, more = [], Counter[str](), Counter(spare)
    for listing_id, host, has_place in waiting:
        if has_place and places.total() < limit:
            places[host] += 1
            more[host] += 1
        elif more[host] > 0:
            more[host] -= 1
        else:
            continue
        chosen.append(listing_id)
    return chosen, places


def under_way(now: datetime) -> Select[int | None]:
    """The listings that are being asked, or were taken ahead."""
    return select(Turn.listing_id).where(Turn.until > now, Turn.listing_id.is_not(None))


def begin(
    listing_ids: Collection[int], now: datetime, ahead: Collection[int] = ()
) -> dict[int, int]:
    """Note a turn at its host for each listing; returns listing → turn. Some are taken `ahead`."""
    if not listing_ids:
        return {}
    moments = literal(now, Moment), literal(now + LEASE, Moment)
    whose = select(Listing.id, Listing.host, *moments, among(Listing.id, ahead))
    whose = whose.where(among(Listing.id, listing_ids))
    columns = (Turn.listing_id, Turn.host, Turn.at, Turn.until, Turn.ahead)
    new = insert(Turn).from_select(columns, whose).returning(Turn.listing_id, Turn.id)
    return {row.listing_id: row.id for row in db.session.execute(new) if row.listing_id}


def admit(name: str, now: datetime) -> int:
    """Note a turn that is of no listing; returns it. Raises `Full`, having held the host.

    It counts like any other. The second time notes another.
    """
    awake = hold([name], now)
    host = db.session.get_one(Host, name, populate_existing=True)
    room = db.session.execute(rooms(now).where(Host.name == name)).one()
    if not awake and host.rests_until is not None:
        raise Full(host.rests_until - now)
    if room.a_minute < 1:
        raise Full(_leaves(host, now) - now)
    if room.at_once < 1:
        raise Full(SOON)
    turn = Turn(host=name, at=now, until=now + LEASE)
    db.session.add(turn)
    db.session.flush()
    return turn.id


def end(outcomes: Collection[Outcome], now: datetime, begun: Collection[int] = ()) -> None:
    """The turns are over, and the hosts fared like that. Ended again, only the hosts count twice.

    `begun` are turns ahead that took the places of some of these. Call before writing to the
    listings: whoever takes turns locks hosts first, too.
    """
    if not outcomes:
        return
    for host in _concerned(outcomes):
        for outcome in outcomes:
            if outcome.host == host.name:
                _note(host, outcome, now)
    if begun:
        db.session.execute(
            update(Turn)
            .where(among(Turn.id, begun), Turn.ahead)
            .values(ahead=False, at=now, until=now + LEASE)
            .execution_options(synchronize_session=False)
        )
    ids = [outcome.turn_id for outcome in outcomes]
    db.session.execute(
        update(Turn)
        .where(among(Turn.id, ids), Turn.until > now)
        .values(until=now)
        .execution_options(synchronize_session=False)
    )


def give_back(ids: Iterable[int]) -> None:
    """These questions were never put: they count for nothing."""
    db.session.execute(delete(Turn).where(Turn.id.in_(list(ids))))


def sweep(now: datetime) -> list[int]:
    """Forget turns that count no more, and mend what a clock that was set back since left behind.

    A host that rests for longer than any may is awake.
    Returns the listings of turns from the future that nobody has answered. Who asked may still wait
    for that, so they are under way for one lease from now.
    """
    db.session.execute(
        delete(Turn)
        .where(Turn.until <= now, Turn.at <= now - MINUTE)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Host)
        .where(Host.rests_until > now + LONGEST_PATIENCE + SKEW)
        .values(rests_until=None)
        .execution_options(synchronize_session=False)
    )
    answered = select(Listing.id).where(Listing.id == Turn.listing_id, Listing.asked_at >= Turn.at)
    db.session.execute(
        delete(Turn)
        .where(Turn.at > now + SKEW, answered.exists())
        .execution_options(synchronize_session=False)
    )
    mended = (
        update(Turn)
        .where(Turn.at > now + SKEW)
        .values(at=now, until=now + LEASE)
        .returning(Turn.listing_id)
        .execution_options(synchronize_session=False)
    )
    return [listing for listing in db.session.scalars(mended) if listing is not None]


def wake(names: Collection[str]) -> None:
    """Let these hosts be asked again, though they rest."""
    if not names:
        return
    db.session.execute(update(Host).where(Host.name.in_(names)).values(rests_until=None))


def _leaves(host: Host, now: datetime) -> datetime:
    """When so many of the last minute's questions are older than that, that there is room."""
    lately = select(Turn.at).where(Turn.host == host.name, Turn.at > now - MINUTE)
    enough = lately.order_by(Turn.at.desc()).offset(host.a_minute - 1).limit(1)
    return db.session.scalars(enough).one() + MINUTE


def _held(names: Collection[str]) -> dict[str, datetime | None]:
    rows = select(Host.name, Host.rests_until).where(Host.name.in_(names)).order_by(Host.name)
    return {row.name: row.rests_until for row in db.session.execute(rows.with_for_update())}


def _concerned(outcomes: Collection[Outcome]) -> Iterable[Host]:
    """The hosts of which something is to be noted, held; most answer well, as they did before."""
    names = {outcome.host for outcome in outcomes}
    ailing = {outcome.host for outcome in outcomes if outcome.failed}
    return db.session.scalars(
        select(Host)
        .where(Host.name.in_(names), or_(Host.name.in_(ailing), Host.failures > 0))
        .order_by(Host.name)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _note(host: Host, outcome: Outcome, now: datetime) -> None:
    """Questions that were under way when the host began to rest say nothing new."""
    if not outcome.failed:
        host.failures = 0
        return
    if host.rests_until is None or host.rests_until <= now:
        host.failures += 1
        if host.failures >= BREAKS_AFTER:
            host.rests_until = now + _rest(host.failures - BREAKS_AFTER)
    if outcome.patience is not None:
        host.rests_until = max(host.rests_until or now, now + outcome.patience)


def _rest(before: int) -> timedelta:
    rest: timedelta = min(FIRST_REST * 2 ** min(before, 20), LONGEST_REST)
    return rest * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
