"""Domains that are limited, or asked us to come later, hold up their own letters and no others."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from campaigns import claims
from campaigns.db import db
from campaigns.domains import LONGEST_GAP, Fared, Gate, watched
from campaigns.model.delivery import Delivery
from campaigns.model.mailing import Mailing
from campaigns.model.transport import MailDomain
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
SECOND = timedelta(seconds=1)


def later(at: datetime = NOON, code: int = 451) -> Fared:
    return Fared("qq.com", False, code, at)


def taken(at: datetime) -> Fared:
    return Fared("qq.com", True, 250, at)


def learn(*fared: Fared, now: datetime = NOON) -> int:
    """What the domain's gap is afterwards, in seconds."""
    gate = Gate(now, {one.domain for one in fared if not one.taken})
    gate.learn(fared)
    gate.keep()
    row = db.session.get(MailDomain, "qq.com")
    return row.gap_ms // 1000 if row else 0


def claim(limit: int = 10, now: datetime = NOON) -> list[str]:
    gate = Gate(now)
    found = claims.claim("me", limit, now, gate)
    gate.keep()
    return [one.to.address.domain for one in found]


def mailing_to(*domains: str) -> Mailing:
    mailing = make.mailing()
    for number, domain in enumerate(domains):
        make.delivery(f"donor-{number}@{domain}", of=mailing)
    return mailing


def test_a_domain_is_nothing_special_until_it_asks_us_to_come_later() -> None:
    assert learn(later(code=550)) == 0
    assert watched() == frozenset()
    assert learn(later()) == 1
    assert watched() == {"qq.com"}


def test_each_further_wish_doubles_the_distance_but_those_of_one_moment_are_one_wish() -> None:
    assert learn(later(), later(), later()) == 1
    assert learn(later(NOON + 2 * SECOND)) == 2
    assert learn(later(NOON + 3 * SECOND)) == 2
    for minutes in range(1, 60):
        gap = learn(later(NOON + timedelta(minutes=6 * minutes)))
    assert gap == LONGEST_GAP.total_seconds()


def test_letters_that_it_takes_bring_the_usual_pace_back() -> None:
    for minutes in range(3):
        learn(later(NOON + timedelta(minutes=minutes)))
    assert learn(taken(NOON)) == 4, "that one was under way before"
    ends = NOON + timedelta(minutes=5)
    assert [learn(taken(ends + n * SECOND)) for n in range(3)] == [2, 1, 0]
    assert watched() == frozenset()


def test_a_slow_domain_holds_up_its_own_letters_and_no_others() -> None:
    mailing = mailing_to("qq.com", "qq.com", "qq.com", "example.org", "163.com")
    learn(later(NOON - SECOND))
    assert sorted(claim()) == ["163.com", "example.org", "qq.com"]
    due = select(Delivery.due_at).where(Delivery.mailing_id == mailing.id)
    waiting = db.session.scalars(due.where(Delivery.state == "queued").order_by(Delivery.due_at))
    assert list(waiting) == [NOON + SECOND, NOON + 2 * SECOND]
    assert claim(now=NOON + SECOND / 2) == []
    assert claim(now=NOON + SECOND) == ["qq.com"]


def test_a_limited_domain_gets_no_more_than_that_however_many_wait_before_others() -> None:
    mailing_to(*["qq.com"] * 30, "example.org")
    db.session.add(MailDomain(name="qq.com", per_minute=3))
    assert sorted(claim(limit=5)) == ["example.org", "qq.com", "qq.com", "qq.com"]
    assert claim(limit=5, now=NOON + 30 * SECOND) == []
    assert claim(limit=5, now=NOON + 64 * SECOND) == ["qq.com"] * 3
    assert watched() == {"qq.com"}, "staff's limits stay"


def test_a_letter_is_not_put_off_beyond_its_expiry() -> None:
    make.delivery("eve@qq.com")
    delivery = make.delivery("ada@qq.com", expires_at=NOON + timedelta(minutes=2))
    db.session.add(MailDomain(name="qq.com", per_day=1))
    assert claim(limit=1) == ["qq.com"]
    assert claim(limit=1) == []
    db.session.refresh(delivery)
    assert delivery.due_at == NOON + timedelta(minutes=2)


def test_a_gate_that_sees_a_far_end_says_what_is_worth_waiting_for() -> None:
    db.session.add(MailDomain(name="qq.com", per_second=1))
    db.session.add(MailDomain(name="163.com", per_day=1))
    gate = Gate(NOON)
    assert [gate.opens("qq.com"), gate.opens("163.com"), gate.opens("example.org")] == [None] * 3
    assert gate.opens("163.com") == NOON + timedelta(hours=1)
    assert gate.soon is None
    assert gate.opens("qq.com") == gate.soon == NOON + SECOND
