"""Feeds: valid by the grammar of RFC 4287, and what a parser that readers use finds in them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignSlug
from campaigns.model.correction import Cause, Correction
from campaigns.model.update import Update, UpdateText
from campaigns.web import atom, recent
from tests import make
from tests.mailing import reached_by

# Long past, whatever the clock of the machine says.
THEN = datetime(2024, 2, 29, 4, tzinfo=UTC)
OWN, OWN_CHINESE = "/en/c/after-school/feed.atom", "/c/after-school/feed.atom"
FEEDS = ["/feed.atom", "/en/feed.atom", OWN, OWN_CHINESE]
GRAMMAR = Path(__file__).parents[1] / "vectors/atom.rng"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    make.organisation()
    return make.campaign("after-school")


def told(campaign: Campaign, at: datetime = THEN, **more: Any) -> Update:
    return make.update(campaign, published_at=at, changed_at=at, **more)


def checked(document: bytes) -> Any:
    """What feedparser makes of a feed, which follows the grammar and the rules beside it."""
    tree = etree.fromstring(document)
    etree.RelaxNG(etree.parse(GRAMMAR)).assertValid(tree)
    for holder in (tree, *tree.iter(f"{ATOM}entry")):
        alternates = [
            (link.get("type"), link.get("hreflang"))
            for link in holder.findall(f"{ATOM}link")
            if link.get("rel") == "alternate"
        ]
        assert len(alternates) == len(set(alternates)) > 0  # RFC 4287 §4.1.1 and §4.1.2
    ids = [one.text for one in tree.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids))
    found = feedparser.parse(document)
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == "atom10"
    return found


def read(client: FlaskClient, path: str = OWN) -> Any:
    return checked(client.get(path).data)


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_holds_the_whole_updates(client: FlaskClient, campaign: Campaign, path: str) -> None:
    update = told(campaign, author_id=make.staff(name="林静").id)
    found, english = read(client, path), "/en" in path
    entry = found.entries[0]
    assert found.feed.language == ("en" if english else "zh-Hans")
    assert entry.title == ("The first desks have arrived" if english else "第一批书桌到了")
    words = "Sixteen desks." if english else "十六张书桌。"
    assert entry.content[0].value == f"<p>{words}</p>"
    assert entry.content[0].type == "text/html"
    assert entry.summary == words
    assert entry.author == "林静"
    assert entry.published == entry.updated == "2024-02-29T04:00:00Z"
    assert client.get(entry.link).status_code == 200
    assert entry.link.endswith(f"/c/after-school/updates/{update.id}")
    assert found.feed.author == ("Facilitators" if english else "协作者")


def test_a_feed_says_where_it_is_and_how_to_keep_it(
    client: FlaskClient, campaign: Campaign
) -> None:
    answer = client.get(OWN)
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert answer.headers["Cache-Control"] == recent.CACHING
    assert "Set-Cookie" not in answer.headers
    links = {(link.rel, link.type): link.href for link in checked(answer.data).feed.links}
    assert links == {
        ("self", atom.TYPE): f"http://localhost{OWN}",
        ("alternate", "text/html"): "http://localhost/en/c/after-school",
        ("alternate", atom.TYPE): f"http://localhost{OWN_CHINESE}",
    }


def test_what_is_not_an_update_is_not_in_it(client: FlaskClient, campaign: Campaign) -> None:
    listing = make.listing(campaign)
    make.report(listing, 1_000_000, THEN)
    db.session.add(
        Correction(
            listing_id=listing.id,
            at=THEN,
            cause=Cause.VERDICT,
            before_minor=1_000_000,
            after_minor=900_000,
            currency="CNY",
            reason="Counted twice.",
        )
    )
    told(campaign, datetime.now(UTC) + timedelta(days=1))
    make.update(campaign)
    for path in FEEDS:
        assert read(client, path).entries == []


def test_the_feed_of_all_has_every_campaigns_and_a_campaigns_its_own(
    client: FlaskClient, campaign: Campaign
) -> None:
    other = make.campaign("other")
    mine, theirs = told(campaign), told(other, THEN + timedelta(hours=1))
    every = [entry.link.rpartition("/")[2] for entry in read(client, "/en/feed.atom").entries]
    assert every == [str(theirs.id), str(mine.id)]
    assert [entry.tags[0].term for entry in read(client).entries] == ["after-school"]


def test_ids_stay_wherever_the_service_moves(
    app: Flask, client: FlaskClient, campaign: Campaign
) -> None:
    told(campaign)
    before = read(client)
    campaign.slug = "study-room"
    db.session.add(CampaignSlug(slug="study-room", campaign_id=campaign.id))
    with reached_by(app, "https://give.example.org"):
        after = read(client, "/en/c/study-room/feed.atom")
    assert after.entries[0].link.startswith("https://give.example.org/en/c/study-room/")
    assert after.entries[0].id == before.entries[0].id
    assert before.entries[0].id.startswith("urn:uuid:")


def test_no_two_feeds_or_languages_share_an_id(client: FlaskClient, campaign: Campaign) -> None:
    told(campaign)
    found = [read(client, path) for path in FEEDS]
    assert len({feed.feed.id for feed in found}) == 4
    assert len({feed.entries[0].id for feed in found}) == 2


def test_what_somebody_wrote_is_inert(client: FlaskClient, campaign: Campaign) -> None:
    hostile = "]]></title><script>alert(1)</script>\r\nX: y\x07\x85 &lt;b&gt;"
    campaign.texts[0].title = campaign.texts[1].title = hostile
    update = told(campaign)
    update.texts = [
        UpdateText(locale="en", title=hostile, body="<script>1</script>\x0b[x](javascript:alert)")
    ]
    client.get(OWN)
    tree = etree.fromstring(client.get(OWN).data)
    title, content = tree.findtext(f".//{ATOM}entry/{ATOM}title"), tree.find(f".//{ATOM}content")
    assert title == "]]></title><script>alert(1)</script> X: y &lt;b&gt;"
    assert content is not None
    assert "script" not in (content.text or "")
    assert len(read(client).entries) == 1


@given(st.text())
def test_whatever_is_written_the_document_is_one(words: str) -> None:
    entry = atom.Entry(
        id="urn:uuid:0", title=words, url="http://localhost/1", lang="en", published=THEN,
        updated=THEN, author=words, summary=words, html=words, category=("a", words),
    )  # fmt: skip
    feed = atom.Feed(
        id="urn:uuid:1", title=words, subtitle=words, lang="en", url="http://localhost/feed.atom",
        home="http://localhost/", other=("zh-Hans", "http://localhost/zh/feed.atom"), author="We",
        author_url="http://localhost/", updated=THEN, pages={}, entries=[entry],
    )  # fmt: skip
    tree = etree.fromstring(atom.document(feed))
    said = tree.findtext(f"{ATOM}title")
    assert said is not None
    assert not set(said) & {"\r", "\n"}
    assert [node.tag for node in tree.iter(f"{ATOM}entry")] == [f"{ATOM}entry"]


def test_a_text_in_another_language_says_which(client: FlaskClient, campaign: Campaign) -> None:
    update = told(campaign)
    update.texts = [UpdateText(locale="zh-Hans", title="书桌到了", body="十六张。")]
    assert b'<entry xml:lang="zh-Hans">' in client.get(OWN).data
    assert b"<entry>" in client.get(OWN_CHINESE).data
    read(client)


def test_who_has_the_feed_is_told_that_nothing_changed(
    client: FlaskClient, campaign: Campaign
) -> None:
    update = told(campaign)
    first = client.get(OWN)
    assert first.headers["Last-Modified"] == "Thu, 29 Feb 2024 04:00:00 GMT"
    for known in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        assert client.get(OWN, headers=known).status_code == 304
        update.texts[1].body, update.changed_at = "Seventeen.", THEN + timedelta(hours=1)
        assert client.get(OWN, headers=known).status_code == 200
        update.texts[1].body, update.changed_at = "Sixteen desks.", THEN


def test_a_kept_feed_knows_who_has_it_by_tag_and_by_date(
    app: Flask, client: FlaskClient, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.extensions["recent"], "seconds", 60)
    monkeypatch.setattr(app.extensions["recent"], "_answers", {})
    first = client.get(OWN)
    date = first.headers["Last-Modified"]
    again = client.get(OWN, headers={"If-Modified-Since": date})
    assert (again.status_code, again.data) == (304, b"")
    stale = {"If-Modified-Since": date, "If-None-Match": '"other"'}
    assert client.get(OWN, headers=stale).status_code == 200


def test_a_change_is_an_update_of_its_entry(client: FlaskClient, campaign: Campaign) -> None:
    update = told(campaign)
    before = read(client)
    update.changed_at = THEN + timedelta(hours=3)
    after = read(client)
    assert after.entries[0].updated == after.feed.updated == "2024-02-29T07:00:00Z"
    assert after.entries[0].published == before.entries[0].published
    assert after.entries[0].id == before.entries[0].id


def test_what_was_told_longer_ago_stands_on_further_pages(
    client: FlaskClient, campaign: Campaign
) -> None:
    for days in range(41):
        told(campaign, THEN - timedelta(days=days))
    seen: list[str] = []
    path: str | None = OWN
    while path:
        found = read(client, path)
        seen += [entry.id for entry in found.entries]
        rels = {link.rel: link.href for link in found.feed.links}
        assert rels["last"].endswith("/c/after-school/feed/3.atom")
        path = rels.get("next")
    assert len(seen) == len(set(seen)) == 41
    for nowhere in ("feed/1.atom", "feed/4.atom"):
        assert client.get(f"/en/c/after-school/{nowhere}").status_code == 404


def test_an_installation_without_campaigns_has_a_feed_too(client: FlaskClient) -> None:
    assert read(client, "/feed.atom").feed.updated == "1970-01-01T00:00:00Z"
    assert client.get("/c/nowhere/feed.atom").status_code == 404


def test_pages_say_where_their_feeds_are(client: FlaskClient, campaign: Campaign) -> None:
    for path in ("/en/", "/en/c/after-school", "/en/c/after-school/updates"):
        head = client.get(path).text.partition("</head>")[0]
        assert 'type="application/atom+xml" title="Updates of all campaigns"' in head
        assert (f'href="{OWN}"' in head) == ("after-school" in path)
    assert f'href="{OWN}"' not in client.get("/en/").text
    told(campaign)
    page = client.get("/en/c/after-school").text
    assert f'<a href="{OWN}"' in page
    assert '<a href="/en/c/after-school/updates">' in page
