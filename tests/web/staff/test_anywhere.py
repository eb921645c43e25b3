"""Any other page as a listing: tried on the live page, told what was found, then kept."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing, PollFailure
from campaigns.model.report import Report
from campaigns.model.staff import Role
from campaigns.web.staff import tryout
from tests import make
from tests.anypage import AnyPage
from tests.make import NOON
from tests.web.staff.conftest import Desk
from workers import poll

BASE = {"way": "page", "before": "已筹", "after": "", "place": "", "attribute": "",
        "written": "1,234.56", "unit": "major", "currency": "CNY", "page": ""}  # fmt: skip
TRIED = re.compile(r'name="tried"[^>]*value="(\w*)"')
CHOICES = re.compile(r'name="choose" value="([^"]+)"')


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign()


@pytest.fixture
def who(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.FUNDRAISER)


def press(who: Desk, campaign: Campaign, step: str, **fields: str) -> Any:
    path = f"/staff/campaigns/{campaign.id}/listings/other"
    return who.post(path, step=step, **(BASE | fields))


def keep(who: Desk, campaign: Campaign, **fields: str) -> Any:
    """Try, then keep what was tried."""
    tried = TRIED.search(press(who, campaign, "try", **fields).text)
    assert tried
    return press(who, campaign, "keep", tried=tried[1], **fields)


def test_what_is_found_is_shown_in_its_surroundings_and_nothing_is_kept(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    page = press(who, campaign, "try", address=platform.url)
    assert page.status_code == 200
    assert "<mark>123,456.78</mark>" in page.text
    assert "CN¥123,456.78" in page.text or "¥123,456.78" in page.text
    assert "乡村图书角 &lt;b&gt;" in page.text
    assert db.session.query(Listing).count() == 0


def test_what_was_tried_is_kept_as_a_listing_and_asked(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    assert (
        keep(who, campaign, address=platform.url, page="https://gy.example.org/p").status_code
        == 302
    )
    listing = db.session.query(Listing).one()
    assert (listing.platform, listing.way, listing.host) == ("generic", "page", platform.host)
    assert listing.url == "https://gy.example.org/p"
    platform.raised = "123,500.00"
    assert poll.ask_due() == 1
    assert str(db.session.query(Report).one().raised) == "123500.00 CNY"


def test_a_page_that_is_redesigned_breaks_loudly_and_its_answer_is_kept(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    keep(who, campaign, address=platform.url)
    poll.ask_due()
    listing = db.session.query(Listing).one()
    listing.next_poll_at = NOON
    db.session.commit()
    platform.page = platform.page.replace("已筹", "累计筹款")
    poll.ask_due()
    assert str(db.session.query(Report).one().raised) == "123456.78 CNY"
    failure = db.session.query(PollFailure).one()
    assert failure.reason == "This text is not there: 已筹"
    page = who.get(f"/staff/listings/{listing.id}").text
    [path] = set(re.findall(r'href="([^"]+/answers/\d+)">Status 200[^<]*</a></td>', page))
    assert "累计筹款" in who.get(path).text


@pytest.mark.parametrize(("name", "shown"), [("某某公益", "某某公益"), ("", "127.0.0.1:")])
def test_donors_see_the_platform_by_its_name(
    who: Desk, campaign: Campaign, platform: AnyPage, name: str, shown: str
) -> None:
    keep(who, campaign, address=platform.url, name=name)
    poll.ask_due()
    for page in (f"/c/{campaign.slug}", f"/staff/campaigns/{campaign.id}"):
        assert shown in who.get(page).text
        assert "Another platform" not in who.get(page).text


def test_what_else_the_page_says_is_shown_kept_and_read(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    more = {"address": platform.url, "donations_before": "支持者"}
    page = press(who, campaign, "try", **more).text
    assert "<dt>Number of gifts</dt><dd>2,034</dd>" in page
    keep(who, campaign, **more)
    poll.ask_due()
    assert db.session.query(Report).one().donations == 2034
    refused = press(who, campaign, "try", **more, as_of_before="截至")
    assert refused.status_code == 400
    assert 'id="as_of_before-error"' in refused.text
    assert "<mark>" not in refused.text


def test_settings_that_were_not_tried_are_not_kept(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    tried = TRIED.search(press(who, campaign, "try", address=platform.url).text)
    assert tried
    page = press(who, campaign, "keep", address=platform.url, before="目标", tried=tried[1])
    assert "<mark>500,000.00</mark>" in page.text
    assert db.session.query(Listing).count() == 0


def test_a_page_that_changed_since_the_try_is_not_kept(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    tried = TRIED.search(press(who, campaign, "try", address=platform.url).text)
    assert tried
    platform.page = platform.page.replace("已筹", "累计")
    page = press(who, campaign, "keep", address=platform.url, tried=tried[1])
    assert page.status_code == 400
    assert db.session.query(Listing).count() == 0


def test_figures_to_choose_from_are_offered_and_the_choice_is_tried(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    page = press(who, campaign, "look", address=platform.url, before="")
    choices = [html.unescape(one) for one in CHOICES.findall(page.text)]
    assert len(choices) == 3
    page = press(who, campaign, "", choose=choices[0], address=platform.url, before="")
    assert "<mark>123,456.78</mark>" in page.text
    assert 'value="已筹:"' in page.text


def test_json_is_known_by_its_look(who: Desk, campaign: Campaign, platform: AnyPage) -> None:
    address = platform.url.replace("/page", "/feed.json")
    page = press(who, campaign, "look", address=address, before="")
    [choice, *_others] = [html.unescape(one) for one in CHOICES.findall(page.text)]
    assert '"place": "/data/raised"' in choice
    fields = {"address": address, "way": "json", "place": "/data/raised", "before": ""}
    assert keep(who, campaign, **fields).status_code == 302
    assert db.session.query(Listing).one().way == "json"


def test_the_same_place_of_the_same_page_is_one_listing(
    who: Desk, campaign: Campaign, platform: AnyPage
) -> None:
    keep(who, campaign, address=platform.url)
    again = keep(who, campaign, address=platform.url)
    assert again.status_code == 400
    assert "This page is a listing already." in again.text
    assert keep(who, campaign, address=platform.url, before="目标").status_code == 302


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"before": "没有"}, "before", "This text is not there: 没有"),
        ({"before": "", "place": "em"}, "before", "Several different numbers fit"),
        ({"place": "p >"}, "place", "The selector cannot be read"),
        ({"place": ".gone"}, "place", "Nothing on the page fits the selector: .gone"),
        ({"place": "p", "attribute": "data-x"}, "attribute", "no such attribute: data-x"),
        ({"written": "1.234,56"}, "written", "written otherwise than said: 123,456.78"),
        ({"unit": "wan"}, "unit", "another unit than the one chosen: 元"),
        ({"way": "json", "place": "data"}, "place", "A pointer begins with a slash"),
        ({"way": "json", "place": "/data"}, "address", "page where we expected JSON"),
        ({"currency": "YUAN"}, "currency", "currency"),
        ({"page": "javascript:alert(1)"}, "page", "no address that a browser could open"),
        ({"address": "http://127.0.0.1/"}, "address", "not on the public internet"),
        ({"address": "http://[::ffff:127.0.0.1]/"}, "address", "not on the public internet"),
        ({"address": "http://0x7f.1/"}, "address", "odd way"),
        ({"address": "http://me:secret@example.org/"}, "address", "no address"),
        ({"address": ""}, "address", "Paste the address"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    who: Desk, campaign: Campaign, platform: AnyPage, fields: dict[str, str], field: str, says: str
) -> None:
    page = press(who, campaign, "try", **({"address": platform.url} | fields))
    assert page.status_code == 400
    error = re.search(rf'id="{field}-error">(.*?)</ul>', page.text, re.DOTALL)
    assert error, re.findall(r'id="(\w+)-error">(.*?)</ul>', page.text)
    assert says in html.unescape(error[1])
    assert db.session.query(Listing).count() == 0


@pytest.mark.parametrize(
    ("status", "says"),
    [(404, "not there"), (403, "refuses"), (503, "patience"), (204, "otherwise")],
)
def test_what_the_platform_says_instead_is_told(
    who: Desk, campaign: Campaign, platform: AnyPage, status: int, says: str
) -> None:
    platform.status = status
    page = press(who, campaign, "look", address=platform.url)
    assert page.status_code == 400
    assert says in page.text


def test_sentences_are_in_the_readers_language(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage
) -> None:
    who = desk(Role.FUNDRAISER, locale="zh-Hans")
    page = press(who, campaign, "try", address=platform.url, before="没有")
    assert "没有找到这段文字：没有" in page.text


@pytest.mark.parametrize(
    "choose", ["{", "[]", "5", '{"way": 5}', "[" * 9999, '{"place": "\\u0000"}']
)
def test_a_choice_that_was_never_offered_does_no_harm(
    who: Desk, campaign: Campaign, platform: AnyPage, choose: str
) -> None:
    page = press(who, campaign, "", choose=choose, address=platform.url)
    assert page.status_code in (200, 400)
    assert db.session.query(Listing).count() == 0


def test_trying_has_an_end(
    who: Desk, campaign: Campaign, platform: AnyPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tryout, "TRIES", 2)
    pages = [press(who, campaign, "try", address=platform.url) for _ in range(3)]
    assert [page.status_code for page in pages] == [200, 200, 400]
    assert "Wait ten minutes" in pages[2].text
    assert platform.asked == 2


def test_looking_at_the_form_asks_nobody(who: Desk, campaign: Campaign, platform: AnyPage) -> None:
    path = f"/staff/campaigns/{campaign.id}/listings/other?address={platform.url}"
    assert platform.url in who.get(path).text
    assert platform.asked == 0


def test_an_unknown_address_leads_to_this_page(who: Desk, campaign: Campaign) -> None:
    page = who.post(f"/staff/campaigns/{campaign.id}/listings", address="https://gy.example.org/p")
    assert "listings/other?address=https://gy.example.org/p" in html.unescape(page.text)


class TestChanging:
    """A listing that is read so can be read otherwise later, after another try."""

    @pytest.fixture
    def listing(self, who: Desk, campaign: Campaign, platform: AnyPage) -> Listing:
        keep(who, campaign, address=platform.url)
        return db.session.query(Listing).one()

    def test_it_is_shown_as_it_was_said(self, who: Desk, listing: Listing) -> None:
        page = who.get(f"/staff/listings/{listing.id}/reading").text
        assert 'value="已筹"' in page
        assert 'name="currency"' not in page

    def test_a_change_is_tried_kept_and_recorded(
        self, who: Desk, listing: Listing, platform: AnyPage
    ) -> None:
        path, fields = (
            f"/staff/listings/{listing.id}/reading",
            BASE | {"before": "已筹：", "address": platform.url},
        )
        fields.pop("currency")
        id_before = listing.external_id
        tried = TRIED.search(who.post(path, step="try", **fields).text)
        assert tried
        assert who.post(path, step="keep", tried=tried[1], **fields).status_code == 302
        db.session.refresh(listing)
        assert listing.how is not None
        assert (listing.how["before"], listing.how["currency"]) == ("已筹：", "CNY")
        assert listing.external_id == id_before
        record = db.session.query(AuditRecord).filter_by(action="change how it is read").one()
        assert record.changes == {"before": ["已筹", "已筹："]}

    def test_only_listings_read_so_have_this_page(self, who: Desk) -> None:
        assert who.get(f"/staff/listings/{make.listing().id}/reading").status_code == 404
