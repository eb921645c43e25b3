"""A file without a mouse: handed in, read otherwise, judged, booked, watched and undone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from campaigns import committing, ledger, stored
from campaigns.batches import Pace
from campaigns.db import db
from campaigns.model.imported import Import
from campaigns.model.listing import Rule
from campaigns.model.staff import Role
from campaigns.money import Money
from tests import bill, make
from tests.bill import Paid
from tests.books import booking
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import hand_in, logged_in, press, reach, write
from workers.imports import work_on

# Of each language: what stands on the way.
WORDS = {
    "en": {
        "ledger": "Ledger",
        "imports": "Imports",
        "file": "File",
        "belongs": "Its money belongs to",
        "read": "Read the file",
        "reading": "being read",
        "charset": "Charset",
        "again": "Read it again",
        "misread": "The charset does not fit the file, choose another.",
        "known": "already booked 1",
        "new": "new {}",
        "row": "Row {}",
        "leave chosen": "Leave the chosen out",
        "all": "All rows of this verdict",
        "leave all": "Leave them out",
        "book": "Book {} rows",
        "progress": "{} of 5 rows",
        "booked": "booked",
        "reason": "Reason",
        "undo": "Undo the import",
        "undone": "undone",
        "too large": "The file is larger than 64 MB.",
    },
    "zh-Hans": {
        "ledger": "账本",
        "imports": "导入",
        "file": "文件",
        "belongs": "这些钱属于",
        "read": "读取文件",
        "reading": "正在读",
        "charset": "字符编码",
        "again": "重新读取",
        "misread": "字符编码与文件不符，请换一种。",
        "known": "已入账 1",
        "new": "新的 {}",
        "row": "第 {} 行",
        "leave chosen": "选中的不入账",
        "all": "这一判定的所有行",
        "leave all": "都不入账",
        "book": "入账 {} 行",
        "progress": "5 行中的 {} 行",
        "booked": "已入账",
        "reason": "理由",
        "undo": "撤销这次导入",
        "undone": "已撤销",
        "too large": "文件超过 64 MB。",
    },
}
FIRST = {"en": 8100, "zh-Hans": 8200}  # the number of the bill's first payment


def button(page: Page, name: str) -> None:
    press(page, page.get_by_role("button", name=name, exact=True))


def tab(page: Page, name: str) -> None:
    """The rows of a verdict: an address that differs from the one before in more than its end."""
    reach(page, page.get_by_role("link", name=name, exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute(
        "aria-current", "page"
    )


def choose(page: Page, field: Locator, value: str) -> None:
    """Down from the first option to the one of this value."""
    reach(page, field)
    page.keyboard.press("Home")
    while field.input_value() != value:
        page.keyboard.press("ArrowDown")


def work(service: Service, page: Page, number: int) -> None:
    """A worker does what there is to do, and the page is asked for again."""
    with service.app.app_context():
        work_on(number)
    page.reload()


@pytest.mark.parametrize("locale", WORDS)
def test_a_file_is_handed_in_judged_booked_and_undone(
    opened: Open, service: Service, tmp_path: Path, locale: str
) -> None:
    words, first = WORDS[locale], FIRST[locale]
    paid = [
        Paid(first, 10000),
        Paid(first + 1, 20000),
        Paid(first + 2, 30000),
        bill.refund(first, 2000, line=first + 3),
        Paid(first + 4, 50000),
    ]
    file = tmp_path / f"bill-{locale}.csv"
    file.write_bytes(bill.bill(paid))
    with service.app.app_context():
        listing = make.listing(rule=Rule.ITEMISED)
        told = booking(listing, ("order", paid[1].order), source=bill.SOURCE, amount=_yuan(200))
        ledger.book(told, datetime.now(UTC))
        db.session.commit()
        listing_id = str(listing.id)
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    press(page, page.get_by_role("link", name=words["ledger"], exact=True))
    press(page, page.get_by_role("link", name=words["imports"], exact=True))
    hand_in(page, page.get_by_label(words["file"], exact=True), file)
    choose(page, page.get_by_label(words["belongs"], exact=True), listing_id)
    button(page, words["read"])
    state = page.locator(".head .tag")
    expect(state).to_contain_text(words["reading"])
    with service.app.app_context():
        number = db.session.scalars(select(Import.id).order_by(Import.id.desc())).first() or 0
    work(service, page, number)

    choose(page, page.get_by_label(words["charset"], exact=True), "utf-8")
    button(page, words["again"])
    work(service, page, number)
    expect(page.get_by_text(words["misread"])).to_be_visible()
    choose(page, page.get_by_label(words["charset"], exact=True), "gb18030")
    button(page, words["again"])
    work(service, page, number)

    effect = page.locator("#effect ~ .sheet tbody tr")
    expect(effect).to_contain_text("1,080.00")
    tab(page, words["known"])
    expect(page.locator("[id^=row-]")).to_have_count(1)
    tab(page, words["new"].format(4))
    reach(page, page.get_by_role("checkbox", name=words["row"].format(8), exact=True))
    page.keyboard.press("Space")
    button(page, words["leave chosen"])
    expect(effect).to_contain_text("780.00")
    choose(page, page.get_by_role("combobox", name=words["all"], exact=True), "refund")
    button(page, words["leave all"])
    expect(effect).to_contain_text("800.00")

    button(page, words["book"].format(2))
    with service.app.app_context():
        next(committing.book(number, Pace(rows=2), lambda: datetime.now(UTC)))
        db.session.commit()
    page.reload()
    expect(page.locator("#import .moment")).to_have_text(words["progress"].format(2))
    with service.app.app_context():
        work_on(number)
    # Without another reload: the page asks for itself.
    expect(state).to_have_text(f"✓{words['booked']}", timeout=15_000)

    write(page, words["reason"], "the wrong month")
    button(page, words["undo"])
    work(service, page, number)
    expect(state).to_contain_text(words["undone"])
    expect(page.get_by_text("the wrong month")).to_be_visible()


@pytest.mark.parametrize("locale", WORDS)
def test_a_large_file_is_told_of_before_and_after_it_travels(
    opened: Open, service: Service, tmp_path: Path, locale: str
) -> None:
    words, file = WORDS[locale], tmp_path / "large.csv"
    with file.open("wb") as hole:
        hole.truncate(stored.LARGEST + 2 * 1024**2)
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/imports")
    hand_in(page, page.get_by_label(words["file"], exact=True), file)
    said = page.locator("#file").evaluate("field => field.validationMessage")
    assert said.startswith(words["too large"])
    button(page, words["read"])
    expect(page.locator("#file-error")).to_contain_text(words["too large"])


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_pages_of_imports_fit_their_window(opened: Open, service: Service, width: int) -> None:
    with service.app.app_context():
        paid = [Paid(number, party="Konstantinopoulos-Featherstonehaugh") for number in range(3)]
        one = bill.read(bill.bill(paid), make.listing(rule=Rule.ITEMISED))
        failed = bill.read(b"When it came,How much\n1,2\n", profile="generic", source="shop")
        here = f"/staff/imports/{one.id}"
        paths = [here, f"{here}?verdict=new", f"{here}/rows/0", "/staff/imports",
                 f"/staff/imports/{failed.id}", f"/staff/imports/{failed.id}/mapping"]  # fmt: skip
    page = logged_in(opened, service, Role.TREASURER)
    page.set_viewport_size({"width": width, "height": 800})
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def _yuan(whole: int) -> Money:
    return Money(whole * 100, "CNY")
