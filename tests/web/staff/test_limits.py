"""Administrators see whom we ask, how each host fares, and change how often it may be asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from campaigns import hosts, polling
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import CampaignState
from campaigns.model.host import Host
from campaigns.model.listing import Asking
from campaigns.model.staff import Role
from campaigns.platforms.base import Unreachable
from campaigns.questions import Response
from tests import make
from tests.web.staff.conftest import Desk

PAGE = "/staff/health/hosts/feed.example:8443"


@pytest.fixture
def host(app: object) -> Host:
    row = Host(name="feed.example:8443")
    db.session.add(row)
    db.session.commit()
    return row


@pytest.fixture
def administrator(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.ADMINISTRATOR, timezone="Asia/Shanghai")


def test_limits_are_changed_and_it_is_recorded_who_did_it(administrator: Desk, host: Host) -> None:
    assert administrator.post(PAGE, at_once="2", a_minute="30").status_code == 302
    assert (host.at_once, host.a_minute) == (2, 30)
    (record,) = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "change host"))
    assert record.changes == {
        "host": ["feed.example:8443", "feed.example:8443"],
        "at_once": ["8", "2"],
        "a_minute": ["240", "30"],
    }
    administrator.post(PAGE, at_once="2", a_minute="30")
    assert len(db.session.scalars(select(AuditRecord)).all()) == 1, "the second time is nothing"


@pytest.mark.parametrize(
    ("field", "value"), [("at_once", "0"), ("at_once", "65"), ("a_minute", "0"), ("a_minute", "x")]
)
def test_limits_that_cannot_be_are_refused(
    administrator: Desk, host: Host, field: str, value: str
) -> None:
    answer = administrator.post(PAGE, **{"at_once": "2", "a_minute": "30", field: value})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert (host.at_once, host.a_minute) == (8, 240)


def test_the_form_shows_what_is(administrator: Desk, host: Host) -> None:
    page = administrator.get(PAGE)
    assert 'value="8"' in page.text
    assert 'value="240"' in page.text
    assert administrator.get("/staff/health/hosts/other.example").status_code == 404


def test_health_tells_what_is_under_way(administrator: Desk, host: Host) -> None:
    make.listing(host=host.name)
    polling.take_due(datetime.now(UTC))
    db.session.commit()
    page = administrator.get("/staff/health").text
    assert (
        '<th scope="row">feed.example:8443</th><td class="num">1</td><td class="num">1</td>' in page
    )


def test_health_tells_until_when_a_host_rests_and_why(administrator: Desk, host: Host) -> None:
    now = datetime.now(UTC)
    for _ in range(hosts.BREAKS_AFTER):
        make.listing(host=host.name)
    asked = [
        Response(one, error=Unreachable("The server does not answer."))
        for one in polling.take_due(now)
    ]
    hosts.end([one.outcome for one in asked], now)
    polling.settle(polling.asked(asked), now)
    host.rests_until = now + timedelta(hours=1)
    page = administrator.get("/staff/health").text
    assert "rests" in page
    assert "The server does not answer." in page


def test_health_leaves_out_whom_nobody_asks_any_more(administrator: Desk, host: Host) -> None:
    shown = f'<th scope="row">{host.name}</th>'
    listing = make.listing(host=host.name)
    assert shown in administrator.get("/staff/health").text
    listing.asking = Asking.BY_HAND
    assert shown not in administrator.get("/staff/health").text
    make.listing(make.campaign(state=CampaignState.CLOSED), host=host.name)
    assert shown not in administrator.get("/staff/health").text
    assert administrator.get(PAGE).status_code == 200
