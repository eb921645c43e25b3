"""Ticks that keep house: a figure that turned bad is told of once, however many ticks look."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

from flask import Flask
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.delivery import Delivery
from campaigns.model.listing import Listing, Told
from campaigns.model.report import Report
from campaigns.model.staff import Role
from tests import make
from workers import tidy

AT_ONCE = 6
SHANGHAI = timedelta(hours=8)


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


def test_ticks_at_once_thin_old_reports_once(app: Flask) -> None:
    began = datetime.now(UTC) - timedelta(days=120)
    for of in [make.listing() for _ in range(3)]:
        for number in range(100):
            make.report(of, 1_000 + number, began + number * timedelta(hours=1))
    together = Barrier(2)

    def tick(_: int) -> None:
        with app.app_context():
            together.wait()
            tidy.thin()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tick, range(2)))
    days = {(began + number * timedelta(hours=1) + SHANGHAI).date() for number in range(100)}
    left = db.session.scalars(select(Report.listing_id)).all()
    assert len(left) == 3 * (2 * len(days))  # the last and the lowest of each day


def test_a_tick_that_finds_nothing_writes_nothing(app: Flask) -> None:
    make.staff(None, Role.TREASURER)
    make.report(make.listing(), 100_000, datetime.now(UTC))
    tidy.watch()
    assert db.session.scalars(select(Delivery)).all() == []
