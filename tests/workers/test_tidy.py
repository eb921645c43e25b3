"""Ticks that keep house: a figure that turned bad is told of once, however many ticks look."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

from flask import Flask
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.delivery import Delivery
from campaigns.model.listing import Listing, Told
from campaigns.model.staff import Role
from tests import make
from workers import tidy

AT_ONCE = 6


def test_ticks_at_once_write_to_each_member_of_staff_once(app: Flask) -> None:
    people = {make.staff(None, Role.TREASURER).id, make.staff(None, Role.FUNDRAISER).id}
    for _ in range(3):
        make.report(make.listing(), 100_000, datetime.now(UTC) - timedelta(days=3))
    together = Barrier(AT_ONCE)

    def tick(_: int) -> None:
        with app.app_context():
            together.wait()
            tidy.watch()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(tick, range(AT_ONCE)))
    db.session.rollback()
    written = [letter.staff_id for letter in db.session.scalars(select(Delivery))]
    assert sorted(filter(None, written)) == sorted([*people] * 3)
    assert {listing.told for listing in db.session.scalars(select(Listing))} == {Told.STALE}


def test_a_tick_that_finds_nothing_writes_nothing(app: Flask) -> None:
    make.staff(None, Role.TREASURER)
    make.report(make.listing(), 100_000, datetime.now(UTC))
    tidy.watch()
    assert db.session.scalars(select(Delivery)).all() == []
