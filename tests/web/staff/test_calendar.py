"""The calendar of a month: what goes out and went out, what is due, which days are off."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns import calendar
from campaigns.model.campaign import CampaignState
from campaigns.model.mailing import MailingState
from campaigns.model.organisation import QuietDays
from campaigns.model.staff import Role
from tests import make
from tests.web.staff.conftest import Desk

NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    make.organisation(quiet_days=QuietDays.DAYS_OFF)
    return desk(Role.EDITOR, timezone="America/New_York")


def on(day: int, of: date = NOVEMBER) -> calendar.Day:
    return calendar.month(of, "en", make.NOON)[day - 1]


def shown(page: str, day: str) -> str:
    """What the page says of a day, as plain text."""
    part = page[page.index(f'<time datetime="{day}">') :]
    return " ".join(
        re.sub(r"<[^>]+>", " ", part.partition("</ol>")[0].split("<li class=")[0]).split()
    )


def test_a_mailing_stands_on_its_day_in_the_organisations_zone(editor: Desk) -> None:
    late = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # half past eleven at night in Shanghai
    mailing = make.mailing(state=MailingState.SCHEDULED, scheduled_at=late, started_at=None)
    page = editor.get("/staff/calendar?month=2026-11").text
    assert "23:30 The first desks have arrived scheduled" in shown(page, "2026-11-23").replace(
        "◷ ", ""
    )
    assert f'href="/staff/mailings/{mailing.id}"' in page


def test_what_was_sent_stands_where_it_began(app: object) -> None:
    make.organisation()
    began = datetime(2026, 11, 5, 1, tzinfo=UTC)
    sent = make.mailing(state=MailingState.SENT, scheduled_at=began, started_at=began)
    make.mailing(state=MailingState.CANCELLED, scheduled_at=began, started_at=None)
    stopped = make.mailing(state=MailingState.CANCELLED, scheduled_at=began, started_at=began)
    assert [mailing.id for _, mailing in on(5).mailings] == [sent.id, stopped.id]
    assert not on(6).mailings


def test_the_months_edges_are_those_of_the_zone(app: object) -> None:
    make.organisation()
    first = datetime(2026, 10, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    for at in (first - timedelta(seconds=1), first):
        make.mailing(state=MailingState.SCHEDULED, scheduled_at=at, started_at=None)
    assert [len(on(1).mailings), len(on(31, OCTOBER).mailings)] == [1, 1]


def test_holidays_and_workdays_that_make_up_for_them_are_marked(editor: Desk) -> None:
    page = editor.get("/staff/calendar?month=2026-10").text
    assert "National Day" in shown(page, "2026-10-01")
    assert "workday" in shown(page, "2026-10-10")
    assert on(4, OCTOBER).quiet
    assert not on(10, OCTOBER).quiet
    assert on(12, OCTOBER).bare


def test_a_report_is_due_as_often_as_the_campaign_promised(editor: Desk) -> None:
    campaign = make.campaign(report_every_days=30, starts_on=date(2026, 10, 1))
    make.campaign(report_every_days=30, starts_on=date(2026, 10, 1), state=CampaignState.ENDED)
    assert [duty.campaign for duty in on(31, OCTOBER).reports] == [campaign]
    make.update(campaign, published_at=datetime(2026, 10, 20, 4, tzinfo=UTC))
    assert on(31, OCTOBER).reports == []
    assert [duty.campaign for duty in on(19).reports] == [campaign]
    assert "After school ✎ report is due" in shown(
        editor.get("/staff/calendar?month=2026-11").text, "2026-11-19"
    ).replace("! report", "✎ report")


def test_one_turns_from_month_to_month(editor: Desk) -> None:
    page = editor.get("/staff/calendar?month=2026-12").text
    assert "<h1>December 2026</h1>" in page
    assert 'rel="prev" href="/staff/calendar?month=2026-11"' in page
    assert 'rel="next" href="/staff/calendar?month=2027-01"' in page
    assert "No mailing goes out or went out in this month." in page


@pytest.mark.parametrize("asked", ["", "2026-13", "0000-01", "9999-12", "november", "2026-1"])
def test_what_is_no_month_is_this_one(editor: Desk, asked: str) -> None:
    answer = editor.get(f"/staff/calendar?month={asked}")
    assert answer.status_code == 200
    assert "today" in answer.text


@pytest.mark.parametrize("asked", ["1970-01", "9998-12"])
def test_the_ends_of_the_calendar_are_months_too(editor: Desk, asked: str) -> None:
    assert editor.get(f"/staff/calendar?month={asked}").status_code == 200


def test_chinese_pages_name_holidays_in_chinese(desk: Callable[..., Desk]) -> None:
    make.organisation()
    page = desk(Role.EDITOR, locale="zh-Hans").get("/staff/calendar?month=2026-10").text
    assert "<h1>2026 年 10 月</h1>" in page
    assert "国庆节" in shown(page, "2026-10-01")
    assert "上班" in shown(page, "2026-10-10")
    assert "周一" in page
