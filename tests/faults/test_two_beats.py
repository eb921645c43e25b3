"""Fault row 5: two beats ring at once, and nothing happens twice."""

from itertools import pairwise

import pytest
import requests
from sqlalchemy import func, select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.report import Report
from tests.faults.service import Service
from tests.local.running import eventually
from tests.partner import body, partner

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
PERIOD = 10


def test_with_two_beats_nothing_happens_twice(service: Service) -> None:
    listing = service.listing("beaten", PERIOD)
    with service.second_beat():
        mailing = service.mailing(60)
        _donate(service, listing)
        service.assert_each_arrived_once(mailing, 60)
        eventually(lambda: len(service.feed.times("beaten")) >= 3, what="three questions")
        eventually(lambda: _thanks(service), what="the letter of thanks")
    asked = service.feed.times("beaten")
    assert min(after - before for before, after in pairwise(asked)) >= PERIOD
    assert _thanks(service) == 1
    assert _reports(listing) <= len(asked)


def _donate(service: Service, listing: Listing) -> None:
    """A partner posts a donation that is to be thanked for."""
    lianquan = partner(db.session.get_one(Campaign, listing.campaign_id))
    donor = {"name": "Ada", "email": "ada@thanks.example", "locale": "en"}
    post = body(campaign_ref=listing.external_id, donor=donor)
    db.session.rollback()  # what we read must not keep the web from writing
    answer = requests.post(
        f"http://127.0.0.1:{service.run.port}/webhooks/{lianquan.name}",
        post,
        headers=lianquan.headers(post, "evt-1"),
        timeout=10,
    )
    assert answer.status_code == 200
    booked = select(func.count(Entry.id)).where(Entry.listing_id == listing.id)
    assert db.session.scalar(booked) == 1


def _thanks(service: Service) -> int:
    return sum(letter.to == ("ada@thanks.example",) for letter in service.sink.letters)


def _reports(listing: Listing) -> int:
    db.session.rollback()
    reports = select(func.count(Report.id)).where(Report.listing_id == listing.id)
    return db.session.scalar(reports) or 0
