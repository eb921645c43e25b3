"""Staff are reminded of figures they have to enter, and told of those that are held: in one letter
for all, once, and only those who may do something about it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import progress, reported, reporting, rounds, watching
from campaigns.db import db
from campaigns.freshness import Freshness
from campaigns.model.delivery import Delivery
from campaigns.model.listing import Asking, Listing, Told
from campaigns.model.report import ReportState
from campaigns.model.staff import Role, Staff
from campaigns.money import Money
from campaigns.platforms.base import Reading
from tests import make
from tests.make import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def who(app: Flask) -> Staff:
    return make.staff(None, Role.TREASURER)


def listing(asking: Asking = Asking.BY_HAND, **more: Any) -> Listing:
    one = make.listing(asking=asking, **more)
    make.report(one, 1_000_000, NOON)
    return one


def look(now: datetime) -> None:
    """One tick."""
    found = progress.many(watching.watched(now), now)
    shown = [(figure.listing, figure.freshness) for one in found for figure in one.listings]
    watching.tell(watching.news(shown, {stop.listing.id for stop in rounds.due(now)}), now)
    if watching.is_held(now):
        watching.tell_of_held(now)
    db.session.commit()


def told() -> list[tuple[str, str]]:
    """Of each letter its kind, and what it is about."""
    letters = db.session.scalars(select(Delivery.occasion).order_by(Delivery.id))
    return [(occasion.split(":")[1], occasion.split(":")[2]) for occasion in letters]


def enter(one: Listing, yuan: str, now: datetime, by: Staff) -> None:
    reporting.enter(one, Reading(Money.parse(f"{yuan} CNY"), now), now, by)
    db.session.commit()


def test_all_that_is_due_at_a_tick_is_in_one_letter(who: Staff) -> None:
    due = [listing(), listing(), listing()]
    listing(period_seconds=7 * 86400)
    look(NOON + DAY)
    assert told() == [("due", ".".join(str(one.id) for one in due))]


def test_a_reminder_is_not_repeated_until_a_figure_came(who: Staff) -> None:
    one = listing()
    for hours in (23, 24, 25, 48, 99):
        look(NOON + hours * HOUR)
    assert told() == [("due", str(one.id))]
    enter(one, "10100", NOON + 100 * HOUR, who)
    look(NOON + 101 * HOUR)
    assert (told(), one.told) == ([("due", str(one.id))], None)
    look(NOON + 124 * HOUR)
    assert told() == [("due", str(one.id))] * 2


def test_a_figure_that_is_held_is_one_that_came(who: Staff) -> None:
    one = listing()
    look(NOON + DAY)
    enter(one, "9000", NOON + 25 * HOUR, who)
    look(NOON + 26 * HOUR)
    assert [what for what, _ in told()] == ["due", "quarantined"]
    look(NOON + 48 * HOUR)
    assert one.told is None


def test_of_a_refusal_staff_hear_first_and_of_what_is_due_later(who: Staff) -> None:
    one = listing(Asking.REFUSED, asked_at=NOON + HOUR)
    for hours in (2, 24, 25, 26, 60):
        look(NOON + hours * HOUR)
    assert [what for what, _ in told()] == ["refused", "due"]
    enter(one, "10100", NOON + 61 * HOUR, who)
    look(NOON + 62 * HOUR)
    assert one.told is Told.REFUSED
    look(NOON + 85 * HOUR)
    assert [what for what, _ in told()] == ["refused", "due", "due"]


def test_a_reminder_keeps_the_listings_hours(who: Staff) -> None:
    listing(opens_at=14 * 60, closes_at=18 * 60)
    look(NOON + DAY + HOUR)
    assert told() == []
    look(NOON + DAY + 2 * HOUR)
    assert len(told()) == 1


def test_who_gives_it_back_to_the_platform_is_told_nothing(who: Staff) -> None:
    one = listing()
    look(NOON + DAY)
    one.asking = Asking.ASKED
    make.report(one, 1_000_100, NOON + 25 * HOUR)
    look(NOON + 25 * HOUR + MINUTE)
    assert (len(told()), one.told) == (1, None)


def test_only_those_who_may_enter_figures_are_reminded(app: Flask) -> None:
    for role in Role:
        make.staff(f"{role}@example.org", role)
    make.staff("left@example.org", Role.TREASURER, active=False)
    listing()
    look(NOON + DAY)
    assert len(told()) == len({Role.FUNDRAISER, Role.TREASURER, Role.ADMINISTRATOR})


def test_of_two_ticks_at_once_one_reminds(who: Staff) -> None:
    found = [(listing(), Freshness.BY_HAND) for _ in range(3)]
    news = watching.news(found, {one.id for one, _ in found})
    for minute in (0, 1):
        watching.tell(news, NOON + DAY + minute * MINUTE)
    db.session.commit()
    assert len(told()) == 1


def test_many_that_turn_stale_at_one_tick_are_in_one_letter(who: Staff) -> None:
    """As where nobody asks any more: the letter names as many as it has room for."""
    many = [listing(Asking.ASKED) for _ in range(60)]
    look(NOON + 3 * DAY)
    ((what, about),) = told()
    names, more = about.split("+")
    assert what == "stale"
    assert [int(id) for id in names.split(".")] == [one.id for one in many][: 60 - int(more)]
    for one in many:
        make.report(one, 1_000_100, NOON + 3 * DAY)
    look(NOON + 3 * DAY + MINUTE)
    assert [what for what, _ in told()] == ["stale", "recovered"]


def held(one: Listing, minor: int, at: datetime) -> None:
    make.report(one, minor, at, state=ReportState.QUARANTINED, reason="The figure is zero.")


def test_figures_that_are_held_are_told_of_once_to_who_may_judge(app: Flask) -> None:
    for role in Role:
        make.staff(f"{role}@example.org", role)
    both = [listing(Asking.ASKED), listing(Asking.ASKED)]
    for one in both:
        held(one, 0, NOON + MINUTE)
    for minutes in (2, 3, 30, 90):
        look(NOON + minutes * MINUTE)
    about = ".".join(str(one.id) for one in both)
    assert told() == [("quarantined", about)] * len({Role.TREASURER, Role.ADMINISTRATOR})


def test_a_platform_that_goes_up_and_down_is_not_told_of_each_time(who: Staff) -> None:
    one = listing(Asking.ASKED)
    for hour in range(6):
        held(one, hour, NOON + hour * HOUR)
        look(NOON + hour * HOUR + MINUTE)
    assert len(told()) == 1
    look(NOON + 13 * HOUR)
    assert len(told()) == 2


def test_a_figure_held_after_a_verdict_is_news(who: Staff) -> None:
    one = listing(Asking.ASKED)
    held(one, 0, NOON + MINUTE)
    look(NOON + 2 * MINUTE)
    reporting.reject(reported.held(one.id)[0], "Their fault.", NOON + HOUR, who)
    held(one, 5, NOON + 2 * HOUR)
    look(NOON + 3 * HOUR)
    assert len(told()) == 2


def test_a_figure_that_was_decided_about_in_time_is_not_told_of(who: Staff) -> None:
    one = listing(Asking.ASKED)
    held(one, 0, NOON + MINUTE)
    reporting.reject(reported.held(one.id)[0], "Their fault.", NOON + MINUTE, who)
    look(NOON + 2 * MINUTE)
    assert told() == []
