"""Ten figures entered without a mouse, on a phone too, in either language."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from campaigns import rounds
from campaigns.db import db
from campaigns.model.listing import Asking
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.staff import Role
from tests import make
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import logged_in, press, reach, write

PATH = "/staff/figures"
WORDS = {
    "en": {
        "keep": "Keep the figures",
        "kept": "9 figures are kept.",
        "held": "One is being checked",
        "table": "Or its rows",
        "rows": "See row by row",
        "keep rows": "Keep 2 figures",
    },
    "zh-Hans": {
        "keep": "保存这些数字",
        "kept": "已保存 9 个数字。",
        "held": "1 个待核",
        "table": "或直接粘贴内容",
        "rows": "逐行查看",
        "keep rows": "保存 2 个数字",
    },
}


def ten(service: Service) -> list[int]:
    """Ten listings by hand in two campaigns; those of other tests are put away."""
    with service.app.app_context():
        for stop in rounds.of(datetime.now(UTC)):
            stop.listing.asking = Asking.ENDED
        ids = []
        for number in range(2):
            campaign = make.campaign()
            for text in campaign.texts:
                text.title = f"{text.title} {number + 1}"
            for platform in ("tencent", "alipay", "tencent", "alipay", "tencent"):
                listing = make.listing(campaign, asking=Asking.BY_HAND, platform=platform)
                make.report(listing, 1_000_000, datetime.now(UTC) - timedelta(days=2))
                ids.append(listing.id)
        db.session.commit()
        db.session.remove()
    return ids


def entered(service: Service, ids: list[int]) -> list[tuple[int | None, ReportState]]:
    with service.app.app_context():
        by_hand = Report.listing_id.in_(ids), Report.origin == Origin.BY_HAND
        rows = db.session.scalars(select(Report).where(*by_hand).order_by(Report.listing_id)).all()
        return [(row.raised_minor, row.state) for row in rows]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("locale", WORDS)
def test_ten_figures_are_entered_by_keyboard_alone(
    opened: Open, service: Service, locale: str, width: int
) -> None:
    ids, words = ten(service), WORDS[locale]
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.set_viewport_size({"width": width, "height": 740})
    press(page, page.locator("a[href='/staff/figures']").first)
    reach(page, page.locator(f"#raised-{ids[0]}"))
    for number, id in enumerate(ids):
        # Enter leads to the next field, and from the last one it sends.
        expect(page.locator(f"#raised-{id}")).to_be_focused()
        page.keyboard.type("9,000" if id == ids[4] else f"10,{number + 1:03}.50")
        if id != ids[-1]:
            page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text(words["kept"])).to_be_visible()
    expect(page.get_by_text(words["held"])).to_be_visible()
    states = entered(service, ids)
    assert [state for _, state in states].count(ReportState.ACCEPTED) == 9
    assert states[4] == (900_000, ReportState.QUARANTINED)
    assert states[9] == (1_001_050, ReportState.ACCEPTED)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_tab_goes_from_field_to_field_and_what_is_wrong_stays(
    opened: Open, service: Service
) -> None:
    ids = ten(service)
    page = logged_in(opened, service, Role.FUNDRAISER)
    kept = page.context.storage_state()
    bare = opened(PATH, java_script_enabled=False, storage_state=kept, locale="en")
    bare.locator(f"#raised-{ids[0]}").focus()
    bare.keyboard.type("10,0")
    for _ in range(2):  # the page on the platform, then its field
        bare.keyboard.press("Tab")
    assert bare.locator(":focus").get_attribute("id") == f"raised-{ids[1]}"
    bare.keyboard.type("10100")
    with bare.expect_navigation():
        bare.keyboard.press("Enter")
    expect(bare.locator(f"#raised-{ids[0]}")).to_have_value("10,0")
    expect(bare.locator(f"#raised-{ids[0]}")).to_be_focused()
    expect(bare.locator(f"#raised-{ids[0]}-error")).to_contain_text("Write an amount in CNY")
    assert entered(service, ids) == [(1_010_000, ReportState.ACCEPTED)]


def test_a_platforms_page_opens_beside_the_form(opened: Open, service: Service) -> None:
    (first, *_) = ten(service)
    page = logged_in(opened, service, Role.TREASURER)
    page.goto(PATH)
    page.context.route(re.compile("gongyi.qq.com"), lambda route: route.fulfill(body="70,000"))
    with page.context.expect_page() as beside:
        page.locator(f"#listing-{first} a[target=_blank]").click()
    assert "gongyi.qq.com" in beside.value.url
    expect(page.locator(f"#raised-{first}")).to_be_visible()


@pytest.mark.parametrize("locale", WORDS)
def test_a_table_of_figures_is_kept_by_keyboard(
    opened: Open, service: Service, locale: str
) -> None:
    ids, words = ten(service), WORDS[locale]
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto(f"{PATH}/table")
    reach(page, page.locator("#table"))
    page.keyboard.insert_text(f"listing,raised\n{ids[0]},1.1万\n{ids[1]},9000\n")
    press(page, page.get_by_role("button", name=words["rows"], exact=True))
    expect(page.locator("#row-2 .tag.good")).to_be_visible()
    expect(page.locator("#row-3 .tag.warn")).to_be_visible()
    assert entered(service, ids) == []
    press(page, page.get_by_role("button", name=words["keep rows"], exact=True))
    assert [raised for raised, _ in entered(service, ids)] == [1_100_000, 900_000]


@pytest.mark.parametrize("path", [PATH, f"{PATH}/table"])
def test_a_page_fits_its_window(opened: Open, service: Service, path: str) -> None:
    ten(service)
    page = logged_in(opened, service, Role.TREASURER)
    page.goto(path)
    for width in (320, 360, 390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_festival_is_deleted_after_a_question(opened: Open, service: Service) -> None:
    page = logged_in(opened, service, Role.FUNDRAISER)
    page.goto("/staff/festivals")
    write(page, "What it is called", "Spring Day")
    for label, day in (("Begins", "2027-03-01T09:00"), ("Ends", "2027-03-02T09:00")):
        page.get_by_label(label, exact=True).fill(day)
    press(page, page.get_by_role("button", name="Keep the festival"))
    row = page.get_by_role("row").filter(has_text="Spring Day")
    reach(page, row.get_by_role("button", name="Delete"))
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="Delete “Spring Day”?")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(row).to_be_visible()
    row.get_by_role("button", name="Delete").press("Enter")
    press(page, question.get_by_role("button", name="Delete it"))
    expect(page.get_by_role("row").filter(has_text="Spring Day")).to_have_count(0)
