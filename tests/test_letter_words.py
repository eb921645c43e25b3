"""What a letter says to each reader, and that its text says all that its HTML does."""

from dataclasses import replace

import pytest

from campaigns.blocks import Live
from campaigns.composition import Desk, preview
from campaigns.db import db
from campaigns.model.delivery import LetterKind
from campaigns.model.mailing import Mailing
from campaigns.model.update import UpdateKind
from tests import make
from tests.composed import bodies, claim, letter, missing
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


def merged(body: str, subject: str = "Desks for {{ donor.name | default('you') }}") -> Mailing:
    """A mailing of these English words as they were approved."""
    mailing = make.mailing()
    text = mailing.text("en", "en")
    text.subject, text.body = subject, body
    db.session.commit()
    return mailing


def test_each_reader_is_named_where_the_text_says_so() -> None:
    mailing = merged("Thank you, {{ donor.name | default('friend') }}!")
    named, unnamed = letter(claim(mailing=mailing)), letter(claim(mailing=mailing, name=""))
    assert (named["Subject"], unnamed["Subject"]) == ("Desks for Ada", "Desks for you")
    for body in bodies(named):
        assert "Thank you, Ada!" in body
    for body in bodies(unnamed):
        assert "Thank you, friend!" in body


def test_a_letter_is_composed_once_and_filled_for_each() -> None:
    desk, mailing = Desk(), merged("Thank you, {{ donor.name }}!")
    first = desk.write(claim(mailing=mailing), NOON).message
    mailing.text("en", "en").body = "Another text."
    second = desk.write(claim(mailing=mailing, name="Grace"), NOON).message
    assert b"Thank you, " in second
    assert b"Grace!" in second.replace(b"=\r\n", b"")
    assert b"Grace" not in first


@pytest.mark.parametrize(
    "name",
    ["<script>x</script>", "a\r\nBcc: x@example.org", "**b** [x](javascript:y)", "{{ donor.name }}",
     "\ue0f0token\ue0f1", "=?utf-8?q?x?="],
)  # fmt: skip
def test_whatever_a_name_says_is_words_in_each_part(name: str) -> None:
    found = letter(claim(mailing=merged("Thank you, {{ donor.name }}!"), name=name))
    plain, rich = bodies(found)
    assert " ".join(name.split()) in plain
    assert "<script>" not in rich
    assert "<strong>" not in rich
    assert found["Bcc"] is None
    assert plain.count("tok") == 2 + 3 * name.count("tok")


def test_the_first_words_in_a_list_of_letters_have_no_marks() -> None:
    rich = bodies(letter(claim(mailing=merged("x " * 45 + "{{ donor.name }} and on."))))[1]
    assert "\ue0f0" not in rich
    assert "\ue0f1" not in rich


def test_a_preview_names_whom_it_is_shown_for() -> None:
    words = ("For {{ donor.name }}", "Hi {{ donor.name | default('you') }}.")
    found = preview(make.update(), words, "en", NOON, "<b>Ada</b>")
    assert found.subject == "For <b>Ada</b>"
    assert "Hi <b>Ada</b>." in found.plain
    assert "Hi &lt;b&gt;Ada&lt;/b&gt;." in found.html
    assert "Hi you." in preview(make.update(), words, "en", NOON).plain


@pytest.mark.parametrize(("locale", "subject"), [("en", "AD: Help"), ("zh-Hans", "【广告】帮忙")])
def test_what_advertises_says_so_in_its_subject_alone(locale: str, subject: str) -> None:
    make.organisation(ad_appeals=True)
    appeal = make.update(kind=UpdateKind.APPEAL)
    appeal.text("en", "en").title, appeal.text("zh-Hans", "en").title = "Help", "帮忙"
    found = letter(claim(mailing=make.mailing(appeal), locale=locale))
    assert found["Subject"] == subject
    assert not any("AD:" in body or "广告" in body for body in bodies(found))


def test_other_kinds_say_nothing_of_it() -> None:
    make.organisation(ad_appeals=True)
    assert letter(claim(mailing=make.mailing()))["Subject"] == "The first desks have arrived"


def test_a_test_letter_is_the_update_as_it_stands() -> None:
    update = make.update()
    update.text("en", "en").body = "Hi {{ donor.name }} of {{ campaign.title }}."
    db.session.commit()
    found = letter(replace(claim(LetterKind.TEST), occasion=f"test:{update.id}:en:1"))
    assert found["Subject"] == "Test: The first desks have arrived"
    assert found["List-Unsubscribe"] is None
    for body in bodies(found):
        assert "Hi Ada of After school." in body
        assert "Nobody else gets it" in body


EVERYTHING = """# Desks

Sixteen **desks** for {{ donor.name | default("you") }}, see [the photos](https://e.org/p?a=1&b=2).

{{ campaign.progress }}

{{ campaign.figures }}

{{ campaign.milestones }}

> well & good <1>

- one
- two

| a | b |
|---|---|
| 1 | 2 |

![A desk](/images/desk.png)"""


@pytest.mark.parametrize("locale", ["zh-Hans", "en"])
def test_all_that_the_html_says_stands_in_the_text(locale: str) -> None:
    campaign = make.campaign()
    make.report(make.listing(campaign), 15_000_000, NOON)
    update = make.update(campaign, published_at=NOON)
    live = Live(campaign, NOON).body(EVERYTHING, locale)
    mailing = make.mailing(update)
    mailing.text(locale, "en").body = live
    plain, rich = bodies(letter(claim(mailing=mailing, locale=locale)))
    assert missing(plain, rich) == []
    assert "[A desk]" in plain


def test_the_html_keeps_its_dark_colours_and_stands_in_tables() -> None:
    rich = bodies(letter(claim(mailing=make.mailing())))[1]
    assert "@media (prefers-color-scheme: dark)" in rich
    assert rich.count("<style") == 1
    assert rich.count('role="presentation"') == rich.count("<table") >= 3
    assert rich.count("<div") == 1  # the first words, for lists of letters
    assert 'style="' in rich.partition("<h1")[2].partition(">")[0]
