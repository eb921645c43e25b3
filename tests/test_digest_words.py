"""What a digest says: what was approved, in its reader's language, the same each time."""

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask

from campaigns import digested, mailings
from campaigns.composition import Desk
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.update import UpdateKind, UpdateText
from tests import make
from tests.digesting import JANUARY, MORNING, in_hand, mailed, reader, written

DAY = timedelta(days=1)
LONG = "Sixteen desks. " + "They are of beech. " * 40 + "The end of it."


@pytest.fixture(autouse=True)
def _ours(app: Flask) -> None:
    make.our_organisation()


@pytest.fixture
def digest(app: Flask) -> Delivery:
    """Of two updates of a campaign, and an issue."""
    update = make.update(make.campaign("after-school", target_minor=100_00))
    make.report(make.listing(db.session.get(Campaign, update.campaign_id)), 50_00, JANUARY)
    second = make.update(db.session.get(Campaign, update.campaign_id))
    second.texts = [
        UpdateText(locale="en", title="Dear {{ donor.name }}, *lamps*", body=LONG),
        UpdateText(locale="zh-Hans", title="灯", body="亮了。"),
    ]
    issue = make.update(kind=UpdateKind.ISSUE, campaign_id=None, number=1)
    issue.texts = [UpdateText(locale="en", title="Spring", body="One.\n\n## More\n\nTwo.")]
    make.consent(reader(update))
    mailed(update)
    mailed(second, JANUARY + DAY)
    mailed(issue, JANUARY + 2 * DAY)
    return written()[0]


def letter(digest: Delivery, locale: str = "en") -> EmailMessage:
    message = message_from_bytes(
        Desk().write(in_hand(digest, locale), MORNING).message, policy=policy.default
    )
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def test_it_tells_each_update_with_its_page_and_where_the_campaign_stands(
    digest: Delivery,
) -> None:
    message = letter(digest)
    plain = part(message, "plain")
    assert message["Subject"] == "January 2026: what came of it"
    assert "The first desks have arrived" in plain
    assert "15 January: Sixteen desks." in plain
    first = db.session.get_one(Mailing, digested.contents(in_hand(digest))[0])
    assert f"/c/after-school/updates/{first.update_id}" in plain
    assert "¥50.00 of ¥100 raised (50%)" in plain
    assert "as of 15 January" in plain
    assert "one letter a month" in plain


def test_of_an_update_it_tells_the_beginning_and_nobodys_name(digest: Delivery) -> None:
    plain, html = part(letter(digest), "plain"), part(letter(digest), "html")
    assert "They are of beech" in plain
    assert "The end of it" not in plain + html
    assert "Dear friend, *lamps*" in plain
    assert "Dear friend, *lamps*" in html


def test_it_tells_an_issue_with_its_page(digest: Delivery) -> None:
    plain = part(letter(digest), "plain")
    assert "Our newsletter (http://localhost/en/newsletter) Spring" in plain
    assert "Read all of it (http://localhost/en/newsletter/1)" in plain


def test_it_is_in_its_readers_language(digest: Delivery) -> None:
    message = letter(digest, "zh-Hans")
    assert message["Subject"] == "2026 年 1 月：捐款带来了什么"
    assert "第一批书桌到了" in part(message, "plain")
    assert "/c/after-school/updates/" in part(message, "html")


def test_one_click_leaves_it(digest: Delivery) -> None:
    message = letter(digest)
    assert message["List-Unsubscribe"] == "<http://localhost/unsubscribe/tok>"
    assert "/preferences/tok" in part(message, "plain")


def test_another_try_says_the_same_whatever_was_changed_since(digest: Delivery) -> None:
    before = part(letter(digest), "plain")
    campaign = db.session.query(Campaign).filter_by(slug="after-school").one()
    make.report(campaign.listings[0], 99_00, MORNING)
    for text in db.session.query(UpdateText):
        text.body = "Something that nobody approved."
    db.session.commit()
    assert part(letter(digest), "plain") == before


def test_what_its_reader_left_meanwhile_is_not_told(digest: Delivery) -> None:
    make.consent(db.session.get_one(Donor, digest.donor_id), given=False)
    plain = part(letter(digest), "plain")
    assert "The first desks have arrived" in plain
    assert "Spring" not in plain


def test_those_who_read_the_same_share_what_is_rendered(digest: Delivery) -> None:
    update = make.update()
    for _ in range(2):
        reader(update)
    mailed(update, MORNING)
    desk = Desk()
    for one in written(MORNING + 30 * DAY):
        desk.write(in_hand(one), MORNING)
    assert len(desk._shared) == 2


def test_what_nobody_approved_is_in_no_digest() -> None:
    update = make.update()
    reader(update)
    draft = mailings.draft(update, {"campaign": update.campaign_id}, make.staff(), JANUARY)
    mailings.submit(draft, make.staff(), JANUARY)
    assert written() == []
