"""Issues of the newsletter and appeals: what they are about, and whom they go to."""

from collections.abc import Callable

import pytest

from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Role
from campaigns.model.update import Update
from tests import make
from tests.web.staff.conftest import Desk

TEXTS = {"title_en": "Autumn", "body_en": "A word.", "title_zh": "秋天", "body_zh": "一句话。"}


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    make.organisation()
    return desk(Role.EDITOR)


def written(editor: Desk, kind: str, **more: str) -> Update:
    fields = {"campaign": "", **TEXTS, **more}
    answer = editor.post("/staff/updates/new", kind=kind, **fields)
    assert answer.status_code == 302
    return db.session.get_one(Update, int(answer.location.rsplit("/", 1)[1]))


def test_issues_are_numbered_one_after_the_other(editor: Desk) -> None:
    assert [written(editor, kind).number for kind in ("issue", "appeal", "issue")] == [1, None, 2]
    assert "issue 2" in editor.get("/staff/updates").text


@pytest.mark.parametrize("kind", ["issue", "appeal"])
def test_they_go_to_who_agreed_to_the_newsletter(editor: Desk, kind: str) -> None:
    update = written(editor, kind, campaign=str(make.campaign().id))
    assert update.campaign_id is None
    assert editor.post(f"/staff/updates/{update.id}/mailings").status_code == 302
    mailing = db.session.query(Mailing).one()
    assert (mailing.purpose, mailing.segment) == (Purpose.NEWSLETTER, {"everyone": True})


def test_an_appeal_has_no_public_page_to_be_put_on(editor: Desk, desk: Callable[..., Desk]) -> None:
    update, approver = written(editor, "appeal"), desk(Role.APPROVER)
    assert "/publish" not in approver.get(f"/staff/updates/{update.id}").text
    assert approver.post(f"/staff/updates/{update.id}/publish").status_code == 404
    assert update.published_at is None


def test_an_update_needs_a_campaign(editor: Desk) -> None:
    answer = editor.post("/staff/updates/new", kind="update", campaign="", **TEXTS)
    assert answer.status_code == 400
    assert db.session.query(Update).count() == 0
