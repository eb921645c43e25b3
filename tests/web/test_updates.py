"""Updates on public pages: each as it was sent, all of a campaign's, and what is not there."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns import mailings
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignSlug, CampaignState
from campaigns.model.mailing import MailingState
from campaigns.model.update import Update, UpdateText
from tests import make
from tests.mailing import HOUR, begin, follower, scheduled

# Long past, whatever the clock of the machine says.
THEN = datetime(2024, 2, 29, 4, tzinfo=UTC)
ALL, CHINESE = "/en/c/after-school/updates", "/c/after-school/updates"


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    make.organisation()
    return make.campaign("after-school")


@pytest.fixture
def sent(campaign: Campaign) -> Update:
    """An update that nobody published by itself, and whose letters went out."""
    update = make.update(campaign, author_id=make.staff(name="Lin Jing").id)
    follower(update)
    scheduled(update, THEN)
    begin(THEN)
    return update


def reword(update: Update, words: str) -> None:
    for text in update.texts:
        text.body = words
    update.changed_at = THEN + 2 * HOUR


def test_what_was_sent_is_public_from_its_hour_on(client: FlaskClient, sent: Update) -> None:
    page = client.get(f"{ALL}/{sent.id}").text
    assert "The first desks have arrived" in page
    assert "Sixteen desks." in page
    assert "Lin Jing" in page
    assert "Dear" not in page
    assert "/unsubscribe/" not in page
    assert f'hreflang="zh-Hans" href="{CHINESE}/{sent.id}"' in page
    assert "十六张书桌。" in client.get(f"{CHINESE}/{sent.id}").text
    assert f"{ALL}/{sent.id}" in client.get("/en/c/after-school").text


def test_what_was_sent_stands_as_it_was_sent(client: FlaskClient, sent: Update) -> None:
    reword(sent, "Seventeen desks.")
    for path in (f"{ALL}/{sent.id}", "/en/c/after-school", ALL, "/en/feed.atom"):
        page = client.get(path).text
        assert "Sixteen desks." in page, path
        assert "Seventeen" not in page, path


def test_what_is_sent_again_in_other_words_stands_in_those(
    client: FlaskClient, sent: Update
) -> None:
    reword(sent, "Seventeen desks.")
    scheduled(sent, THEN + HOUR)
    assert "Sixteen" in client.get(f"{ALL}/{sent.id}").text
    begin(THEN + HOUR)
    assert "Seventeen" in client.get(f"{ALL}/{sent.id}").text


def test_what_was_never_mailed_stands_as_it_is_written(
    client: FlaskClient, campaign: Campaign
) -> None:
    update = make.update(campaign, published_at=THEN)
    reword(update, "Seventeen desks.")
    assert "Seventeen" in client.get(f"{ALL}/{update.id}").text


@pytest.mark.parametrize(
    "state",
    [
        MailingState.DRAFT,
        MailingState.IN_REVIEW,
        MailingState.APPROVED,
        MailingState.SCHEDULED,
        MailingState.CANCELLED,
        MailingState.MISSED,
    ],
)
def test_what_was_not_sent_is_not_there(
    client: FlaskClient, campaign: Campaign, state: MailingState
) -> None:
    update = make.update(campaign)
    make.mailing(update, state=state, started_at=None)
    assert client.get(f"{ALL}/{update.id}").status_code == 404
    assert f"/updates/{update.id}" not in client.get(ALL).text
    assert "Sixteen" not in client.get("/en/feed.atom").text


def test_what_was_cancelled_while_it_went_out_is_gone(client: FlaskClient, sent: Update) -> None:
    make.mailing(sent, started_at=sent.published_at)
    mailing = scheduled(sent, THEN + HOUR)
    mailings.cancel(mailing, None, THEN)
    assert client.get(f"{ALL}/{sent.id}").status_code == 200
    begun = make.mailing(make.update(db.session.get(Campaign, sent.campaign_id)), started_at=THEN)
    begun.update.published_at = begun.started_at
    assert client.get(f"{ALL}/{begun.update_id}").status_code == 200
    mailings.cancel(begun, None, THEN)
    assert client.get(f"{ALL}/{begun.update_id}").status_code == 410
    assert f"/updates/{begun.update_id}" not in client.get(ALL).text


def test_what_was_published_before_a_cancelled_mailing_stays(
    client: FlaskClient, campaign: Campaign
) -> None:
    update = make.update(campaign, published_at=THEN - HOUR)
    mailing = make.mailing(update)
    mailing.texts[0].body = mailing.texts[1].body = "A slip of the pen."
    assert "slip" in client.get(f"{ALL}/{update.id}").text
    mailings.cancel(mailing, None, THEN)
    page = client.get(f"{ALL}/{update.id}").text
    assert "Sixteen desks." in page
    assert "slip" not in page


def test_what_was_sent_and_taken_down_is_gone(client: FlaskClient, sent: Update) -> None:
    sent.published_at = None
    assert client.get(f"{ALL}/{sent.id}").status_code == 410
    assert client.get(f"{ALL}/{sent.id + 1}").status_code == 404
    make.campaign("other")
    assert client.get(f"/c/other/updates/{sent.id}").status_code == 404


@pytest.mark.parametrize("path", [f"{ALL}/{{id}}", ALL, "/en/c/after-school/feed.atom"])
def test_of_a_campaign_that_is_not_public_nothing_is(
    client: FlaskClient, campaign: Campaign, sent: Update, path: str
) -> None:
    path = path.format(id=sent.id)
    assert client.get(path).status_code == 200
    campaign.state = CampaignState.DRAFT
    assert client.get(path).status_code == 404
    assert "Sixteen" not in client.get("/en/feed.atom").text


def test_a_text_in_another_language_says_so(client: FlaskClient, campaign: Campaign) -> None:
    update = make.update(campaign, published_at=THEN)
    update.texts = [UpdateText(locale="zh-Hans", title="书桌到了", body="十六张。")]
    page = client.get(f"{ALL}/{update.id}").text
    assert "This update was written in Chinese only." in page
    assert '<h1 lang="zh-Hans">书桌到了</h1>' in page
    assert "lang=" not in client.get(f"{CHINESE}/{update.id}").text.partition("<h1")[2][:20]


def test_the_head_says_what_the_page_is(client: FlaskClient, sent: Update) -> None:
    head = client.get(f"{ALL}/{sent.id}").text.partition("</head>")[0]
    for line in (
        '<meta property="og:type" content="article">',
        '<meta property="og:title" content="The first desks have arrived">',
        '<meta property="og:description" content="Sixteen desks.">',
        '<meta property="og:locale" content="en_GB">',
        '<meta property="article:published_time" content="2024-02-29T04:00:00Z">',
        f'<link rel="canonical" href="http://localhost{ALL}/{sent.id}">',
        'href="/en/c/after-school/feed.atom"',
        'href="/en/feed.atom"',
    ):
        assert line in head, line


def test_each_update_ends_with_the_form_to_follow(
    client: FlaskClient, campaign: Campaign, sent: Update
) -> None:
    page = client.get(f"{ALL}/{sent.id}").text
    assert page.index("Sixteen desks.") < page.index('id="follow"') < page.index("</article>")
    campaign.state = CampaignState.CLOSED
    assert 'id="follow"' not in client.get(f"{ALL}/{sent.id}").text


@pytest.mark.parametrize("path", [f"{ALL}/{{id}}", ALL])
def test_pages_are_kept_as_others_are_and_set_no_cookie(
    client: FlaskClient, sent: Update, path: str
) -> None:
    path = path.format(id=sent.id)
    answer = client.get(path)
    assert answer.headers["Cache-Control"] == "public, max-age=3"
    assert "Set-Cookie" not in answer.headers
    known = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert known.status_code == 304


def test_an_old_address_leads_to_the_current_one(client: FlaskClient, sent: Update) -> None:
    campaign = db.session.get_one(Campaign, sent.campaign_id)
    campaign.slug = "study-room"
    db.session.add(CampaignSlug(slug="study-room", campaign_id=campaign.id))
    moved = client.get(f"{ALL}/{sent.id}")
    assert (moved.status_code, moved.location) == (301, f"/en/c/study-room/updates/{sent.id}")
    moved = client.get(f"{ALL}/page/2")
    assert (moved.status_code, moved.location) == (301, "/en/c/study-room/updates/page/2")


def many(campaign: Campaign, number: int) -> list[Update]:
    return [
        make.update(campaign, published_at=THEN - timedelta(days=number - day))
        for day in range(number)
    ]


def test_all_updates_stand_in_pages_the_newest_first(
    client: FlaskClient, campaign: Campaign
) -> None:
    updates = many(campaign, 21)
    first, second = client.get(ALL).text, client.get(f"{ALL}/page/2").text
    assert f'{ALL}/{updates[20].id}"' in first
    assert f'{ALL}/{updates[0].id}"' not in first
    assert f'{ALL}/{updates[0].id}"' in second
    assert "1 to 20 of 21" in first
    assert f'rel="next" href="{ALL}/page/2"' in first
    assert f'rel="prev" href="{ALL}"' in second
    for nowhere in ("/page/1", "/page/3", "/page/0", "/page/x"):
        assert client.get(ALL + nowhere).status_code == 404


def test_a_campaign_without_updates_has_an_empty_list(
    client: FlaskClient, campaign: Campaign
) -> None:
    assert "No update yet" in client.get(ALL).text
