"""Money by hand without a mouse: a gift, its correction, a table, a match, a table of rates."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.entry import Entry, EntryKind, MatchStage
from campaigns.model.rate import Rate
from campaigns.model.staff import Role
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import logged_in, press, reach, write

# Of each language: fields and buttons on the way.
WORDS = {
    "en": {
        "amount": "Amount",
        "book": "Book the gift",
        "booked": "is booked, as entry",
        "anew": "Book anew",
        "reason": "Reason",
        "see": "See what would change",
        "do anew": "Book it anew",
        "back": "Take back",
        "do back": "Take it back",
        "effect": "What people would see",
        "table": "Table",
        "rows": "See row by row",
        "book 2": "Book 2 gifts",
        "who": "Who matches",
        "enter": "Enter the match",
        "further": "Take further",
        "do further": "Take it further",
        "or rows": "Or its rows",
        "keep": "Keep 1 rate",
    },
    "zh-Hans": {
        "amount": "金额",
        "book": "登记这笔捐赠",
        "booked": "已入账，是第",
        "anew": "重新入账",
        "reason": "理由",
        "see": "先看会改变什么",
        "do anew": "重新入账",
        "back": "冲销",
        "do back": "冲销这一笔",
        "effect": "公众会看到的变化",
        "table": "表格",
        "rows": "逐行查看",
        "book 2": "登记 2 笔捐赠",
        "who": "配捐方",
        "enter": "登记这笔配捐",
        "further": "推进",
        "do further": "推进",
        "or rows": "或直接粘贴内容",
        "keep": "保存 1 条汇率",
    },
}
PAGES = (
    "/staff/by-hand",
    "/staff/by-hand/other",
    "/staff/by-hand/table",
    "/staff/by-hand/matches",
    "/staff/rates/table",
    "/staff/ledger",
)


def write_in(page: Page, label: str, text: str) -> None:
    """Into the field whose label begins so; it may say "optional" behind."""
    field = page.locator("main form.stack").get_by_label(re.compile(rf"^{re.escape(label)}"))
    reach(page, field.first)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def button(page: Page, name: str) -> None:
    press(page, page.get_by_role("button", name=name, exact=True))


def newest(service: Service) -> tuple[int, int, str | None]:
    with service.app.app_context():
        entry = db.session.scalars(select(Entry).order_by(Entry.id.desc()).limit(1)).one()
        return entry.id, entry.amount_minor, entry.stage


@pytest.mark.parametrize("locale", WORDS)
def test_a_gift_is_booked_mended_and_taken_back_by_keyboard(
    opened: Open, service: Service, locale: str
) -> None:
    words = WORDS[locale]
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/by-hand")
    write(page, words["amount"], "500.00")
    reach(page, page.locator("#name"))
    page.keyboard.insert_text("Ada")
    button(page, words["book"])
    expect(page.get_by_text(words["booked"])).to_be_visible()
    first, amount, _stage = newest(service)
    assert amount == 50000

    press(page, page.get_by_role("link", name=str(first), exact=True).first)
    press(page, page.get_by_role("link", name=words["anew"], exact=True))
    write(page, words["amount"], "50.00")
    write(page, words["reason"], "a zero too many")
    button(page, words["see"])
    expect(page.get_by_role("heading", name=words["effect"])).to_be_visible()
    assert newest(service)[0] == first
    button(page, words["do anew"])
    second, amount, _stage = newest(service)
    assert amount == 5000
    expect(page.get_by_role("link", name=str(first), exact=True).first).to_be_visible()

    press(page, page.get_by_role("link", name=words["back"], exact=True))
    write(page, words["reason"], "never arrived")
    button(page, words["see"])
    button(page, words["do back"])
    assert newest(service)[1] == -5000
    expect(page.get_by_role("link", name=str(second), exact=True).first).to_be_visible()


@pytest.mark.parametrize("locale", WORDS)
def test_a_table_is_pasted_and_booked_by_keyboard(
    opened: Open, service: Service, locale: str
) -> None:
    words = WORDS[locale]
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/by-hand/table")
    write(page, words["table"], "day\tamount\tname\n2026-01-05\t20\tAda\n2026-01-06\tten\tBo\n")
    button(page, words["rows"])
    expect(page.locator("#row-3 .tag.bad")).to_be_visible()
    write(page, words["table"], "day\tamount\tname\n2026-01-05\t20\tAda\n2026-01-06\t10\tBo\n")
    button(page, words["rows"])
    button(page, words["book 2"])
    assert newest(service)[1] == 1000


@pytest.mark.parametrize("locale", WORDS)
def test_a_match_is_entered_and_taken_further_by_keyboard(
    opened: Open, service: Service, locale: str
) -> None:
    words = WORDS[locale]
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/by-hand/matches")
    write(page, words["who"], f"A company ({locale})")
    write(page, words["amount"], "800.00")
    button(page, words["enter"])
    entry, _amount, stage = newest(service)
    assert stage == MatchStage.ANNOUNCED
    row = page.get_by_role("row").filter(has_text=f"A company ({locale})")
    press(page, row.get_by_role("link", name=words["further"]))
    button(page, words["see"])
    expect(page.get_by_role("heading", name=words["effect"])).to_be_visible()
    button(page, words["do further"])
    assert newest(service)[1:] == (80000, MatchStage.CONFIRMED)
    with service.app.app_context():
        confirmed = db.session.scalars(select(Entry).where(Entry.replaces == entry)).one()
        assert confirmed.kind is EntryKind.MATCH


@pytest.mark.parametrize(("locale", "day"), [("en", "2026-01-05"), ("zh-Hans", "2026-01-06")])
def test_rates_are_kept_by_keyboard(opened: Open, service: Service, locale: str, day: str) -> None:
    words = WORDS[locale]
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/rates/table")
    write_in(page, words["or rows"], f"day,currency,rate,source\n{day},USD,7.1052,PBOC\n")
    button(page, words["rows"])
    expect(page.locator("#row-2 .tag.good")).to_be_visible()
    button(page, words["keep"])
    with service.app.app_context():
        assert [str(row.day) for row in db.session.scalars(select(Rate))].count(day) == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_its_window_and_fingers_find_every_control(
    opened: Open, service: Service, path: str
) -> None:
    page = logged_in(opened, service, Role.TREASURER)
    page.goto(path)
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
