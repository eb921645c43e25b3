"""Every state of a figure is said in words, in both languages and as data."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from campaigns.freshness import Freshness
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.listing import Asking
from campaigns.model.report import ReportState
from campaigns.web import format as written
from tests import make

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    make.organisation()
    return make.campaign("after-school")


def now() -> datetime:
    """Asked by each test: its module may have been read half an hour ago."""
    return datetime.now(UTC).replace(microsecond=0)


def words(client: FlaskClient, path: str) -> str:
    return " ".join(TAG.sub("", client.get(path).text).split())


STATES: list[tuple[Freshness, dict[str, Any], timedelta, str, str]] = [
    (Freshness.FRESH, {}, 5 * MINUTE, "asked every 10 minutes ✓up to date", "每 10 分钟查询一次"),
    (Freshness.LATE, {}, 30 * MINUTE, "asked every 10 minutes ◷older than usual", "比平时旧"),
    (Freshness.STALE, {}, 2 * DAY, "▲no newer figure for a long time", "很久没有新的数字"),
    (
        Freshness.BROKEN,
        {"failures": 3},
        DAY,
        "×the platform gives no figure just now; the last one is shown",
        "平台暂时没有给出数字",
    ),
    (
        Freshness.REFUSED,
        {"asking": Asking.REFUSED},
        DAY,
        "!the platform does not want to be asked; staff enter its figure",
        "平台不接受查询",
    ),
    (Freshness.BY_HAND, {"asking": Asking.BY_HAND}, DAY, "✎entered by staff", "人工录入"),
    (Freshness.FINAL, {"asking": Asking.ENDED}, DAY, "■final", "■最终"),
]


@pytest.mark.parametrize(("state", "more", "age", "english", "chinese"), STATES)
def test_the_page_says_how_fresh_a_figure_is(
    client: FlaskClient,
    campaign: Campaign,
    state: Freshness,
    more: dict[str, Any],
    age: timedelta,
    english: str,
    chinese: str,
) -> None:
    listing, at = make.listing(campaign, **more), now() - age
    make.report(listing, 100_000, at)
    page = words(client, "/en/c/after-school")
    assert english in page
    with force_locale("en"):
        assert f"as of {written.moment(at, 'Asia/Shanghai')}" in page
    assert chinese in words(client, "/c/after-school")
    data = client.get("/c/after-school.json").json
    assert data is not None
    assert data["listings"][0]["freshness"] == state.value


def test_a_figure_being_checked_is_data_too(client: FlaskClient, campaign: Campaign) -> None:
    listing = make.listing(campaign)
    make.report(listing, 100_000, now() - MINUTE)
    make.report(listing, 90_000, now(), state=ReportState.QUARANTINED)
    data = client.get("/c/after-school.json").json
    assert data is not None
    assert (data["listings"][0]["checking"], data["listings"][0]["raised"]) == (True, "1000.00")
    assert "?figures being checked" in words(client, "/en/c/after-school")


def test_a_campaign_that_ended_goes_on_being_asked_and_says_so(
    client: FlaskClient, campaign: Campaign
) -> None:
    campaign.state, campaign.ended_at = CampaignState.ENDED, now() - DAY
    listing = make.listing(campaign)
    make.report(listing, 100_000, now() - MINUTE)
    assert "asked every 6 hours ✓up to date" in words(client, "/en/c/after-school")
    listing.asked_days_after = 1
    assert "■final" in words(client, "/en/c/after-school")


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (30, "asked every 30 seconds", "每 30 秒查询一次"),
        (60, "asked every minute", "每 1 分钟查询一次"),
        (150, "asked every 3 minutes", "每 3 分钟查询一次"),
        (3600, "asked every hour", "每 1 小时查询一次"),
        (5400, "asked every 90 minutes", "每 90 分钟查询一次"),
        (21_600, "asked every 6 hours", "每 6 小时查询一次"),
        (86_400, "asked once a day", "每 1 天查询一次"),
        (200_000, "asked every 3 days", "每 3 天查询一次"),
    ],
)
def test_a_period_is_said_as_people_would(
    app: Flask, seconds: int, english: str, chinese: str
) -> None:
    with force_locale("en"):
        assert written.every(timedelta(seconds=seconds)) == english
    with force_locale("zh_Hans"):
        assert written.every(timedelta(seconds=seconds)) == chinese
