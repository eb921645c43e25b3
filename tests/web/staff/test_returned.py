"""Staff see what came back: by letter, by mailing, in the outbox, and on their first page."""

from collections.abc import Callable

import pytest

from campaigns import needs, returns
from campaigns.db import db
from campaigns.mail.verp import message_id
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Role
from config import settings
from tests import make
from tests.make import NOON
from tests.returning import address, bounce
from tests.web.staff.conftest import Desk


@pytest.fixture
def letter(app: object) -> Delivery:
    return make.delivery("ada@example.org", state=DeliveryState.SENT)


def came(letter: Delivery, *what: str) -> None:
    returns.take(bounce(address(letter), *what), "command", NOON)
    db.session.commit()


def test_a_bounce_is_told_with_the_relays_words(
    desk: Callable[..., Desk], letter: Delivery
) -> None:
    came(letter)
    who = desk(Role.ADMINISTRATOR)
    for path in ("returned", f"{letter.mailing_id}/letters"):
        page = who.get(f"/staff/mailings/{path}").text
        assert "550 5.1.1 no such user" in page
        assert "no such address" in page
    assert "1 no such address (5.1.1)" in who.get(f"/staff/mailings/{letter.mailing_id}").text


def test_what_came_back_is_filtered_by_what_it_means(
    desk: Callable[..., Desk], letter: Delivery
) -> None:
    came(letter)
    who = desk(Role.EDITOR)
    assert "no such user" in who.get("/staff/mailings/returned?meaning=hard").text
    assert "no such user" not in who.get("/staff/mailings/returned?meaning=soft").text


def test_who_may_not_see_donors_sees_no_address(
    desk: Callable[..., Desk], letter: Delivery
) -> None:
    came(letter)
    assert "ada@example.org" not in desk(Role.EDITOR).get("/staff/mailings/returned").text
    assert "ada@example.org" in desk(Role.ADMINISTRATOR).get("/staff/mailings/returned").text


def test_what_is_of_no_letter_is_counted_on_the_page(desk: Callable[..., Desk]) -> None:
    returns.take(b"Subject: hello\r\n\r\n", "command", NOON)
    page = desk(Role.EDITOR).get("/staff/mailings/returned").text
    assert "names no letter of ours" in page


def test_a_letter_in_the_outbox_tells_what_came_back(
    desk: Callable[..., Desk], letter: Delivery
) -> None:
    came(letter)
    outbox = settings().instance_dir / "outbox"
    outbox.mkdir(parents=True, exist_ok=True)
    named = message_id(letter.id, settings().address_pepper, "example.org")
    file = outbox / "came-back.eml"
    file.write_bytes(f"Message-ID: {named}\r\nSubject: Desks\r\n\r\nhello\r\n".encode())
    page = desk(Role.ADMINISTRATOR).get("/staff/outbox/came-back.eml").text
    file.unlink()
    assert "550 5.1.1 no such user" in page


def test_refusals_because_of_us_wait_for_those_who_send(
    desk: Callable[..., Desk], letter: Delivery
) -> None:
    came(letter, "5.7.1", "550 5.7.1 spam")
    editor = make.staff(None, Role.EDITOR)
    assert [need.what for need in needs.of(editor, NOON)] == ["unwanted"]
    assert [need.what for need in needs.of(editor, NOON + needs.RECENT)] == []
    assert needs.of(make.staff(None, Role.TREASURER), NOON) == []


def test_how_many_soft_bounces_are_allowed_is_a_setting(desk: Callable[..., Desk]) -> None:
    make.organisation()
    who = desk(Role.ADMINISTRATOR)
    fields = {"name_en": "We", "name_zh": "", "default_locale": "en", "timezone": "Asia/Shanghai"}
    fields |= {"quiet_from": "21:00", "quiet_until": "08:00", "quiet_days": "holidays"}
    fields |= {"thanks": "none", "thanks_at": "18:00", "thanks_currency": "CNY"}
    fields |= {"country": "CN", "soft_limit": "5", "soft_days": "14"}
    assert who.post("/staff/organisation", **fields).status_code == 302
    row = db.session.query(Organisation).one()
    assert (row.soft_limit, row.soft_days) == (5, 14)
    assert db.session.query(AuditRecord).filter_by(action="change organisation").count() == 1
    answer = who.post("/staff/organisation", **fields | {"soft_limit": "0"})
    assert answer.status_code == 400
    assert "from 1 to 20" in answer.text
