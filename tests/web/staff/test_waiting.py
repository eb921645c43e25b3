"""The number in the menu is counted every few seconds, and at once when somebody acts."""

from collections.abc import Callable

from flask import Flask

from campaigns.model.staff import Role
from campaigns.web.staff.waiting import Counts
from tests.web.staff.conftest import Desk
from tests.web.staff.test_today import held_figure

ONE_WAITS = 'Today <span class="badge">1</span>'


def counted(desk: Desk, path: str = "/staff/me") -> bool:
    """Whether the menu says that one thing waits."""
    return ONE_WAITS in desk.get(path).text


def test_pages_in_a_row_count_once(treasurer: Desk) -> None:
    assert not counted(treasurer)
    held_figure()
    assert not counted(treasurer)


def test_the_first_page_counts_anew_and_says_so_on_every_page(treasurer: Desk) -> None:
    held_figure()
    assert counted(treasurer, "/staff")
    assert counted(treasurer)


def test_whoever_acts_sees_at_once_what_is_left(treasurer: Desk, desk: Callable[..., Desk]) -> None:
    held_figure()
    desk(Role.FUNDRAISER).post("/staff/donors")
    assert counted(treasurer)


def test_after_a_few_seconds_it_is_counted_anew(app: Flask, treasurer: Desk) -> None:
    app.extensions["waiting"] = Counts(seconds=0)
    held_figure()
    assert counted(treasurer)


def test_each_person_has_a_count_of_their_own(treasurer: Desk, desk: Callable[..., Desk]) -> None:
    held_figure()
    assert counted(treasurer, "/staff")
    assert not counted(desk(Role.EDITOR))
