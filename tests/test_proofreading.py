"""What is wrong with a text is said before anybody is asked to approve it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale

from campaigns import mailings, proofreading
from campaigns.db import db
from campaigns.model.update import Update, UpdateText
from campaigns.proofreading import Finding
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def in_english(app: Flask) -> Iterator[None]:
    with force_locale("en"):
        yield


def update(body: str, title: str = "Desks") -> Update:
    found = make.update(make.campaign("after-school"))
    found.texts = [
        UpdateText(locale="en", title=title, body=body),
        UpdateText(locale="zh-Hans", title="书桌", body="到了。"),
    ]
    db.session.commit()
    return found


def said(body: str, title: str = "Desks") -> list[Finding]:
    return proofreading.of(update(body, title), NOON)


@pytest.mark.parametrize(
    "body",
    [
        "Sixteen desks.",
        "See [the photos](https://e.org/p?a=1#b), or [write](mailto:hi@example.org).",
        "[all](/c/after-school/updates) and [home](/) and [feed](/feed.atom)",
        "[书桌](https://例子.公司/桌)",
        "A note [1] (of many), and `[code] (https://x)`.",
        "{{ campaign.progress }}\n\n{{ campaign.figures }}\n\nDear {{ donor.name }}",
    ],
)
def test_what_is_well_is_left_alone(body: str) -> None:
    assert said(body) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[tap](javascript:alert(1))", "“tap” leads nowhere"),
        ("[tap]()", "“tap” leads nowhere"),
        ("[tap](https://)", "“tap” leads nowhere"),
        ("[tap](https://nowhere)", "No page stands at https://nowhere"),
        ("[tap](https://a..b/x)", "No page stands at"),
        ("[tap](https://e.org:port/)", "“tap” leads nowhere"),
        ("[tap](/c/of-nobody)", "No page stands at http://localhost/c/of-nobody"),
        ("[tap](/staff/updates)", "No page stands at"),
        ("[tap](desks)", "No page stands at"),
        ("[write](mailto:nobody)", "No page stands at mailto:nobody"),
        ("[tap] (https://e.org)", "is no link yet"),
        ("[点这里]（https://e.org）", "is no link yet"),
        ("[tap](https://e.org and more", "is no link yet"),
        ("![](/images/x.png)", "has no words for those who do not see it"),
        ("![desks](/images/of-nobody.png)", "There is no image at"),
    ],
)
def test_what_is_broken_keeps_it_from_being_submitted(body: str, words: str) -> None:
    grave = [one.says for one in said(body) if one.grave]
    assert any(words in says for says in grave), grave


def test_an_image_elsewhere_tells_who_opens_the_letter() -> None:
    (one,) = said("![desks](https://e.org/desks.jpg)")
    assert "another server" in one.says
    assert not one.grave


@pytest.mark.parametrize(
    ("title", "grave"), [("书桌" * 17, None), ("书桌" * 18, False), ("x " * 71, True)]
)
def test_a_long_subject_is_told_by_its_width(title: str, grave: bool | None) -> None:
    found = said("Desks.", title)
    assert [one.grave for one in found] == ([] if grave is None else [grave])


def test_a_letter_that_mail_programs_would_cut_is_too_large() -> None:
    (one,) = said("Sixteen desks have arrived. " * 2200)
    assert "Over 100 KB" in one.says
    assert one.grave


def test_a_language_nobody_wrote_is_told_and_half_a_one_stops_it() -> None:
    found = update("Desks.")
    found.texts = found.texts[:1]
    (one,) = proofreading.of(found, NOON)
    assert (one.locale, one.grave) == ("zh-Hans", False)
    found.texts[0].body = " "
    assert proofreading.grave(found, NOON) is not None


def test_nobody_is_asked_to_approve_what_is_broken() -> None:
    found = update("[tap]()")
    mailing = mailings.draft(found, {"campaign": found.campaign_id}, None, NOON)
    with pytest.raises(mailings.NotReady, match="leads nowhere"):
        mailings.submit(mailing, None, NOON)


def test_what_broke_after_it_was_submitted_is_not_approved() -> None:
    found = update("Desks.")
    mailing = mailings.draft(found, {"campaign": found.campaign_id}, None, NOON)
    mailings.submit(mailing, None, NOON)
    found.texts[0].body = "[tap]()"
    with pytest.raises(mailings.NotReady):
        mailings.approve(mailing, None, NOON)
