"""Endpoints and notices by keyboard alone, in both languages and without JavaScript."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from campaigns import notices
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.model.staff import Role
from tests import make, payers
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import logged_in, press, reach, write
from tests.make import NOON

# Of each language: the scheme, its fields, the button, the sample and what it says.
WORDS = {
    "en": (
        "Alipay notifications",
        ("Name of the endpoint", "App id", "Merchant id (PID)", "Alipay's public key"),
        "Open it",
        "Send yourself a sample",
        "It was taken back; nothing is in the ledger.",
    ),
    "zh-Hans": (
        "支付宝异步通知",
        ("接收地址名称", "应用 ID（app_id）", "商户号（PID）", "支付宝公钥"),
        "新建",
        "给自己试发一笔",
        "试发已撤回，账里没有留下任何记录。",
    ),
}


@pytest.mark.parametrize("locale", WORDS)
def test_an_endpoint_is_opened_and_tried_out_by_keyboard(
    opened: Open, service: Service, locale: str
) -> None:
    scheme, labels, button, sample, said = WORDS[locale]
    page = logged_in(opened, service, Role.ADMINISTRATOR, locale=locale)
    page.goto("/staff/webhooks")
    press(page, page.get_by_role("link", name=scheme))
    name, key = f"alipay-{locale.lower()}", payers.public_key()
    for label, text in zip(labels, (name, payers.APP, payers.SELLER, key), strict=True):
        field = page.locator("form.stack").get_by_label(label)
        reach(page, field)
        page.keyboard.insert_text(text)
        if label == labels[0]:
            reach(page, page.locator("#bounds"))
            page.keyboard.press("End")  # a listing, so that it is clear where the sample belongs
    press(page, page.get_by_role("button", name=button))
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    press(page, page.get_by_role("button", name=sample))
    expect(page.get_by_text(said)).to_be_visible()


def test_what_is_wrong_is_said_beside_the_field_and_the_focus_finds_it(
    opened: Open, service: Service
) -> None:
    page = logged_in(opened, service, Role.ADMINISTRATOR)
    page.goto("/staff/webhooks?scheme=wechatpay")
    write(page, "Name of the endpoint", "wechat")
    press(page, page.get_by_role("button", name="Open it"))
    press(page, page.locator(".summary a").first)
    assert page.evaluate("document.activeElement.id") == "mchid"
    expect(page.locator("#mchid-error")).to_be_visible()


def test_notices_are_filtered_and_booked_again_by_keyboard(opened: Open, service: Service) -> None:
    with service.app.app_context():
        endpoint = make.endpoint("keyboard", listing=db.session.scalars(select(Listing)).first())
        for number in range(3):
            came = notices.Came(f"keyboard-{number}", b"{}", {}, NOON)
            kept = notices.take(endpoint, came)
            notices.settle(kept.notice_id, notices.Outcome(Verdict.FAILED, "A fault of ours."))
        db.session.commit()
        chosen = endpoint.id
    page = logged_in(opened, service, Role.TREASURER)
    page.goto("/staff/notices")
    reach(page, page.locator("#filter-via"))
    page.keyboard.type("keyboard")
    press(page, page.get_by_role("button", name="Show", exact=True))
    expect(page.get_by_text("3 of these could not be booked.")).to_be_visible()
    press(page, page.get_by_role("button", name="Book these again"))
    expect(page.get_by_text("are booked one after another")).to_be_visible()
    with service.app.app_context():
        found = db.session.scalars(select(Notice.verdict).where(Notice.endpoint_id == chosen))
        assert set(found) == {Verdict.WAITING}
        assert db.session.get_one(WebhookEndpoint, chosen).name == "keyboard"


@pytest.mark.parametrize("path", ["/staff/webhooks?scheme=wechatpay", "/staff/notices"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_its_window_and_works_without_javascript(
    opened: Open, service: Service, path: str, width: int
) -> None:
    page = logged_in(opened, service, Role.ADMINISTRATOR)
    without = opened(path, width, java_script_enabled=False)
    without.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    without.goto(path)
    expect(without.locator("main form button").last).to_be_visible()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
