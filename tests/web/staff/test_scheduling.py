"""A mailing gets its hour: at once, at one moment, or at an hour of each donor's own zone."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns import addressing, mailings
from campaigns.db import db
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import QuietDays
from campaigns.model.staff import Role
from tests import make
from tests.mailing import approved, begin, deliveries, follower, state
from tests.web.staff.conftest import Desk

SHANGHAI = ZoneInfo("Asia/Shanghai")
IN_A_WEEK = datetime.now(SHANGHAI).date() + timedelta(days=7)


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR, timezone="Asia/Shanghai")


@pytest.fixture
def mailing(app: object) -> Mailing:
    """Approved, to one donor in Tokyo, one in London, and two of whom no zone is known."""
    make.organisation(quiet_from=21 * 60, quiet_until=8 * 60, quiet_days=QuietDays.NONE)
    update = make.update()
    for zone in ("Asia/Tokyo", "Europe/London", None, None):
        follower(update).timezone = zone
    db.session.commit()
    return approved(update)


def at(day: date, hour: int, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)


def schedule(who: Desk, mailing: Mailing, **fields: str) -> str:
    """What the page says; nothing where the hour was kept."""
    answer = who.post(f"/staff/mailings/{mailing.id}/schedule", **fields)
    db.session.refresh(mailing)
    return "" if answer.status_code == 302 else answer.text


def rows(page: str) -> list[tuple[str, str]]:
    """Of the table of departures: the hours and how many letters."""
    shown = page[page.index('id="departures"') :]
    return re.findall(r"<time[^>]*>[^<]*(\d\d:\d\d)</time></td><td class=\"num\">(\d+)<", shown)


def test_at_nine_where_each_donor_lives(editor: Desk, mailing: Mailing) -> None:
    hour = {"way": "zones", "at": f"{IN_A_WEEK}T09:00"}
    assert not schedule(editor, mailing, **hour)
    assert state(mailing) == "scheduled"
    assert mailing.scheduled_at == at(IN_A_WEEK, 9, "Asia/Tokyo")
    page = editor.get(f"/staff/mailings/{mailing.id}").text
    assert "09:00, where each donor lives; the first at" in page
    begin(mailing.scheduled_at)
    nine = [at(IN_A_WEEK, 9, zone) for zone in ("Asia/Tokyo", "Europe/London", "Asia/Shanghai")]
    assert [letter.due_at for letter in deliveries(mailing)] == [*nine, nine[-1]]


def test_who_looks_first_sees_how_many_letters_leave_in_which_hour(
    editor: Desk, mailing: Mailing
) -> None:
    hour = {"way": "zones", "at": f"{IN_A_WEEK}T09:20", "look": "1"}
    page = schedule(editor, mailing, **hour)
    london = at(IN_A_WEEK, 9, "Europe/London").astimezone(SHANGHAI)
    assert rows(page) == [("08:00", "1"), ("09:00", "2"), (f"{london:%H:%M}", "1")]
    assert "nothing is kept yet" in page
    assert state(mailing) == "approved"


def test_a_scheduled_mailing_shows_who_would_wait_for_the_morning(
    editor: Desk, mailing: Mailing
) -> None:
    assert not schedule(editor, mailing, way="at", at=f"{IN_A_WEEK}T12:00")
    page = editor.get(f"/staff/mailings/{mailing.id}").text
    london = at(IN_A_WEEK, 8, "Europe/London").astimezone(SHANGHAI)
    assert rows(page) == [("12:00", "3"), (f"{london:%H:%M}", "1")]


def test_letters_that_would_come_too_late_are_told(editor: Desk, mailing: Mailing) -> None:
    expiry = f"{IN_A_WEEK}T13:00"
    page = schedule(
        editor, mailing, way="at", at=f"{IN_A_WEEK}T12:00", expires=expiry, look="1"
    )  # fmt: skip
    assert rows(page) == [("12:00", "3")]
    assert "One letter would have its hour only after the mailing has expired." in page
    assert not schedule(editor, mailing, way="at", at=f"{IN_A_WEEK}T12:00", expires=expiry)
    assert mailing.expires_at == at(IN_A_WEEK, 13)
    assert "Not later than" in editor.get(f"/staff/mailings/{mailing.id}").text


def test_at_once_needs_no_hour(editor: Desk, mailing: Mailing) -> None:
    before = datetime.now(UTC)
    assert not schedule(editor, mailing, way="now", at="")
    assert mailing.scheduled_at is not None
    assert before <= mailing.scheduled_at <= datetime.now(UTC)
    assert addressing.due(datetime.now(UTC)) == [mailing]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"way": "at", "at": ""}, "Write a date and a time."),
        ({"way": "zones", "at": "soon"}, "Write a date and a time, such as"),
        ({"way": "sometime", "at": f"{IN_A_WEEK}T09:00"}, "Choose one of the list."),
        ({"way": "zones", "at": "2020-01-01T09:00"}, "This hour has passed."),
        ({"way": "now", "expires": "2020-01-01T09:00"}, "would expire before it begins"),
        ({"way": "now", "expires": "never"}, "Write a date and a time, such as"),
    ],
)
def test_an_hour_that_cannot_be_is_refused(
    editor: Desk, mailing: Mailing, fields: dict[str, str], said: str
) -> None:
    assert said in schedule(editor, mailing, **fields)
    assert state(mailing) == "approved"


def test_the_form_comes_back_as_it_was_kept(editor: Desk, mailing: Mailing) -> None:
    schedule(editor, mailing, way="zones", at=f"{IN_A_WEEK}T09:00", expires=f"{IN_A_WEEK}T23:00")
    page = editor.get(f"/staff/mailings/{mailing.id}").text
    assert re.search(r'<input checked [^>]*value="zones"', page)
    assert f'value="{IN_A_WEEK}T09:00"' in page
    assert f'value="{IN_A_WEEK}T23:00"' in page


def test_a_missed_mailing_gets_another_hour_and_expiry(editor: Desk, mailing: Mailing) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=1)
    mailings.schedule(
        mailing, long_ago, None, long_ago, expires_at=long_ago + timedelta(hours=9)
    )  # fmt: skip
    begin(long_ago + timedelta(hours=3))
    assert state(mailing) == "missed"
    assert "Nothing was sent." in editor.get(f"/staff/mailings/{mailing.id}").text
    assert not schedule(editor, mailing, way="now")
    assert (state(mailing), mailing.expires_at) == ("scheduled", None)


def test_who_waits_while_it_is_sent_is_told(editor: Desk, mailing: Mailing) -> None:
    # Noon in Shanghai is before dawn in London, today as on any day.
    noon = at(datetime.now(SHANGHAI).date() + timedelta(days=1), 12)
    mailings.schedule(mailing, noon, None, datetime.now(UTC))
    begin(noon)
    page = editor.get(f"/staff/mailings/{mailing.id}").text
    assert "4 letters wait until they may go, the first on" in page


def test_a_change_of_the_text_takes_the_hour_back(editor: Desk, mailing: Mailing) -> None:
    schedule(editor, mailing, way="zones", at=f"{IN_A_WEEK}T09:00")
    mailings.text_changed(mailing.update, None, datetime.now(UTC))
    assert (mailing.local_time, mailing.scheduled_at) == (None, None)
