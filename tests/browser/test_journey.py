"""A donor's journey: the page, the form, the letter, the button, and out again with one tap."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.consent import Consent
from tests.browser import scene
from tests.browser.conftest import Open, Service
from workers import post

# Of each language: the list's address, then words on the way.
WORDS = {
    "en": (
        "/en/",
        "After school: a study room for children of migrant workers",
        "Send me updates",
        "Please look into your mail",
        "You follow “After school",
    ),
    "zh": (
        "/",
        "放学以后：给流动儿童的一间自习室",
        "订阅进展",
        "请查看你的邮箱",
        "已经订阅“放学以后",
    ),
}
PHONE = {"width": 390, "has_touch": True}
DESKTOP = {"width": 1280}


def letter(service: Service, to: str) -> EmailMessage:
    """The newest letter to somebody, once the post has gone round."""
    with service.app.app_context():
        post.letters()
        outbox = Path(service.app.extensions["settings"].instance_dir) / "outbox"
    files = sorted(outbox.glob("*.eml"), key=lambda file: file.stat().st_mtime)
    written = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [message for message in written if to in str(message["To"])][-1]


def link(message: EmailMessage, part: str) -> str:
    text = message.get_body(("plain",))
    assert text is not None
    found = re.search(rf"https?://\S*(/{part}/[\w-]+)", text.get_content())
    assert found, text.get_content()
    return found[1]


def consents(service: Service) -> list[bool]:
    with service.app.app_context():
        return list(db.session.scalars(select(Consent.given).order_by(Consent.id.desc()).limit(2)))


@pytest.mark.parametrize("tongue", ["zh", "en"])
@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_donor_follows_and_leaves_without_javascript(
    opened: Open, service: Service, tongue: str, window: dict[str, int]
) -> None:
    home, title, follow, look, following = WORDS[tongue]
    address = f"{tongue}-{window['width']}@example.org"
    page = opened(home, java_script_enabled=False, **window)
    page.get_by_role("link", name=title).click()
    page.locator("#follow input[type=email]").fill(address)
    page.get_by_role("button", name=follow).click()
    expect(page.locator("h1")).to_have_text(look)

    page.goto(link(letter(service, address), "follow/confirm"))
    page.locator("main form button").click()
    expect(page.locator("h1")).to_contain_text(following)
    assert consents(service)[0] is True

    leave(page, service, address)
    assert consents(service) == [False, True]
    assert page.context.cookies() == []


def leave(page: Page, service: Service, address: str) -> None:
    """Open the link of an update's letter and press its first button."""
    with service.app.app_context():
        scene.write_to(address)
    page.goto(link(letter(service, address), "unsubscribe"))
    page.locator("main form button").first.click()
    expect(page.locator("main form")).to_have_count(1)  # only "leave everything" is left


def test_a_mistyped_address_is_shown_where_it_was_typed(opened: Open) -> None:
    page = opened("/en/c/after-school", 390, java_script_enabled=False)
    page.locator("#follow form").evaluate("form => form.noValidate = true")
    page.locator("#follow input[type=email]").fill("ada@")
    page.locator("#follow button").click()
    field = page.locator("#follow input[type=email]")
    expect(field).to_have_value("ada@")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_in_viewport()


def test_a_figure_grows_while_somebody_watches(opened: Open, service: Service) -> None:
    page = opened("/en/c/new")
    expect(page.locator("#figure")).to_contain_text("no figure yet")
    with service.app.app_context():
        scene.first_figure("new", 12_345)
    expect(page.locator("#figure")).to_contain_text("¥123.45", timeout=20_000)
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1


def test_the_keyboard_reaches_the_form(opened: Open) -> None:
    page = opened("/en/c/after-school")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.locator("#follow-email").focus()
    page.keyboard.type("keys@example.org")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Please look into your mail")
