"""Drafting: reports, closing reports and their reminders, each once; nothing leaves by itself."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select

from campaigns import drafting, duties, figures, mailings, proofreading, writing
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Delivery
from campaigns.model.drafted import Drafted, Occasion
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Role
from campaigns.model.timeline import Timeline, TimelineCause
from campaigns.model.update import Update, UpdateKind
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
DAY = timedelta(days=1)


def tick(now: datetime) -> None:
    drafting.draft(drafting.due(now), now)
    db.session.commit()


def promising(every: int = 30, **more: Any) -> Campaign:
    """A campaign whose last report came at noon, so the next is due `every` days later."""
    campaign = make.campaign(report_every_days=every, **more)
    make.update(campaign, published_at=NOON)
    return campaign


def drafted() -> list[Drafted]:
    return list(db.session.scalars(select(Drafted).order_by(Drafted.id)))


def reminders() -> list[str]:
    """What was written to staff: the occasions without the row that they are about."""
    occasions = db.session.scalars(select(Delivery.occasion).order_by(Delivery.id))
    return [f"{one.split(':')[1]} {one.split(':')[3]}" for one in occasions]


def test_a_report_is_drafted_ten_days_before_it_is_due_and_once() -> None:
    campaign = promising()
    tick(NOON + 19 * DAY)
    assert drafted() == []
    for _ in range(2):
        tick(NOON + 20 * DAY)
    (row,) = drafted()
    assert (row.occasion, row.campaign_id) == (Occasion.REPORT, campaign.id)
    assert row.update is not None
    assert (row.update.kind, row.update.published_at) == (UpdateKind.UPDATE, None)


def test_a_draft_is_in_the_campaigns_languages_with_live_blocks() -> None:
    promising()
    tick(NOON + 20 * DAY)
    update = drafted()[0].update
    assert update is not None
    texts = {text.locale: text for text in update.texts}
    assert {locale: text.title for locale, text in texts.items()} == {
        "en": "How “After school” is doing",
        "zh-Hans": "“放学以后”近来怎么样",
    }
    assert "every 30 days" in texts["en"].body
    assert "每 30 天" in texts["zh-Hans"].body
    for text in texts.values():
        for block in ("progress", "figures", "milestones"):
            assert f"\n{{{{ campaign.{block} }}}}\n" in text.body


def test_without_a_target_a_report_tells_of_no_milestones() -> None:
    promising(target_minor=None)
    tick(NOON + 20 * DAY)
    update = drafted()[0].update
    assert update is not None
    assert not any("milestones" in text.body for text in update.texts)


def test_what_is_asked_of_people_cannot_go_out_unwritten() -> None:
    make.organisation()
    promising()
    tick(NOON + 20 * DAY)
    update = drafted()[0].update
    assert update is not None
    with force_locale("en"):
        grave = proofreading.grave(update, NOON)
    assert grave is not None
    assert grave.says.startswith("3 lines with ✎ ask for what only you know.")
    author = make.staff(None, Role.EDITOR)
    mailing = mailings.draft(update, {"everyone": True}, author, NOON)
    with pytest.raises(mailings.NotReady):
        mailings.submit(mailing, author, NOON)
    with pytest.raises(writing.Unfinished):
        writing.publish(update, NOON)
    for text in update.texts:
        text.body = "\n".join(line for line in text.body.splitlines() if line[:1] != "✎")
    assert proofreading.grave(update, NOON) is None


def test_its_fundraisers_are_reminded_seven_and_two_days_before_once_each() -> None:
    make.staff("f@example.org", Role.FUNDRAISER)
    make.staff("e@example.org", Role.EDITOR)
    promising()
    for hours in range(20 * 24, 36 * 24, 12):
        tick(NOON + timedelta(hours=hours))
    assert reminders() == ["report 7", "report 2"]
    times = list(db.session.scalars(select(Delivery.created_at).order_by(Delivery.id)))
    assert times == [NOON + 22.5 * DAY, NOON + 27.5 * DAY]


def test_where_nobody_is_a_fundraiser_those_are_reminded_who_may_write() -> None:
    for role in (Role.EDITOR, Role.APPROVER, Role.TREASURER):
        make.staff(f"{role}@example.org", role)
    promising()
    tick(NOON + 20 * DAY)
    tick(NOON + 24 * DAY)
    assert len(reminders()) == 2


@pytest.mark.parametrize("begun", ["published", "scheduled", "set aside"])
def test_nobody_is_reminded_of_what_is_sent_on_its_way_or_set_aside(begun: str) -> None:
    staff = make.staff(None, Role.FUNDRAISER)
    campaign = promising()
    tick(NOON + 20 * DAY)
    if begun == "set aside":
        drafting.set_aside(drafted()[0], staff, NOON)
    elif begun == "published":
        make.update(campaign, published_at=NOON + 21 * DAY)
    else:
        hour = NOON + 40 * DAY
        sent = {"state": MailingState.SCHEDULED, "scheduled_at": hour, "started_at": None}
        make.mailing(make.update(campaign), **sent)
    for days in (24, 29, 31):
        tick(NOON + days * DAY)
    assert reminders() == []


def test_after_a_long_downtime_one_report_is_drafted_and_one_reminder_written() -> None:
    make.staff(None, Role.FUNDRAISER)
    promising()
    for minutes in range(3):
        tick(NOON + 200 * DAY + minutes * timedelta(minutes=1))
    assert [row.occasion for row in drafted()] == [Occasion.REPORT]
    assert reminders() == ["report 2"]


def test_what_somebody_began_since_the_last_report_is_taken_for_the_next() -> None:
    campaign = promising()
    begun = make.update(campaign)
    tick(NOON + 20 * DAY)
    assert [row.update_id for row in drafted()] == [begun.id]


def test_a_draft_that_nobody_used_is_the_next_periods() -> None:
    campaign = promising()
    tick(NOON + 20 * DAY)
    make.update(campaign, published_at=NOON + 25 * DAY)
    tick(NOON + 45 * DAY)
    first, second = drafted()
    assert first.number != second.number
    assert first.update_id == second.update_id


def test_a_report_often_promised_is_drafted_later_and_reminded_of_less() -> None:
    make.staff(None, Role.FUNDRAISER)
    promising(every=7)
    tick(NOON + 3 * DAY)
    assert drafted() == []
    for hours in range(4 * 24, 9 * 24, 12):
        tick(NOON + timedelta(hours=hours))
    assert reminders() == ["report 2"]


def test_a_campaign_that_promised_nothing_or_is_a_draft_owes_nothing() -> None:
    make.campaign()
    make.campaign(report_every_days=1, state=CampaignState.DRAFT)
    tick(NOON + 90 * DAY)
    assert drafted() == []


def test_a_closing_report_is_drafted_when_raising_was_ended_and_reminded_of() -> None:
    make.staff(None, Role.FUNDRAISER)
    campaign = make.campaign(state=CampaignState.ENDED, ended_at=NOON)
    for days in range(32):
        tick(NOON + days * DAY)
    assert [(row.campaign_id, row.occasion) for row in drafted()] == [
        (campaign.id, Occasion.CLOSING)
    ]
    assert reminders() == ["closing 7", "closing 2"]


def test_so_is_one_when_the_last_day_has_passed_and_never_a_second() -> None:
    campaign = make.campaign(ends_on=date(2026, 11, 22), report_every_days=30)
    tick(NOON)
    assert drafted() == []
    tick(NOON + DAY)
    campaign.state, campaign.ended_at = CampaignState.ENDED, NOON + 5 * DAY
    tick(NOON + 6 * DAY)
    assert [row.occasion for row in drafted()] == [Occasion.CLOSING]


def test_once_the_closing_report_is_public_nothing_is_owed() -> None:
    make.staff(None, Role.FUNDRAISER)
    make.campaign(state=CampaignState.ENDED, ended_at=NOON)
    tick(NOON)
    zone = figures.zone()
    assert [duty.due for duty in duties.owed(zone, NOON)] == [date(2026, 12, 22)]
    update = drafted()[0].update
    assert update is not None
    update.published_at = NOON + DAY
    tick(NOON + 29 * DAY)
    assert (duties.owed(zone, NOON), reminders()) == ([], [])


def test_of_what_ended_long_ago_no_closing_report_is_drafted() -> None:
    make.campaign(state=CampaignState.ENDED, ended_at=NOON - 90 * DAY)
    make.campaign(state=CampaignState.ENDED)
    make.campaign(state=CampaignState.CLOSED, ended_at=NOON)
    tick(NOON)
    assert drafted() == []


def test_after_a_set_back_nothing_is_drafted_until_a_person_has_seen_to_it() -> None:
    promising()
    back = Timeline(name="2", cause=TimelineCause.RESTORED, began_at=NOON, as_of=NOON)
    db.session.add(back)
    tick(NOON + 20 * DAY)
    assert drafted() == []
    back.confirmed_at = NOON
    tick(NOON + 20 * DAY)
    assert len(drafted()) == 1


def test_nothing_that_is_drafted_is_mailed_or_public() -> None:
    promising()
    make.campaign(state=CampaignState.ENDED, ended_at=NOON)
    make.report(make.listing(make.campaign()), 30_000_000, NOON)
    tick(NOON + 20 * DAY)
    assert {row.occasion for row in drafted()} == set(Occasion)
    assert db.session.scalar(select(func.count(Mailing.id))) == 0
    ids = [row.update_id for row in drafted()]
    public = select(Update.id).where(Update.id.in_(ids), Update.published_at.is_not(None))
    assert db.session.scalars(public).all() == []
