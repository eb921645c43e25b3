"""Rates from a file, exports, a notice again, two people, and a contradiction: no mouse needed."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from campaigns import intake, likeness, notices
from campaigns.db import db
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.notice import Notice, Verdict
from campaigns.model.rate import Rate
from campaigns.model.staff import Role
from campaigns.platforms.base import detailed
from tests import make
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import hand_in, logged_in, press, reach

# Of each language: what stands on the way.
WORDS = {
    "en": {
        "many": "Enter many from a table",
        "see": "See row by row",
        "keep": "Keep 2 rates",
        "kept": "2 rates are kept.",
        "export": "All of these as {}",
        "fault": "Something went wrong here while it was booked: KeyError",
        "again": "Book it again",
        "soon": "It is booked within seconds, if it can be.",
        "decide": "Decide about notice {}",
        "why": "Reason",
        "insist": "Book as the notice says",
        "booked": "One notice is booked.",
        "look": "Look at merging {} and {}",
        "apart": "They are two people",
        "undo": "Undo: {} and {}",
    },
    "zh-Hans": {
        "many": "用表格批量录入",
        "see": "逐行查看",
        "keep": "保存 2 条汇率",
        "kept": "已保存 2 条汇率。",
        "export": "全部导出为 {}",
        "fault": "入账时我们这边出了错：KeyError",
        "again": "再入账一次",
        "soon": "能入账的话，几秒之内就会入账。",
        "decide": "处理第 {} 条通知",
        "why": "理由",
        "insist": "按通知入账",
        "booked": "1 条通知已入账。",
        "look": "查看 {} 与 {} 的合并",
        "apart": "他们是两个人",
        "undo": "撤销：{} 和 {}",
    },
}
RATES = (
    "日期,币种,中间价,来源\n2025-01-0{0},USD,7.0{0},人民银行\n2025-01-0{0},EUR,7.9{0},人民银行\n"
)


def button(page: Page, name: str) -> None:
    press(page, page.get_by_role("button", name=name, exact=True))


@pytest.mark.parametrize("locale", WORDS)
def test_rates_come_from_a_file_by_keyboard(
    opened: Open, service: Service, tmp_path: Path, locale: str
) -> None:
    words, file, day = WORDS[locale], tmp_path / "rates.csv", 5 + list(WORDS).index(locale)
    file.write_text(RATES.format(day), encoding="gb18030")
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/rates")
    press(page, page.get_by_role("link", name=words["many"]))
    hand_in(page, page.locator("#file"), file)
    button(page, words["see"])
    expect(page.locator("#row-2 .tag.good")).to_be_visible()
    button(page, words["keep"])
    expect(page.get_by_text(words["kept"])).to_be_visible()
    with service.app.app_context():
        found = db.session.scalars(select(Rate).where(Rate.day == date(2025, 1, day)))
        assert {(rate.base, rate.source) for rate in found} == {
            ("USD", "人民银行"),
            ("EUR", "人民银行"),
        }


@pytest.mark.parametrize("locale", WORDS)
@pytest.mark.parametrize(
    ("path", "begins"), [("/staff/ledger", b"\xef\xbb\xbf"), ("/staff/donors", b"PK")]
)
def test_an_export_is_downloaded_by_keyboard(
    opened: Open, service: Service, locale: str, path: str, begins: bytes
) -> None:
    with service.app.app_context():
        if db.session.get(Donor, 1) is None:
            make.donor()
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto(path)
    sort = "CSV" if begins != b"PK" else "XLSX"
    reach(page, page.get_by_text(WORDS[locale]["export"].format(sort), exact=True))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(f".{sort.lower()}")
    assert Path(download.value.path()).read_bytes().startswith(begins)


@pytest.mark.parametrize("locale", WORDS)
def test_a_notice_is_booked_again_by_keyboard(opened: Open, service: Service, locale: str) -> None:
    words = WORDS[locale]
    with service.app.app_context():
        shop = make.endpoint(f"again-{locale.lower()}", listing=make.listing())
        notice = make.notice(shop, "T-1", verdict=Verdict.FAILED)
        notice.reason = detailed(notices.OURS, "KeyError")
        db.session.commit()
        id = notice.id
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto(f"/staff/notices/{id}")
    expect(page.get_by_text(words["fault"])).to_be_visible()
    button(page, words["again"])
    expect(page.get_by_text(words["soon"])).to_be_visible()
    with service.app.app_context():
        assert db.session.get_one(Notice, id).verdict is Verdict.WAITING


@pytest.mark.parametrize("locale", WORDS)
def test_a_notice_that_contradicts_is_found_right_by_keyboard(
    opened: Open, service: Service, locale: str
) -> None:
    words, source, now = WORDS[locale], f"right-{locale.lower()}", datetime.now(UTC)
    with service.app.app_context():
        shop = make.endpoint(source, listing=make.listing())
        for amount in ("10.50", "9.00"):
            notice = make.notice(shop, "T-1", amount)
            intake.again(notice, now)
        db.session.commit()
        id = notice.id
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/settle")
    press(page, page.get_by_role("link", name=words["decide"].format(id), exact=True))
    form = page.locator("section", has=page.locator("#insist"))
    reach(page, form.get_by_label(words["why"]))
    page.keyboard.insert_text("the fee was counted in")
    button(page, words["insist"])
    expect(page.get_by_text(words["booked"])).to_be_visible()
    with service.app.app_context():
        booked = select(Entry.amount_minor).where(Entry.source == source)
        assert list(db.session.scalars(booked.order_by(Entry.id))) == [1050, -1050, 900]


@pytest.mark.parametrize("locale", WORDS)
def test_two_people_are_told_apart_by_keyboard(opened: Open, service: Service, locale: str) -> None:
    words, host = WORDS[locale], f"apart-{locale.lower()}.example.org"
    addresses = [f"zhao@{host}", f"min@{host}"]
    with service.app.app_context():
        pair = [make.donor(address, name=f"Zhao Min {locale}") for address in addresses]
        ids = [one.id for one in pair]
    page = logged_in(opened, service, Role.TREASURER, locale=locale)
    page.goto("/staff/donors/merges")
    press(page, page.get_by_role("link", name=words["look"].format(*addresses), exact=True))
    button(page, words["apart"])
    expect(page.get_by_role("link", name=words["look"].format(*addresses))).to_have_count(0)
    button(page, words["undo"].format(*addresses))
    expect(page.get_by_role("link", name=words["look"].format(*addresses))).to_have_count(1)
    with service.app.app_context():
        assert likeness.apart(*(db.session.get_one(Donor, id) for id in ids)) is None
