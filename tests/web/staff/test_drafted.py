"""What the system drafted, as staff see it: on the first page, at the update, in the calendar."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.campaign import CampaignState
from campaigns.model.mailing import MailingState
from campaigns.model.staff import Role
from campaigns.model.update import Update
from tests import make
from tests.web.staff.conftest import Desk
from workers import tidy

DAY = timedelta(days=1)


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    make.organisation()
    return desk(Role.EDITOR)


def closing(days_ago: int = 1) -> Update:
    """The draft of a closing report on a campaign that ended so long ago."""
    make.campaign(state=CampaignState.ENDED, ended_at=datetime.now(UTC) - days_ago * DAY)
    tidy.draft()
    return db.session.scalars(select(Update)).one()


def test_the_first_page_leads_to_a_draft_until_somebody_asks_for_approval(editor: Desk) -> None:
    update = closing()
    page = editor.get("/staff").text
    assert "no longer raises money. Its closing report is drafted" in page
    assert f'href="/staff/updates/{update.id}"' in page
    mailing = make.mailing(update, state=MailingState.DRAFT, started_at=None)
    assert "Its closing report is drafted" in editor.get("/staff").text
    mailing.state = MailingState.IN_REVIEW
    db.session.commit()
    assert "Its closing report is drafted" not in editor.get("/staff").text


def test_of_several_milestones_the_first_page_names_the_last(editor: Desk) -> None:
    listing = make.listing(make.campaign(target_minor=10_000))
    for raised in (5_000, 9_500):
        make.report(listing, raised, make.NOON + raised * timedelta(seconds=1))
        tidy.draft()
    page = editor.get("/staff").text
    assert "has reached 90% of its target" in page
    assert "has reached 50% of its target" not in page


def test_a_late_report_is_told_with_its_day(editor: Desk) -> None:
    began = datetime.now(UTC) - 40 * DAY
    campaign = make.campaign(report_every_days=30)
    make.update(campaign, published_at=began)
    tidy.draft()
    assert "was due on" in editor.get("/staff").text


def test_what_is_not_needed_is_set_aside_and_told_of_no_more(editor: Desk) -> None:
    update = closing()
    page = editor.get(f"/staff/updates/{update.id}").text
    assert "This was drafted by itself, since the campaign no longer raises money." in page
    assert "It is due on" in page
    assert "Not needed" in page
    for _ in range(2):
        answer = editor.post(f"/staff/updates/{update.id}/set-aside")
        assert answer.status_code == 302
    assert "Its closing report is drafted" not in editor.get("/staff").text
    page = editor.get(f"/staff/updates/{update.id}").text
    assert "set aside: nobody is reminded of it" in page
    assert "Not needed" not in page


def test_only_who_writes_sets_aside_and_only_what_was_drafted(desk: Callable[..., Desk]) -> None:
    make.organisation()
    drafted, plain = closing(), make.update()
    assert desk(Role.TREASURER).post(f"/staff/updates/{drafted.id}/set-aside").status_code == 403
    assert desk(Role.EDITOR).post(f"/staff/updates/{plain.id}/set-aside").status_code == 404


def test_the_calendar_leads_to_the_draft_on_the_day_it_is_due(editor: Desk) -> None:
    update = closing()
    day = (datetime.now(UTC) + timedelta(hours=8) - DAY).date() + 30 * DAY
    page = editor.get(f"/staff/calendar?month={day:%Y-%m}").text
    part = page[page.index(f'<time datetime="{day}">') :]
    assert "closing report is due" in part
    assert f'href="/staff/updates/{update.id}"' in part


def test_who_first_changes_a_draft_is_its_author(editor: Desk) -> None:
    update = closing()
    words = {"title_zh": "结项", "body_zh": "正文", "title_en": "Closing", "body_en": "Text"}
    editor.post(f"/staff/updates/{update.id}/edit", **words)
    db.session.expire_all()
    assert update.author_id == editor.staff.id
