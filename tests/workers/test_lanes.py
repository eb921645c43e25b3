"""Several transports: in order, by shares, within limits, and past those that fail."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from campaigns import transports, ways
from campaigns.db import db
from campaigns.mail.transport import MemoryTransport, Outcome, State
from campaigns.model.delivery import Attempt
from campaigns.model.transport import Draw, MailDomain, MailTransport
from campaigns.ways import Way
from tests import make
from tests.make import NOON
from tests.workers.posting import queue, states
from workers import lanes
from workers.carriers import uptime
from workers.office import Office

pytestmark = pytest.mark.usefixtures("app")


def row(name: str, **more: Any) -> Way:
    """A transport that remembers, with a row."""
    limits: dict[str, int | None]
    limits = {period: more.pop(period) for period in ("minute", "day") if period in more}
    plan = transports.Plan(name, "smtp://relay.example", limits=limits, **more)
    made = transports.add(plan, NOON)
    db.session.commit()
    return Way(MemoryTransport(), name, made.id, made.rank, made.share, made.limits)


def post(*out: Way, connections: int = 20, seconds: float = 14) -> Office:
    office = Office(lambda: out, connections)
    office.work(seconds)
    return office


def until(done: Callable[[], bool], tick: Callable[[], object]) -> None:
    """Tick as often as a busy machine needs, and once more, in which nothing may be added."""
    while not done():
        tick()
    tick()


def kept(way: Way) -> int:
    assert isinstance(way.transport, MemoryTransport)
    return len(way.transport.kept)


def recorded() -> Counter[str]:
    db.session.rollback()
    return Counter(db.session.scalars(select(Attempt.transport)))


def test_letters_go_by_the_first_in_order_and_each_attempt_says_by_which() -> None:
    mailing = queue(20)
    first, second = row("first"), row("second", rank=2)
    post(second, first)
    assert states(mailing) == ["sent"] * 20
    assert (kept(first), kept(second)) == (20, 0)
    assert recorded() == {"first": 20}


def test_where_the_first_fails_it_is_rested_and_letters_go_by_the_next() -> None:
    mailing = queue(12)
    first, second = row("first"), row("second", rank=2)
    assert isinstance(first.transport, MemoryTransport)
    first.transport.refusing = True
    office = Office(lambda: [first, second])
    office.work()
    office.work()
    assert states(mailing) == ["sent"] * 12
    assert (kept(first), kept(second)) == (0, 12)
    found = db.session.get_one(MailTransport, first.id)
    assert found.trouble == "The memory transport was told to refuse."
    assert found.rests_until
    assert found.rests_until > datetime.now(UTC) - timedelta(minutes=1)


def test_one_that_works_again_is_told_of_as_working(monkeypatch: pytest.MonkeyPatch) -> None:
    queue(1)
    only = row("only")
    assert isinstance(only.transport, MemoryTransport)
    only.transport.refusing = True
    office = Office(lambda: [only])
    office.work()
    only.transport.refusing = False
    monkeypatch.setattr(lanes, "uptime", lambda: uptime() + 60)
    office.work()
    assert db.session.get_one(MailTransport, only.id).trouble is None
    assert kept(only) == 1


def test_shares_divide_what_goes_out() -> None:
    queue(40)
    one, three = row("one"), row("three", share=3)
    post(one, three, connections=8)
    assert kept(one) + kept(three) == 40
    assert 5 <= kept(one) <= 15


def test_a_full_transport_s_letters_go_by_the_next_and_wait_where_there_is_none() -> None:
    mailing = queue(10)
    first, second = row("first", day=3), row("second", rank=2, day=4)
    until(lambda: kept(second) >= 4, lambda: post(first, second, seconds=0.5))
    assert (kept(first), kept(second)) == (3, 4)
    assert Counter(states(mailing)) == {"sent": 7, "queued": 3}
    assert sum(db.session.scalars(select(Draw.drawn))) == 7


def test_limits_are_shared_by_all_processes() -> None:
    queue(10)
    both = row("relay", day=6)
    until(lambda: kept(both) >= 6, lambda: post(both, seconds=0.5))
    assert kept(both) == 6


def test_one_that_is_taken_away_while_letters_wait_gets_no_more() -> None:
    queue(6)
    old, new = row("old", day=2), row("new")
    out = [old]
    office = Office(lambda: out)
    until(lambda: kept(old) >= 2, lambda: office.work(0.5))
    out[:] = [new]
    until(lambda: kept(new) >= 4, lambda: office.work(0.5))
    assert (kept(old), kept(new)) == (2, 4)


def test_a_domain_that_wants_us_later_is_slowed_while_others_go_on() -> None:
    mailing = queue(6)
    for number in range(6):
        make.delivery(f"donor-{number}@example.net", of=mailing)
    wish = Outcome(State.DEFERRED, 451, "4.7.1 come back later")
    kept = Outcome(State.SENT, 250, "kept")
    relay = MemoryTransport(lambda to: wish if to.domain == "example.org" else kept)
    office = Office(relay, connections=2)
    until(lambda: set(states(mailing)[6:]) == {"sent"}, lambda: office.work(0.2))
    assert set(states(mailing)[:6]) == {"deferred", "queued"}
    assert db.session.scalars(select(MailDomain.name)).all() == ["example.org"]


def test_without_rows_the_settings_say_where_letters_go() -> None:
    [only] = ways.out()
    assert (only.name, only.id) == ("outbox", None)
    paused = row("relay", paused=True)
    assert ways.out() == []
    transports.remove(db.session.get_one(MailTransport, paused.id), NOON)
    assert ways.out() == [only]


def test_where_the_way_out_is_paused_letters_wait() -> None:
    mailing = queue(2)
    Office(list).work(0.5)
    assert states(mailing) == ["queued"] * 2
