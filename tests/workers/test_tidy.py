"""Ticks that keep house: a figure that turned bad is told of once, however many ticks look."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

from flask import Flask
from sqlalchemy import func, select

from campaigns.db import db
from campaigns.model.campaign import CampaignState
from campaigns.model.delivery import Delivery
from campaigns.model.drafted import Drafted
from campaigns.model.listing import Asking, Listing, Told
from campaigns.model.report import Report, ReportState
from campaigns.model.staff import Role
from campaigns.model.update import Update
from tests import make
from workers import tidy

AT_ONCE = 6
SHANGHAI = timedelta(hours=8)


def test_ticks_at_once_write_to_each_member_of_staff_once(app: Flask) -> None:
    treasurer = make.staff(None, Role.TREASURER).id
    fundraiser = make.staff(None, Role.FUNDRAISER).id
    days = datetime.now(UTC) - timedelta(days=3)
    for asking in (Asking.ASKED, Asking.BY_HAND) * 3:
        make.report(make.listing(asking=asking), 100_000, days)
    for listing in list(db.session.scalars(select(Listing).where(Listing.asking == "asked"))):
        make.report(listing, 0, days + timedelta(hours=1), state=ReportState.QUARANTINED)
    together = Barrier(AT_ONCE)

    def tick(_: int) -> None:
        with app.app_context():
            together.wait()
            tidy.watch()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(tick, range(AT_ONCE)))
    db.session.rollback()
    letters = db.session.scalars(select(Delivery))
    written = sorted((letter.staff_id or 0, letter.occasion.split(":")[1]) for letter in letters)
    assert written == [
        (treasurer, "due"),
        (treasurer, "quarantined"),
        (treasurer, "stale"),
        (fundraiser, "due"),
        (fundraiser, "stale"),
    ]
    told = {listing.told for listing in db.session.scalars(select(Listing))}
    assert told == {Told.STALE, Told.DUE}


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


def test_ticks_at_once_draft_and_remind_once(app: Flask) -> None:
    make.staff(None, Role.FUNDRAISER)
    now = datetime.now(UTC)
    make.report(make.listing(make.campaign(target_minor=10_000)), 9_500, now)
    due = make.campaign(report_every_days=30)
    make.update(due, published_at=now - timedelta(days=29))
    make.campaign(state=CampaignState.ENDED, ended_at=now - timedelta(days=1))
    for _ in range(2):
        together = Barrier(AT_ONCE)

        def tick(_: int, together: Barrier = together) -> None:
            with app.app_context():
                together.wait()
                tidy.draft()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(tick, range(AT_ONCE)))
    db.session.rollback()
    rows = db.session.execute(select(Drafted.occasion, Drafted.number)).all()
    assert sorted((occasion.value, number > 0) for occasion, number in rows) == [
        ("closing", False),
        ("milestone", True),
        ("milestone", True),
        ("report", True),
    ]
    begun = select(func.count(Update.id)).where(Update.published_at.is_(None))
    assert db.session.scalar(begun) == 3
    assert db.session.scalar(select(func.count(Delivery.id))) == 1
