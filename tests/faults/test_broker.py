"""Fault rows 2 to 4, promise P7: the broker dies, forgets or freezes in the middle of the work."""

import time
from datetime import UTC, datetime

import psutil
import pytest
import requests
from sqlalchemy import update

from campaigns.db import db
from campaigns.model.listing import Listing
from tests import make
from tests.faults.service import Service
from tests.local.running import QUEUES, eventually
from tests.partner import body, partner

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
LETTERS = 200


def test_a_redis_killed_with_9_in_the_middle_of_a_mailing_loses_nothing(service: Service) -> None:
    mailing = service.mailing(LETTERS, until=20)
    _redis(service).kill()
    eventually(lambda: service.run.listening_queues() == QUEUES, 5, "all workers working again")
    service.assert_each_arrived_once(mailing, LETTERS)


def test_a_broker_that_forgets_everything_loses_nothing(service: Service) -> None:
    names = [f"forgotten-{number}" for number in range(5)]
    listings = [service.listing(name, 600) for name in names]
    eventually(lambda: _asked(service, names, times=1), what="the listings being asked")
    mailing = service.mailing(LETTERS, until=20)
    for _ in range(3):
        service.redis().flushall()
        time.sleep(0.5)
    _make_due(listings)
    service.redis().flushall()
    eventually(lambda: _asked(service, names, times=2), what="due listings being asked again")
    service.assert_each_arrived_once(mailing, LETTERS)
    eventually(service.run.ready, what="the service being ready again")


def test_with_the_broker_frozen_everybody_is_served_and_letters_catch_up(service: Service) -> None:
    campaign = make.campaign("frozen")
    lianquan = partner(campaign)
    make.listing(campaign)
    home = f"http://127.0.0.1:{service.run.port}"
    redis = _redis(service)
    redis.suspend()
    try:
        asked = requests.post(
            f"{home}/en/c/frozen/follow", {"email": "asks@example.org"}, timeout=2
        )
        post = body(donor={"name": "Ada", "email": "gives@example.org", "locale": "en"})
        headers = lianquan.headers(post, "evt-frozen")
        given = requests.post(f"{home}/webhooks/{lianquan.name}", post, headers=headers, timeout=2)
    finally:
        redis.resume()
    assert (asked.status_code, given.status_code) == (200, 200)
    to = {("asks@example.org",), ("gives@example.org",)}
    eventually(lambda: to <= {letter.to for letter in service.sink.letters}, what="both letters")


def test_asking_goes_on_within_10_s_of_the_thaw_of_a_broker_frozen_for_15_s(
    service: Service,
) -> None:
    names = [f"frozen-{number}" for number in range(5)]
    listings = [service.listing(name, 600) for name in names]
    eventually(lambda: _asked(service, names, times=1), what="the listings being asked")
    redis = _redis(service)
    redis.suspend()
    try:
        time.sleep(5)
        _make_due(listings)
        time.sleep(10)
        assert not _asked(service, names, times=2)
    finally:
        redis.resume()
    eventually(lambda: _asked(service, names, times=2), 10, "due listings being asked again")
    eventually(service.run.ready, what="the service being ready again")


def _redis(service: Service) -> psutil.Process:
    return next(each for each in service.run.family() if each.name() == "redis-server")


def _asked(service: Service, names: list[str], times: int) -> bool:
    return all(len(service.feed.times(name)) >= times for name in names)


def _make_due(listings: list[Listing]) -> None:
    ids = [listing.id for listing in listings]
    due = update(Listing).where(Listing.id.in_(ids)).values(next_poll_at=datetime.now(UTC))
    db.session.execute(due)
    db.session.commit()
