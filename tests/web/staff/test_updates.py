"""Updates and mailings: written, looked at, approved by another, given an hour, watched."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from campaigns import mailings
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Role
from campaigns.model.update import Update
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

TEXTS = {
    "title_en": "Desks",
    "body_en": "**Sixteen** desks.",
    "title_zh": "书桌",
    "body_zh": "到了",
}


@pytest.fixture
def campaign(app: object) -> Campaign:
    return make.campaign()


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR)


@pytest.fixture
def approver(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.APPROVER)


def write(who: Desk, campaign: Campaign, **more: str) -> Update:
    fields = {"kind": "update", "campaign": str(campaign.id), **TEXTS, **more}
    assert who.post("/staff/updates/new", **fields).status_code == 302
    return db.session.query(Update).one()


def prepare(who: Desk, update: Update) -> Mailing:
    assert who.post(f"/staff/updates/{update.id}/mailings").status_code == 302
    return db.session.query(Mailing).one()


def submitted(who: Desk, campaign: Campaign) -> Mailing:
    mailing = prepare(who, write(who, campaign))
    who.post(f"/staff/mailings/{mailing.id}/submit")
    return mailing


def approve(who: Desk, mailing: Mailing) -> int:
    text_of = mailing.update.changed_at.isoformat()
    return who.post(f"/staff/mailings/{mailing.id}/approve", text_of=text_of).status_code


def in_an_hour(zone_offset: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=1 + zone_offset)).strftime("%Y-%m-%dT%H:%M")


def test_an_update_is_kept_in_both_languages(editor: Desk, campaign: Campaign) -> None:
    update = write(editor, campaign)
    assert {text.locale: text.title for text in update.texts} == {"en": "Desks", "zh-Hans": "书桌"}
    assert update.author_id == editor.staff.id
    assert update.published_at is None


def test_an_update_without_a_title_is_refused(editor: Desk, campaign: Campaign) -> None:
    fields = {"campaign": str(campaign.id), **TEXTS, "title_en": ""}
    answer = editor.post("/staff/updates/new", **fields)
    assert answer.status_code == 400
    assert "Sixteen" in answer.text


@pytest.mark.parametrize("kind", ["page", "letter"])
def test_a_preview_shows_the_text_and_runs_nothing(
    editor: Desk, campaign: Campaign, kind: str
) -> None:
    evil = (
        "**Bold** <script>alert(1)</script> [x](javascript:alert(2)) <img src=x onerror=alert(3)>"
    )
    update = write(editor, campaign, body_en=evil)
    answer = editor.get(f"/staff/updates/{update.id}/{kind}/en")
    assert "<strong>Bold</strong>" in answer.text
    assert not any(bad in answer.text for bad in ("<script>alert", "javascript:", "onerror"))
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox;")
    assert "allow-" not in policy
    assert "frame-ancestors 'self'" in policy


def test_a_preview_speaks_the_language_of_the_text(editor: Desk, campaign: Campaign) -> None:
    update = write(editor, campaign)
    letter = editor.get(f"/staff/updates/{update.id}/letter/zh-Hans").text
    assert "到了" in letter
    assert "Sixteen" not in letter


def test_publishing_takes_who_may_approve(editor: Desk, approver: Desk, campaign: Campaign) -> None:
    update = write(editor, campaign)
    path = f"/staff/updates/{update.id}/publish"
    assert editor.post(path).status_code == 403
    assert approver.post(path).status_code == 302
    first = update.published_at
    assert first is not None
    approver.post(path)
    assert update.published_at == first
    approver.post(f"/staff/updates/{update.id}/take-down")
    assert update.published_at is None


def test_staff_are_told_that_what_was_sent_stands_as_it_was_sent(
    editor: Desk, campaign: Campaign
) -> None:
    update = make.update(campaign, published_at=NOON)
    path = f"/staff/updates/{update.id}"
    waiting = make.mailing(update, state=MailingState.SCHEDULED, started_at=None)
    assert "the page shows what they said" not in editor.get(path).text
    waiting.started_at = NOON
    assert "the page shows what they said" in editor.get(path).text


def test_nobody_approves_their_own(approver: Desk, campaign: Campaign) -> None:
    make.staff()
    mailing = submitted(approver, campaign)
    approve(approver, mailing)
    assert mailing.state is MailingState.IN_REVIEW
    assert "Somebody else must approve" in approver.get(f"/staff/mailings/{mailing.id}").text


def test_a_mailing_goes_from_draft_to_its_hour(
    editor: Desk, approver: Desk, campaign: Campaign
) -> None:
    mailing = submitted(editor, campaign)
    assert approve(editor, mailing) == 403
    assert approve(approver, mailing) == 302
    path = f"/staff/mailings/{mailing.id}/schedule"
    assert editor.post(path, way="at", at=in_an_hour(8)).status_code == 302
    assert mailing.state is MailingState.SCHEDULED
    left = (mailing.scheduled_at or datetime.max.replace(tzinfo=UTC)) - datetime.now(UTC)
    assert timedelta(minutes=58) < left <= timedelta(hours=1)


def test_an_hour_that_has_passed_is_refused_beside_its_field(
    editor: Desk, approver: Desk, campaign: Campaign
) -> None:
    mailing = submitted(editor, campaign)
    approve(approver, mailing)
    answer = editor.post(f"/staff/mailings/{mailing.id}/schedule", way="at", at="2020-01-01T09:00")
    assert answer.status_code == 400
    assert 'id="at-error"' in answer.text
    assert mailing.state is MailingState.APPROVED


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_the_ends_of_the_calendar_are_no_hour(
    desk: Callable[..., Desk], campaign: Campaign, at: str, zone: str
) -> None:
    editor = desk(Role.EDITOR, timezone=zone)
    mailing = make.mailing(make.update(campaign), state=MailingState.APPROVED)
    answer = editor.post(f"/staff/mailings/{mailing.id}/schedule", way="at", at=at)
    assert answer.status_code == 400


def test_a_change_in_the_moment_of_approval_is_refused_and_not_kept(
    editor: Desk, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = make.update(campaign)

    def overtaken(*_: object) -> None:
        raise mailings.WrongState("The mailing is no longer where this step begins.")

    monkeypatch.setattr(mailings, "text_changed", overtaken)
    changed = {"title_zh": "别的", "body_zh": "别的"}
    answer = editor.post(f"/staff/updates/{update.id}/edit", **changed)
    assert answer.status_code == 400
    assert "no longer where this step begins" in answer.text
    assert {text.title for text in update.texts} != {"别的"}


def test_what_changed_after_it_was_opened_is_not_approved(
    editor: Desk, approver: Desk, campaign: Campaign
) -> None:
    mailing = submitted(editor, campaign)
    seen = mailing.update.changed_at.isoformat()
    editor.post(f"/staff/updates/{mailing.update_id}/edit", **TEXTS | {"title_en": "Other"})
    approver.post(f"/staff/mailings/{mailing.id}/approve", text_of=seen)
    assert mailing.state is MailingState.IN_REVIEW


def test_a_change_takes_an_approved_mailing_back_to_review(
    editor: Desk, approver: Desk, campaign: Campaign
) -> None:
    mailing = submitted(editor, campaign)
    approve(approver, mailing)
    editor.post(f"/staff/updates/{mailing.update_id}/edit", **TEXTS | {"title_en": "Other"})
    assert mailing.state is MailingState.IN_REVIEW


def test_a_mailing_is_sent_back_with_a_note(
    editor: Desk, approver: Desk, campaign: Campaign
) -> None:
    mailing = submitted(editor, campaign)
    path = f"/staff/mailings/{mailing.id}/send-back"
    assert approver.post(path, note=" ").status_code == 400
    assert approver.post(path, note="Name the school.").status_code == 302
    assert "Name the school." in editor.get(f"/staff/mailings/{mailing.id}").text


def test_steps_are_refused_to_roles_that_may_not_take_them(
    editor: Desk, desk: Callable[..., Desk], campaign: Campaign
) -> None:
    mailing = submitted(editor, campaign)
    path = f"/staff/mailings/{mailing.id}/cancel"
    assert desk(Role.TREASURER).post(path).status_code == 403
    assert mailing.state is MailingState.IN_REVIEW


def test_the_second_click_says_that_it_was_done(editor: Desk, campaign: Campaign) -> None:
    mailing = submitted(editor, campaign)
    editor.post(f"/staff/mailings/{mailing.id}/submit")
    assert "no longer where this step begins" in editor.get(f"/staff/mailings/{mailing.id}").text
    steps = db.session.query(AuditRecord).filter_by(action="in_review mailing").count()
    assert steps == 1


def test_letters_show_addresses_only_to_those_who_may_see_donors(
    editor: Desk, desk: Callable[..., Desk]
) -> None:
    delivery = make.delivery("ada@example.org", state=DeliveryState.SENT)
    path = f"/staff/mailings/{delivery.mailing_id}/letters"
    assert "ada@example.org" in desk(Role.TREASURER).get(path).text
    masked = editor.get(path).text
    assert "ada@" not in masked
    assert "a•••@example.org" in masked


@pytest.mark.parametrize(("said", "state"), [("1", "sent"), ("0", "failed")])
def test_an_unknown_letter_is_settled_once(editor: Desk, said: str, state: str) -> None:
    delivery = make.delivery(state=DeliveryState.UNKNOWN)
    path = f"/staff/mailings/letters/{delivery.id}/settle"
    editor.post(path, sent=said)
    editor.post(path, sent="0" if said == "1" else "1")
    kept = db.session.get_one(Delivery, delivery.id)
    assert kept.state == state


def test_letters_are_found_by_state(editor: Desk) -> None:
    mailing = make.mailing()
    make.delivery("sent@example.org", of=mailing, state=DeliveryState.SENT)
    make.delivery("open@example.org", of=mailing)
    found = editor.get(f"/staff/mailings/{mailing.id}/letters?state=queued").text
    assert "o•••@" in found
    assert "s•••@" not in found
