"""What staff are written about a listing: what happened, since when, and what to do."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask

from campaigns.composition import Desk
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.model.delivery import Claim, LetterKind
from campaigns.model.listing import Listing, PollFailure
from campaigns.model.report import ReportState
from tests import make

# Letters name the year unless it is this one.
NOON = make.NOON.replace(year=datetime.now(UTC).year)


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    listing = make.listing()
    make.report(listing, 4_530_050, NOON)
    failure = PollFailure(
        listing_id=listing.id,
        at=NOON + timedelta(hours=1),
        condition="Unreadable",
        reason="A field is missing: data.sum_money",
    )
    db.session.add(failure)
    db.session.commit()
    return listing


def letter(what: str, about: int | str, locale: str) -> tuple[str, str, str]:
    """Its subject, and its text as plain and as HTML, each as one line."""
    claim = Claim(
        id=7,
        by="me",
        token="tok",
        letter=LetterKind.ALERT,
        occasion=f"alert:{what}:{about}:202611221205",
        mailing_id=None,
        campaign_id=None,
        entry_id=None,
        locale=locale,
        to=Mailbox("Lin", Address.parse("lin@example.org")),
        attempts=0,
        expires_at=NOON,
    )
    message = message_from_bytes(Desk().write(claim, NOON).message, policy=policy.default)
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    plain, html = (" ".join(part.get_content().split()) for part in parts if part)
    return str(message["Subject"]), plain, html


SAID = {
    "due": (
        "To enter from Tencent Charity: “After school”",
        "is of 22 November, 12:00, and nobody",
    ),
    "quarantined": (
        "A figure from Tencent Charity is held: “After school”",
        "was held, and has been decided about since.",
    ),
    "stale": ("No newer figure from Tencent Charity: “After school”", "is of 22 November, 12:00."),
    "broken": (
        "No figure from Tencent Charity: “After school”",
        "What went wrong last: A field is missing: data.sum_money",
    ),
    "refused": ("Tencent Charity refuses to be asked: “After school”", "enter its figure by hand"),
    "recovered": ("Figures from Tencent Charity again: “After school”", "newest, of 22 November"),
}
SAID_IN_CHINESE = {
    "due": ("请录入腾讯公益的数字：“放学以后”", "的数字还是 11 月 22 日 12:00 的"),
    "quarantined": ("腾讯公益有数字待核：“放学以后”", "现在已有结论"),
    "stale": ("腾讯公益没有新的数字：“放学以后”", "的数字还是 11 月 22 日 12:00 的。"),
    "broken": ("腾讯公益给不出数字：“放学以后”", "最近一次的原因：缺少字段：data.sum_money"),
    "refused": ("腾讯公益不接受查询：“放学以后”", "今后请手工录入它的数字。"),
    "recovered": ("腾讯公益的数字恢复了：“放学以后”", "11 月 22 日 12:00"),
}


@pytest.mark.parametrize("what", SAID)
def test_a_letter_says_what_happened_and_leads_to_the_listing(listing: Listing, what: str) -> None:
    for locale, said in (("en", SAID[what]), ("zh-Hans", SAID_IN_CHINESE[what])):
        subject, plain, html = letter(what, listing.id, locale)
        assert subject == said[0]
        for text in (plain, html):
            assert said[1] in text
            path = "/staff/figures" if what == "due" else f"/staff/listings/{listing.id}"
            assert path in text


def test_a_figure_that_is_stale_because_a_newer_one_is_held_is_told_so(listing: Listing) -> None:
    hour = timedelta(hours=1)
    make.report(listing, 3_102_000, NOON + hour, state=ReportState.QUARANTINED)
    _, plain, html = letter("stale", listing.id, "en")
    for text in (plain, html):
        assert "A newer one was held: please look at it and decide." in text
        assert "enter its figure by hand" not in text


def test_a_figure_that_is_held_is_told_with_the_reason(listing: Listing) -> None:
    fell = "The figure fell from 45300.50 CNY to 31020.00 CNY."
    hour, quarantined = timedelta(hours=1), ReportState.QUARANTINED
    make.report(listing, 3_102_000, NOON + hour, state=quarantined, reason=fell)
    _, plain, _ = letter("quarantined", listing.id, "en")
    assert "The figure fell from ¥45,300.50 to ¥31,020.00." in plain
    assert "The last confirmed one, of 22 November, 12:00, stays public" in plain


@pytest.mark.parametrize("what", SAID)
def test_one_letter_names_several_listings(listing: Listing, what: str) -> None:
    other = make.listing(platform="alipay")
    about = f"{listing.id}.{other.id}+3"
    for locale, names, more in (
        ("en", ("Tencent Charity: “After school”", "Alipay Charity: “After school”"), "and 3 more"),
        ("zh-Hans", ("腾讯公益：“放学以后”", "支付宝公益：“放学以后”"), "另有 3 个"),
    ):
        subject, plain, html = letter(what, about, locale)
        assert "5" in subject
        for text in (plain, html):
            assert all(name in text for name in (*names, more))
            path = "/staff/figures" if what in ("due", "refused") else "/staff/"
            assert path in text
        assert f"- {names[0]}" in plain


def test_a_letter_about_a_listing_without_a_figure_names_no_moment(app: Flask) -> None:
    listing = make.listing()
    for what in SAID:
        _, plain, _ = letter(what, listing.id, "en")
        assert "—" not in plain


def test_a_listing_that_is_gone_still_makes_a_letter(app: Flask) -> None:
    subject, plain, _ = letter("broken", 999, "en")
    assert subject == "Something needs you"
    assert "The staff pages say what." in plain


def test_a_title_is_inert(listing: Listing) -> None:
    campaign = db.session.get_one(Listing, listing.id).campaign_id
    title = "<b>After & school</b>"
    for text in db.session.get_one(type(make.campaign()), campaign).texts:
        text.title = title
    db.session.commit()
    subject, plain, html = letter("stale", listing.id, "en")
    assert title in subject
    assert title in plain
    assert title not in html
