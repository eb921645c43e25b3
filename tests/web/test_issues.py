"""Issues of the newsletter on public pages: each as it was sent, all of them, and in the feed."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import feedparser
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import archive, mailings
from campaigns.db import db
from campaigns.mail.transport import MemoryTransport
from campaigns.model.audit import AuditRecord
from campaigns.model.staff import Role
from campaigns.model.update import Update, UpdateKind, UpdateText
from tests import make
from tests.mailing import HOUR, begin
from tests.web.staff.conftest import Desk
from workers.office import Office

THEN = datetime(2024, 2, 29, 4, tzinfo=UTC)
ALL, CHINESE = "/en/newsletter", "/newsletter"


@pytest.fixture(autouse=True)
def organisation(app: Flask) -> None:
    make.organisation()


def issue(number: int, body: str = "What the desks became.", **more: Any) -> Update:
    update = make.update(kind=UpdateKind.ISSUE, number=number, **more)
    update.campaign_id = None
    update.texts = [
        UpdateText(locale="en", title=f"Letter {number} for {{{{ donor.name }}}}", body=body),
        UpdateText(locale="zh-Hans", title=f"第 {number} 封信", body="书桌的故事。"),
    ]
    db.session.commit()
    return update


def mailed(update: Update) -> Update:
    """Its letters went out to Ada, who agreed to the newsletter."""
    make.consent(make.donor())
    mailing = mailings.draft(update, {"everyone": True}, make.staff(), THEN)
    mailings.submit(mailing, make.staff(), THEN)
    mailings.approve(mailing, make.staff(), THEN)
    mailings.schedule(mailing, THEN, None, THEN)
    begin(THEN)
    return update


@pytest.fixture
def sent(app: Flask) -> Update:
    """An issue that nobody published by itself, and whose letters went out."""
    return mailed(issue(3, author_id=make.staff(name="Lin Jing").id))


def test_what_was_sent_is_public_from_its_hour_on(client: FlaskClient, sent: Update) -> None:
    page = client.get(f"{ALL}/3").text
    for said in ("Letter 3 for friend", "What the desks became.", "Lin Jing", "issue 3"):
        assert said in page
    assert "Dear" not in page
    assert "/unsubscribe/" not in page
    assert f'hreflang="zh-Hans" href="{CHINESE}/3"' in page
    assert "书桌的故事。" in client.get(f"{CHINESE}/3").text


def test_what_was_sent_stands_as_it_was_sent(client: FlaskClient, sent: Update) -> None:
    for text in sent.texts:
        text.body = "Other words."
    sent.changed_at = THEN + HOUR
    db.session.commit()
    for path in (f"{ALL}/3", ALL, "/en/feed.atom"):
        page = client.get(path).text
        assert "What the desks became." in page, path
        assert "Other words" not in page, path


def test_a_letter_leads_to_its_page_and_to_all(sent: Update) -> None:
    memory = MemoryTransport()
    Office(memory).work()
    [kept] = memory.kept
    letter = message_from_bytes(kept.message, policy=policy.default)
    assert letter["List-Archive"].endswith("/newsletter>")
    for part in letter.iter_parts():
        assert "/newsletter/3" in part.get_content()


def test_the_feed_of_all_holds_issues_and_a_campaigns_does_not(
    client: FlaskClient, sent: Update
) -> None:
    make.campaign("after-school")
    [entry] = feedparser.parse(client.get("/en/feed.atom").data).entries
    assert entry.title == "Letter 3 for friend"
    assert entry.link.endswith("/en/newsletter/3")
    assert entry.tags[0].term == "newsletter"
    assert feedparser.parse(client.get("/en/c/after-school/feed.atom").data).entries == []


def test_what_was_taken_down_is_gone_and_what_never_was_is_not_found(
    client: FlaskClient, sent: Update
) -> None:
    issue(4)
    sent.published_at = None
    db.session.commit()
    assert client.get(f"{ALL}/3").status_code == 410
    for number in (4, 5, 0):
        assert client.get(f"{ALL}/{number}").status_code == 404
    assert "Issues so far" not in client.get(ALL).text


def test_appeals_have_no_page(client: FlaskClient) -> None:
    appeal = make.update(kind=UpdateKind.APPEAL)
    appeal.campaign_id = None
    mailed(appeal)
    assert appeal.published_at is None
    assert feedparser.parse(client.get("/en/feed.atom").data).entries == []


def test_an_issue_leads_to_those_beside_it(client: FlaskClient) -> None:
    for number in (1, 2, 4):
        issue(number, published_at=THEN + number * HOUR)
    page = client.get(f"{ALL}/2").text
    assert 'rel="prev" href="/en/newsletter/1"' in page
    assert 'rel="next" href="/en/newsletter/4"' in page


def test_all_issues_stand_in_pages_beside_the_form(client: FlaskClient) -> None:
    for number in range(1, archive.PAGE + 2):
        issue(number, published_at=THEN + number * HOUR)
    first, second = client.get(ALL).text, client.get(f"{ALL}/page/2").text
    assert f"/en/newsletter/{archive.PAGE + 1}" in first
    assert 'rel="next" href="/en/newsletter/page/2"' in first
    assert 'href="/en/newsletter/1"' in second
    assert client.get(f"{ALL}/page/3").status_code == 404


def test_an_approver_puts_an_issue_on_its_page_and_takes_it_down(
    app: Flask, client: FlaskClient
) -> None:
    update = issue(7)
    desk = Desk(app.test_client(), make.staff(None, Role.APPROVER, locale="en"))
    desk.post(f"/staff/updates/{update.id}/publish")
    assert "Letter 7" in client.get(f"{ALL}/7").text
    desk.post(f"/staff/updates/{update.id}/take-down")
    assert db.session.get_one(Update, update.id).published_at is None
    actions = db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.id))
    assert [one for one in actions if "update" in one] == ["publish update", "take down update"]
