"""Any other page becomes a listing by keyboard alone, in both languages and without JavaScript."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests.anypage import AnyPage
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import logged_in, press, reach, write

# Of each language: the link that leads there, the label of the address and the buttons.
WORDS = {
    "en": (
        "On a platform that is not recognised? Say where the figure stands.",
        "Address to ask", "Look for figures", "Take 123,456.78", "Add the listing",
        "The listing is added.", "Change how the page is read", "Text before the number",
        "Try it out", "This text is not there", "Keep it so",
    ),
    "zh-Hans": (
        "平台认不出来？可以自己说明数字在哪里。",
        "要问的网址", "找一找有哪些数字", "选用 123,456.78", "添加平台页面",
        "平台页面已添加", "修改读取方式", "数字前面的文字",
        "试读", "没有找到这段文字", "就这样保存",
    ),
}  # fmt: skip


def campaign_id(service: Service) -> int:
    with service.app.app_context():
        return db.session.scalars(select(Campaign.id).where(Campaign.slug == "after-school")).one()


def kept(service: Service, how: str) -> Listing:
    with service.app.app_context():
        every = db.session.scalars(select(Listing).where(Listing.platform == "generic")).all()
        [listing] = [one for one in every if (one.how or {})["address"].endswith(how)]
        return listing


@pytest.mark.parametrize("locale", WORDS)
def test_a_page_is_added_by_choosing_its_figure_and_mended_by_hand(
    opened: Open, service: Service, platform: AnyPage, locale: str
) -> None:
    link, address, look, take, add, said, change, before, try_, gone, keep = WORDS[locale]
    page = logged_in(opened, service, Role.FUNDRAISER, locale=locale)
    page.goto(f"/staff/campaigns/{campaign_id(service)}")
    press(page, page.get_by_role("link", name=link))
    write(page, address, f"{platform.url}?{locale}")
    press(page, page.get_by_role("button", name=look))
    press(page, page.get_by_role("button", name=take))
    expect(page.locator("mark")).to_have_text("123,456.78")
    press(page, page.get_by_role("button", name=add))
    expect(page.get_by_text(said)).to_be_visible()
    listing = kept(service, locale)
    page.goto(f"/staff/listings/{listing.id}")
    press(page, page.get_by_role("link", name=change))
    field = page.locator("#before")
    reach(page, field)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("没有")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#before-error")).to_contain_text(gone)
    press(page, page.locator(".summary a").first)
    assert page.evaluate("document.activeElement.id") == "before"
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("目标")
    press(page, page.get_by_role("button", name=try_))
    expect(page.locator("mark")).to_have_text("500,000.00")
    press(page, page.get_by_role("button", name=keep))
    assert (kept(service, locale).how or {})["before"] == "目标"


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window_and_works_without_javascript(
    opened: Open, service: Service, platform: AnyPage, width: int
) -> None:
    page = logged_in(opened, service, Role.FUNDRAISER)
    path = f"/staff/campaigns/{campaign_id(service)}/listings/other?address={platform.url}"
    without = opened(path, width, java_script_enabled=False)
    without.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    without.goto(path)
    without.get_by_role("button", name="Look for figures").click()
    expect(without.locator("mark").first).to_have_text("123,456.78")
    without.get_by_role("button", name="Take 123,456.78").click()
    expect(without.get_by_role("button", name="Add the listing")).to_be_visible()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    page.get_by_role("button", name="Look for figures").click()
    expect(page.locator("mark").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
