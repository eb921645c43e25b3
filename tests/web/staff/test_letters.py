"""Letters one by one: lists with filters, each letter's page, deeds with reasons, sending again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Role
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

State = DeliveryState


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR)


def failed(answer: str, to: str | None = None, **more: Any) -> Delivery:
    delivery = make.delivery(to, state=State.FAILED, settled_at=NOON, **more)
    tried = {"at": NOON, "transport": "relay", "outcome": State.FAILED, "code": 550}
    db.session.add(Attempt(delivery_id=delivery.id, answer=answer, **tried))
    db.session.commit()
    return delivery


@pytest.fixture
def mailing(app: object) -> Mailing:
    """Two letters that failed for different reasons, and one that was sent."""
    mailing = make.mailing()
    failed("5.2.2 full", "full@example.org", of=mailing)
    failed("5.1.1 gone", "gone@mail.example.org", of=mailing)
    sent = NOON - timedelta(days=1)
    make.delivery("here@example.org", of=mailing, state=State.SENT, settled_at=sent)
    return mailing


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("", "fgh"),
        ("state=failed", "fg"),
        ("reason=mailbox full", "f"),
        ("domain=example.org", "fh"),
        ("domain=@MAIL.example.org", "g"),
        ("day=2026-11-22", "fg"),
        ("day=2026-11-21&state=sent", "h"),
        ("state=failed&reason=mailbox full&domain=mail.example.org", ""),
        ("state=nonsense&reason=none&domain=%20a b&day=0001-01-01", "fgh"),
    ],
)
def test_letters_are_found_by_each_filter(
    editor: Desk, mailing: Mailing, asked: str, shown: str
) -> None:
    page = editor.get(f"/staff/mailings/{mailing.id}/letters?{asked}").text
    assert {letter for letter in "fgh" if f"{letter}•••@" in page} == set(shown)


def test_counts_on_the_mailings_page_lead_to_their_letters(editor: Desk, mailing: Mailing) -> None:
    page = editor.get(f"/staff/mailings/{mailing.id}").text
    path = f"/staff/mailings/{mailing.id}/letters?state="
    assert f'href="{path}failed&amp;reason=mailbox%20full">1 failed (mailbox full)</a>' in page
    assert f'href="{path}sent">1 sent</a>' in page


def test_a_letters_page_shows_every_try_and_its_words(editor: Desk) -> None:
    delivery = failed("5.2.2 <full>", "ada@example.org")
    page = editor.get(f"/staff/mailings/letters/{delivery.id}").text
    assert "550 5.2.2 &lt;full&gt;" in page
    assert "failed: mailbox full" in page
    assert f"/staff/mailings/{delivery.mailing_id}/preview/en" in page
    assert "a•••@example.org" in page
    assert "ada@" not in page


def test_who_sees_donors_sees_whole_addresses(treasurer: Desk) -> None:
    delivery = make.delivery("ada@example.org")
    assert "ada@example.org" in treasurer.get(f"/staff/mailings/letters/{delivery.id}").text


def test_settling_and_its_reason_stand_on_the_letters_page(editor: Desk) -> None:
    delivery = make.delivery(state=State.UNKNOWN)
    path = f"/staff/mailings/letters/{delivery.id}"
    answer = editor.post(
        f"{path}/settle", sent="1", why=" It is in  the log. ", **{"from": "letter"}
    )
    assert answer.location == path
    page = editor.get(path).text
    assert "settled as sent" in page
    assert "It is in the log." in page


def test_a_reason_that_is_too_long_changes_nothing(editor: Desk) -> None:
    delivery = make.delivery(state=State.UNKNOWN)
    path = f"/staff/mailings/letters/{delivery.id}/settle"
    assert editor.post(path, sent="1", why="x" * 201).status_code == 400
    assert db.session.get_one(Delivery, delivery.id).state is State.UNKNOWN


def test_one_letter_is_sent_again_from_its_page(editor: Desk) -> None:
    delivery = failed("5.2.2 full")
    other = failed("5.2.2 full", of=db.session.get(Mailing, delivery.mailing_id))
    path = f"/staff/mailings/letters/{delivery.id}"
    editor.post(f"{path}/resend", why="They made room.")
    assert db.session.get_one(Delivery, delivery.id).state is State.QUEUED
    assert db.session.get_one(Delivery, other.id).state is State.FAILED
    page = editor.get(path).text
    assert "sent this one again" in page
    assert "They made room." in page
    assert "They made room." not in editor.get(f"/staff/mailings/letters/{other.id}").text


def test_sending_again_says_how_many_before_and_sends_what_was_filtered(
    editor: Desk, mailing: Mailing
) -> None:
    path = f"/staff/mailings/{mailing.id}/letters"
    shown = editor.get(f"{path}?state=failed&reason=mailbox full").text
    asked = f"{path}/resend?state=failed&amp;reason=mailbox+full"
    assert asked in shown
    page = editor.get(asked.replace("&amp;", "&")).text
    assert "One failed letter is sent again." in page
    assert "mailbox full" in page
    editor.post(f"{path}/resend", reason="mailbox full", why="space")
    states = db.session.scalars(select(Delivery.state).order_by(Delivery.id)).all()
    assert states == [State.QUEUED, State.FAILED, State.SENT]
    record = db.session.scalars(select(AuditRecord)).one()
    assert record.changes["reason"] == [None, "space"]


def test_sending_again_twice_sends_once(editor: Desk, mailing: Mailing) -> None:
    path = f"/staff/mailings/{mailing.id}/letters/resend"
    assert "2 failed letters are sent again." in editor.get(path).text
    for _ in range(2):
        editor.post(path)
    assert db.session.query(AuditRecord).filter_by(action="resend mailing").count() == 1
    assert "Nothing of what was chosen failed" in editor.get(path).text


def test_a_letter_to_nobody_who_may_get_it_is_told_before(editor: Desk, mailing: Mailing) -> None:
    left = db.session.scalars(select(Delivery).where(Delivery.state == State.FAILED)).first()
    assert left is not None
    assert left.donor is not None
    make.consent(left.donor, mailing_campaign(mailing), given=False)
    page = editor.get(f"/staff/mailings/{mailing.id}/letters/resend").text
    assert "One of them may not be written to any more" in page


def mailing_campaign(mailing: Mailing) -> Campaign:
    return db.session.get_one(Campaign, mailing.update.campaign_id)


def test_who_may_not_send_is_offered_nothing(treasurer: Desk, mailing: Mailing) -> None:
    page = treasurer.get(f"/staff/mailings/{mailing.id}/letters?state=failed").text
    assert "/resend" not in page
    one = db.session.scalars(select(Delivery).where(Delivery.state == State.FAILED)).first()
    assert one is not None
    assert "/resend" not in treasurer.get(f"/staff/mailings/letters/{one.id}").text


def test_letters_to_a_person_stand_in_one_list(treasurer: Desk, editor: Desk) -> None:
    delivery = make.delivery("ada@example.org", state=State.SENT)
    path = f"/staff/mailings/letters/to/{delivery.donor_id}"
    assert "The first desks have arrived" in treasurer.get(path).text
    assert editor.get(path).status_code == 403
    page = treasurer.get(f"/staff/donors/{delivery.donor_id}").text
    assert path in page
    assert "The first desks have arrived" in page
