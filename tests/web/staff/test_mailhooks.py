"""Staff pages of mail providers' hooks: opened, given new secrets, closed."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from campaigns import mailhooks, returns
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.mail_hook import MailHook
from campaigns.model.staff import Role
from config import settings
from tests.make import NOON
from tests.web.mailhooks.mailgun import KEY
from tests.web.mailhooks.ses import TOPIC
from tests.web.staff.conftest import Desk

SECRET = re.compile(r"https?://postmark:([0-9a-f]{48})@localhost/hooks/mail/bounces")


@pytest.fixture
def administrator(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.ADMINISTRATOR)


def opened(at: Desk, provider: str, name: str = "bounces", **fields: str) -> Any:
    return at.post("/staff/webhooks/mail", provider=provider, name=name, **fields)


def secret() -> str:
    return db.session.query(MailHook).one().unsealed(settings().data_keys).decode()


@pytest.mark.parametrize(("provider", "given"), [("mailgun", KEY), ("ses", TOPIC)])
def test_a_hook_is_opened_with_the_providers_secret(
    administrator: Desk, provider: str, given: str
) -> None:
    answer = opened(administrator, provider, secret=f" {given}\n")
    assert answer.status_code == 302
    assert secret() == given
    page = administrator.get(answer.location).text
    assert "http://localhost/hooks/mail/bounces" in page
    assert given not in page
    [record] = db.session.query(AuditRecord).filter_by(action="opened mail hook")
    assert record.staff_id == administrator.staff.id


def test_a_password_is_made_and_shown_once(administrator: Desk) -> None:
    shown = SECRET.search(opened(administrator, "postmark").text)
    assert shown is not None
    assert shown[1] == secret()
    assert shown[1] not in administrator.get("/staff/webhooks/mail").text


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("mailgun", {"secret": "short"}),
        ("ses", {"secret": KEY}),
        ("ses", {"secret": TOPIC, "name": "X"}),
        ("postmark", {"name": ""}),
    ],
)
def test_a_hook_that_cannot_work_is_refused(
    administrator: Desk, provider: str, fields: dict[str, str]
) -> None:
    answer = opened(administrator, provider, **fields)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert db.session.query(MailHook).count() == 0


def test_a_name_is_one_hooks(administrator: Desk) -> None:
    assert opened(administrator, "mailgun", secret=KEY).status_code == 302
    assert opened(administrator, "mailgun", secret="another-key").status_code == 400
    assert secret() == KEY


def test_a_secret_takes_the_place_of_the_one_before(administrator: Desk) -> None:
    page = opened(administrator, "mailgun", secret=KEY).location
    assert administrator.post(f"{page}/exchange", secret="tiny").status_code == 400
    assert administrator.post(f"{page}/exchange", secret="another-key").status_code == 302
    assert secret() == "another-key"


def test_a_closed_hook_is_gone(administrator: Desk) -> None:
    page = opened(administrator, "mailgun", secret=KEY).location
    assert administrator.post(f"{page}/remove").status_code == 302
    assert administrator.get(page).status_code == 404
    assert administrator.client.post("/hooks/mail/bounces").status_code == 404


def test_refused_posts_are_counted_by_hook(administrator: Desk) -> None:
    mailhooks.setup("bounces", "mailgun", KEY, NOON)
    returns.count("hook:bounces", "BadSignature", 1200, NOON)
    returns.count("hook:bounces", "not_ours", 7, NOON)
    db.session.commit()
    assert "1,200" in administrator.get("/staff/webhooks/mail").text


def test_an_unknown_provider_has_no_form(administrator: Desk) -> None:
    assert administrator.get("/staff/webhooks/mail?provider=pigeon").status_code == 404
