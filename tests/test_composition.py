"""What each letter says, in both languages, as text and as HTML."""

import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask

from campaigns.composition import Desk, preview
from campaigns.db import db
from campaigns.mail.verp import delivery_behind
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import LetterKind
from campaigns.model.update import UpdateKind
from config import settings
from tests import make
from tests.composed import bodies, claim, gift, letter
from tests.mailing import reached_by
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
LINKS = {
    LetterKind.THANKS: "/unsubscribe/tok",
    LetterKind.CONFIRM: "/follow/confirm/tok",
    LetterKind.RESET: "/staff/reset/tok",
    LetterKind.ALERT: "/staff/",
}


def test_an_update_speaks_the_language_of_who_reads_it() -> None:
    make.organisation()
    mailing = make.mailing()
    english = letter(claim(mailing=mailing))
    chinese = letter(claim(mailing=mailing, locale="zh-Hans"))
    assert english["Subject"] == "The first desks have arrived"
    assert chinese["Subject"] == "第一批书桌到了"
    assert "Dear Ada," in bodies(english)[0]
    assert "十六张书桌。" in bodies(chinese)[0]
    assert "十六张书桌。" in bodies(chinese)[1]


def test_a_language_nobody_wrote_falls_back_to_one_that_is_there() -> None:
    assert letter(claim(mailing=make.mailing(), locale="fr"))["Subject"] == "第一批书桌到了"


def test_who_has_no_name_is_greeted_without_one() -> None:
    assert "Hello," in bodies(letter(claim(mailing=make.mailing(), name="")))[0]


def test_a_name_is_inert_in_html_and_in_headers() -> None:
    hostile = "<script>alert(1)</script>\r\nBcc: x@example.org"
    found = letter(claim(mailing=make.mailing(), name=hostile))
    assert found["Bcc"] is None
    assert "<script>" not in bodies(found)[1]


def test_text_and_html_say_the_same_and_lead_to_the_same_place() -> None:
    mailing = make.mailing()
    slug = db.session.get_one(Campaign, mailing.update.campaign_id).slug
    for body in bodies(letter(claim(mailing=mailing))):
        for words in ("Sixteen desks.", f"/en/c/{slug}", "/unsubscribe/tok", "After school"):
            assert words in body


def test_the_sender_frozen_at_approval_signs_the_letter() -> None:
    make.organisation(sender="New <new@example.net>")
    mailing = make.mailing(sender="Old <old@example.org>", reply_to="ask@example.org")
    written = Desk().write(claim(mailing=mailing), NOON)
    found = message_from_bytes(written.message, policy=policy.default)
    assert (found["From"], found["Reply-To"]) == ("Old <old@example.org>", "ask@example.org")
    assert delivery_behind(written.sender, settings().address_pepper) == 7
    assert found["Message-ID"].endswith("@example.org>")


def test_the_same_claim_gives_the_same_octets() -> None:
    mailing = make.mailing()
    assert Desk().write(claim(mailing=mailing), NOON) == Desk().write(claim(mailing=mailing), NOON)


def test_leaving_by_one_click_uses_the_public_address(app: Flask) -> None:
    with reached_by(app, "https://give.example.org"):
        found = letter(claim(mailing=make.mailing()))
    assert found["List-Unsubscribe"] == "<https://give.example.org/unsubscribe/tok>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("kind", [LetterKind.CONFIRM, LetterKind.RESET, LetterKind.ALERT])
def test_a_service_letter_cannot_be_left_and_is_no_bulk(kind: LetterKind) -> None:
    found = letter(claim(kind))
    assert not {"List-Unsubscribe", "List-Id", "Precedence"} & set(found.keys())
    assert not any("/unsubscribe/" in body for body in bodies(found))


@pytest.mark.parametrize("locale", ["zh-Hans", "en"])
@pytest.mark.parametrize("kind", sorted(LINKS))
def test_each_letter_carries_its_link_in_both_parts(kind: LetterKind, locale: str) -> None:
    entry = gift() if kind is LetterKind.THANKS else None
    for body in bodies(letter(claim(kind, locale=locale, entry=entry))):
        assert LINKS[kind] in body


@pytest.mark.parametrize(("locale", "amount"), [("en", "¥10.50"), ("zh-Hans", "¥\u202f10.50")])
def test_thanks_name_the_amount_the_day_and_the_campaign(locale: str, amount: str) -> None:
    for body in bodies(letter(claim(LetterKind.THANKS, locale=locale, entry=gift()))):
        assert amount in body
        assert "22" in body
        assert "After school" in body or "放学以后" in body


def test_each_donor_is_thanked_for_their_own_gift() -> None:
    desk, campaign = Desk(), gift(1050)
    other = gift(999)
    other_claim = claim(LetterKind.THANKS, entry=other)
    first = desk.write(claim(LetterKind.THANKS, entry=campaign), NOON).message
    second = desk.write(other_claim, NOON).message
    assert b"10.50" in first
    assert b"10.50" not in second


def test_a_preview_is_the_letter_to_nobody_in_particular() -> None:
    found = preview(make.update(), ("Desks", "**Sixteen** desks."), "en", NOON)
    plain, rich = found.plain, found.html
    assert "Sixteen desks." in plain
    assert "<strong>Sixteen</strong> desks." in rich
    assert "Read this letter in the browser" in plain
    assert "\ue0f0" not in plain + rich


def test_an_update_leads_to_its_public_page_in_both_parts_and_both_languages(app: Flask) -> None:
    long_ago = NOON - timedelta(days=1000)
    mailing = make.mailing(make.update(make.campaign("after-school"), published_at=long_ago))
    client, page = app.test_client(), f"/c/after-school/updates/{mailing.update_id}"
    for locale, prefix in (("en", "/en"), ("zh-Hans", "")):
        for body in bodies(letter(claim(mailing=mailing, locale=locale))):
            assert f"http://localhost{prefix}{page}" in body
        assert client.get(prefix + page).status_code == 200


def test_what_leads_to_the_public_page_names_no_reader() -> None:
    mailing = make.mailing(make.update(published_at=NOON))
    links = re.findall(r"http://localhost\S+", bodies(letter(claim(mailing=mailing)))[0])
    assert [link for link in links if "tok" in link] == [
        "http://localhost/unsubscribe/tok",
        "http://localhost/preferences/tok",
    ]
    assert "?" not in "".join(links)


def test_an_update_says_where_its_list_is_archived(app: Flask) -> None:
    mailing = make.mailing(make.update(make.campaign("after-school"), published_at=NOON))
    with reached_by(app, "https://give.example.org"):
        found = letter(claim(mailing=mailing))
    archive = "https://give.example.org/en/c/after-school/updates"
    assert found["List-Archive"] == f"<{archive}>"
    assert app.test_client().get("/en/c/after-school/updates").status_code == 200


def test_what_was_taken_down_is_not_led_to() -> None:
    found = letter(claim(mailing=make.mailing()))
    assert found["List-Archive"] is None
    assert not any("/updates" in body for body in bodies(found))


@pytest.mark.parametrize("kind", sorted(LINKS))
def test_no_other_letter_has_a_public_page(kind: LetterKind) -> None:
    found = letter(claim(kind, entry=gift() if kind is LetterKind.THANKS else None))
    assert found["List-Archive"] is None
    assert not any("in the browser" in body or "/updates" in body for body in bodies(found))


def test_an_appeal_has_no_public_page() -> None:
    appeal = make.update(kind=UpdateKind.APPEAL, published_at=NOON)
    found = letter(claim(mailing=make.mailing(appeal)))
    assert found["List-Archive"] is None
    assert not any("/updates" in body for body in bodies(found))
