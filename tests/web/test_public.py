"""What anybody may read: the list of campaigns, a campaign, its updates, the same as data."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns import ledger
from campaigns.db import db
from campaigns.model.campaign import CampaignSlug, CampaignState, CampaignText
from campaigns.model.correction import Cause, Correction
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Asking, Listing
from campaigns.model.report import Origin, Report, ReportState
from tests import make

NOW = datetime.now(UTC).replace(microsecond=0)
ENGLISH, CHINESE = "/en/c/after-school", "/c/after-school"


def report(of: Listing, raised: int, at: datetime = NOW, **more: Any) -> None:
    row = Report(
        listing_id=of.id,
        moment=at,
        received_at=at,
        raised_minor=raised,
        currency=of.currency,
        donations=12,
        state=ReportState.ACCEPTED,
        origin=Origin.ASKED,
    )
    for name, value in more.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()


def gift(of: Listing, amount: int = 5000, **more: Any) -> Entry:
    entry = Entry(
        kind=EntryKind.DONATION,
        amount_minor=amount,
        currency=of.currency,
        donations=1,
        campaign_id=of.campaign_id,
        listing_id=of.id,
        source="feed",
        occurred_at=NOW,
        day=NOW.date(),
        booked_at=NOW,
        door=Door.WEBHOOK,
    )
    db.session.add(entry)
    db.session.flush()
    db.session.add(Gift(entry_id=entry.id, **more))
    db.session.commit()
    return entry


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing(make.campaign("after-school"))


def test_a_campaign_shows_its_figure_against_its_target_and_when_it_was_true(
    client: FlaskClient, listing: Listing
) -> None:
    report(listing, 18_642_050)
    page = client.get(ENGLISH).text
    assert "¥186,420.50" in page
    assert "¥300,000" in page
    assert "62%" in page
    assert f'<time datetime="{NOW:%Y-%m-%dT%H:%M:%SZ}">' in page
    assert "Tencent Charity" in page
    assert "up to date" in page


def test_before_the_first_figure_none_is_shown(client: FlaskClient, listing: Listing) -> None:
    page = client.get(ENGLISH).text
    assert "no figure yet" in page
    assert "¥0" not in page


def test_a_held_figure_is_said_to_be_checked_and_the_last_good_one_stands(
    client: FlaskClient, listing: Listing
) -> None:
    report(listing, 1_000_000, NOW - timedelta(minutes=5))
    report(listing, 900_000, state=ReportState.QUARANTINED, reason="It fell.")
    page = client.get(ENGLISH).text
    assert "¥10,000.00" in page
    assert "¥9,000.00" not in page
    assert "figures being checked" in page


def test_a_fallen_figure_says_why(client: FlaskClient, listing: Listing) -> None:
    report(listing, 900_000)
    correction = Correction(
        listing_id=listing.id,
        at=NOW,
        cause=Cause.VERDICT,
        before_minor=1_000_000,
        after_minor=900_000,
        currency="CNY",
        reason="Counted twice by the platform.",
    )
    db.session.add(correction)
    db.session.commit()
    assert "from ¥10,000.00 to ¥9,000.00: Counted twice" in client.get(ENGLISH).text


def test_the_default_language_has_the_plain_address(client: FlaskClient, listing: Listing) -> None:
    assert '<html lang="zh-Hans">' in client.get(CHINESE).text
    assert "放学以后" in client.get(CHINESE).text
    assert '<html lang="en">' in client.get(ENGLISH).text
    own = client.get("/zh/c/after-school")
    assert (own.status_code, own.location) == (302, CHINESE)


def test_each_language_links_to_the_other(client: FlaskClient, listing: Listing) -> None:
    assert f'hreflang="en" href="{ENGLISH}"' in client.get(CHINESE).text
    assert f'hreflang="zh-Hans" href="{CHINESE}"' in client.get(ENGLISH).text


def test_the_organisation_decides_which_language_is_the_default_one(client: FlaskClient) -> None:
    make.organisation(default_locale="en")
    make.campaign("after-school")
    assert '<html lang="en">' in client.get(CHINESE).text
    assert '<html lang="zh-Hans">' in client.get("/zh/c/after-school").text
    assert client.get(ENGLISH).location == CHINESE


def test_a_reader_s_browser_does_not_change_the_page(client: FlaskClient, listing: Listing) -> None:
    chinese = client.get(CHINESE, headers={"Accept-Language": "zh-CN"})
    english = client.get(CHINESE, headers={"Accept-Language": "en"})
    assert chinese.data == english.data
    assert "Vary" not in english.headers


@pytest.mark.parametrize(
    "path", ["/", CHINESE, ENGLISH, "/c/after-school.json", "/feed.atom", "/nowhere"]
)
def test_no_public_page_sets_a_cookie(client: FlaskClient, listing: Listing, path: str) -> None:
    client.set_cookie("staff", "anything", path="/staff")
    answer = client.get(path)
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers


def test_an_old_address_leads_to_the_current_one(client: FlaskClient, listing: Listing) -> None:
    db.session.add(CampaignSlug(slug="study-room", campaign_id=listing.campaign_id))
    for old, new in (("/c/study-room", CHINESE), ("/en/c/study-room", ENGLISH)):
        answer = client.get(old)
        assert (answer.status_code, answer.location) == (301, new)
    assert client.get("/c/study-room.json").location == "/c/after-school.json"


@pytest.mark.parametrize(
    "path", ["/c/secret", "/c/secret.json", "/en/c/secret", "/c/secret/follow"]
)
def test_a_draft_is_not_there(client: FlaskClient, path: str) -> None:
    make.campaign("secret", state=CampaignState.DRAFT)
    assert client.get(path).status_code == 404
    assert client.get("/").text.count("secret") == 0


def test_the_list_has_live_campaigns_before_ended_ones(client: FlaskClient) -> None:
    make.campaign("one", state=CampaignState.ENDED)
    make.campaign("two", state=CampaignState.LIVE)
    page = client.get("/en/").text
    assert 0 < page.index("/en/c/two") < page.index("/en/c/one")
    assert "What we are raising for" in page


def test_an_update_is_public_from_its_moment_on(client: FlaskClient, listing: Listing) -> None:
    campaign = db.session.get_one(type(make.campaign("other")), listing.campaign_id)
    told = make.update(campaign, published_at=NOW - timedelta(days=2))
    later = make.update(campaign, published_at=NOW + timedelta(days=1))
    draft = make.update(campaign)
    page = client.get(ENGLISH).text
    assert "The first desks have arrived" in page
    assert "Sixteen desks." in client.get(f"{ENGLISH}/updates/{told.id}").text
    for hidden in (later, draft):
        assert f"/updates/{hidden.id}" not in page
        assert client.get(f"{ENGLISH}/updates/{hidden.id}").status_code == 404
    assert client.get(f"/c/other/updates/{told.id}").status_code == 404


def test_what_staff_write_is_inert(client: FlaskClient) -> None:
    campaign = make.campaign("after-school")
    campaign.texts = [
        CampaignText(locale="en", title="<script>1</script>", story="<script>2</script>")
    ]
    update = make.update(campaign, published_at=NOW)
    update.texts[0].body = "[x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    page = client.get(ENGLISH).text + client.get(CHINESE).text
    assert "<script>1" not in page
    assert "<script>2" not in page
    assert "javascript:" not in page
    assert "onerror" not in page


def test_givers_are_anonymous_unless_they_and_staff_want_otherwise(
    client: FlaskClient, listing: Listing
) -> None:
    gift(listing, public_name="Ada Quiet", message="unread words")
    gift(listing, public_name="Lin Open", show_name=True, message="fine", moderation="shown")
    gift(listing, public_name="Bad Name", show_name=True, message="rude", moderation="hidden")
    page = client.get(ENGLISH).text
    assert "Lin Open" in page
    assert "fine" in page
    for unwanted in ("Ada Quiet", "unread words", "Bad Name", "rude"):
        assert unwanted not in page


def test_hiding_a_message_shows_at_the_next_rendering(
    client: FlaskClient, listing: Listing
) -> None:
    entry = gift(listing, message="for the window seat", moderation=Moderation.SHOWN)
    assert "window seat" in client.get(ENGLISH).text
    db.session.get_one(Gift, entry.id).moderation = Moderation.HIDDEN
    assert "window seat" not in client.get(ENGLISH).text


def test_a_reversed_gift_is_no_longer_shown(client: FlaskClient, listing: Listing) -> None:
    wrong = gift(listing, 7_777, public_name="Lin Open", show_name=True)
    ledger.reverse(wrong, "booked twice", NOW, None)
    assert "Lin Open" not in client.get(ENGLISH).text


def test_one_gives_where_the_listings_are_while_the_campaign_is_live(
    client: FlaskClient, listing: Listing
) -> None:
    way = f'href="{listing.url}"'
    assert way in client.get(ENGLISH).text
    listing.asking = Asking.ENDED
    assert way not in client.get(ENGLISH).text


def test_the_data_is_exactly_what_was_promised(client: FlaskClient, listing: Listing) -> None:
    report(listing, 18_642_050)
    moment = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    assert client.get("/en/c/after-school.json").json == {
        "slug": "after-school",
        "title": "After school",
        "state": "live",
        "currency": "CNY",
        "target": "300000.00",
        "raised": "186420.50",
        "matched": "0.00",
        "apart": [],
        "as_of": [moment, moment],
        "donations": 12,
        "listings": [
            {
                "platform": "tencent",
                "url": listing.url,
                "raised": "186420.50",
                "currency": "CNY",
                "matched": "0.00",
                "matched_by": [],
                "rule": "reported",
                "as_of": moment,
                "freshness": "fresh",
                "checking": False,
                "asked_every_seconds": 600,
            }
        ],
        "curve": None,
    }


def test_a_campaign_without_a_target_has_none_in_its_data(client: FlaskClient) -> None:
    make.campaign("after-school", target_minor=None)
    data = client.get("/c/after-school.json").json
    assert data is not None
    assert data["target"] is None
    assert data["as_of"] is None
    assert client.get(CHINESE).status_code == 200
