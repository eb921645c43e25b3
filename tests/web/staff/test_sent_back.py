"""What an approver asked to be changed stands wherever the author looks, until they ask again."""

from collections.abc import Callable

import pytest

from campaigns import mailings, needs
from campaigns.db import db
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Role
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

NOTE = "The second figure is last week's."


@pytest.fixture
def author(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR)


@pytest.fixture
def mailing(author: Desk) -> Mailing:
    update = make.update(author_id=author.staff.id)
    row = mailings.draft(update, {"campaign": update.campaign_id}, author.staff, NOON)
    mailings.submit(row, author.staff, NOON)
    mailings.send_back(row, NOTE, make.staff(None, Role.APPROVER), NOON)
    db.session.commit()
    return row


def pages(mailing: Mailing) -> list[str]:
    text = f"/staff/updates/{mailing.update_id}"
    return ["/staff", text, f"{text}/edit", f"/staff/mailings/{mailing.id}"]


def test_the_author_reads_it_on_every_page_of_theirs(author: Desk, mailing: Mailing) -> None:
    said = NOTE.replace("'", "&#39;")
    assert [said in author.get(page).text for page in pages(mailing)] == [True] * 4


def test_it_waits_for_the_author_and_nobody_else(author: Desk, mailing: Mailing) -> None:
    assert [need.what for need in needs.of(author.staff, NOON)] == ["sent_back"]
    assert needs.of(make.staff(None, Role.EDITOR), NOON) == []


def test_who_asks_again_has_answered_it(author: Desk, mailing: Mailing) -> None:
    author.post(f"/staff/mailings/{mailing.id}/submit")
    assert [NOTE[:10] in author.get(page).text for page in pages(mailing)] == [False] * 4
    assert needs.of(author.staff, NOON) == []
