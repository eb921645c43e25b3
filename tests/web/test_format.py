"""How figures and moments read in both languages."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import Babel, force_locale

import campaigns
from campaigns.money import CurrencyMismatch, Money
from campaigns.web import format

NOW = datetime.now(UTC)
THIS_YEAR = NOW.year


@pytest.fixture(autouse=True)
def shanghai(tmp_path: Path) -> Iterator[Flask]:
    texts = Path(campaigns.__file__).parent / "translations/zh_Hans/LC_MESSAGES/messages.po"
    compiled = tmp_path / "zh_Hans/LC_MESSAGES/messages.mo"
    compiled.parent.mkdir(parents=True)
    with texts.open("rb") as source, compiled.open("wb") as target:
        write_mo(target, read_po(source, locale="zh_Hans"))
    app = Flask(__name__)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(tmp_path)
    Babel(app, default_locale="zh_Hans", default_timezone="Asia/Shanghai")
    format.init_app(app)
    with app.app_context():
        yield app


def yuan(amount: str) -> Money:
    return Money.of(amount, "CNY")


def test_the_sign_stands_before_the_amount_with_a_thin_space_in_chinese() -> None:
    assert format.money(yuan("186420.50")) == "¥\u202f186,420.50"
    with force_locale("en"):
        assert format.money(yuan("186420.50")) == "¥186,420.50"


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("300000.00 USD", "US$300,000.00"),
        ("-12.30 CNY", "\u2212¥12.30"),
        ("0.05 CNY", "¥0.05"),
        ("1200 JPY", "JP¥1,200"),
        ("1234.567 KWD", "KWD\u202f1,234.567"),
        ("92233720368547.07 CNY", "¥92,233,720,368,547.07"),
    ],
)
def test_amounts_of_any_currency_and_size_are_written_exactly(amount: str, written: str) -> None:
    with force_locale("en"):
        assert format.money(Money.parse(amount)) == written


def test_only_a_round_amount_loses_its_decimals() -> None:
    with force_locale("en"):
        assert format.whole_money(yuan("300000.00")) == "¥300,000"
        assert format.whole_money(yuan("300000.50")) == "¥300,000.50"
        assert format.whole_money(Money.of("1200", "JPY")) == "JP¥1,200"


@pytest.mark.parametrize(
    ("raised", "written"),
    [
        ("0.00", "0%"),
        ("0.01", "<1%"),
        ("10.00", "1%"),
        ("999.99", "99%"),
        ("1000.00", "100%"),
        ("1319.99", "131%"),
        ("-5.00", "0%"),
    ],
)
def test_percentages_are_rounded_down(raised: str, written: str) -> None:
    assert format.percent(yuan(raised), yuan("1000.00")) == written


def test_no_percentage_compares_two_currencies() -> None:
    with pytest.raises(CurrencyMismatch):
        format.percent(yuan("10.00"), Money.of("100.00", "USD"))


def test_moments_are_told_in_the_viewers_zone() -> None:
    at = datetime(THIS_YEAR, 11, 22, 6, 5, tzinfo=UTC)
    assert format.moment(at) == "11 月 22 日 14:05"
    assert format.moment(at, "Europe/Berlin") == "11 月 22 日 07:05"
    with force_locale("en"):
        assert format.moment(at) == "22 November, 14:05"


def test_another_year_is_named() -> None:
    at = datetime(2019, 12, 31, 16, 0, tzinfo=UTC)
    assert format.moment(at) == "2020 年 1 月 1 日 00:00"
    assert format.day(at) == "2020 年 1 月 1 日"
    with force_locale("en"):
        assert format.moment(at) == "1 January 2020, 00:00"
        assert format.day(date(2019, 9, 3)) == "3 September 2019"


def test_a_span_repeats_nothing() -> None:
    first = datetime(2019, 3, 1, 6, 5, tzinfo=UTC)
    assert format.span((first, first)) == "2019 年 3 月 1 日 14:05"
    assert format.span((first, first + timedelta(minutes=7))) == "2019 年 3 月 1 日 14:05–14:12"
    across = (first, first + timedelta(days=1))
    assert format.span(across) == "2019 年 3 月 1 日 14:05 至 2019 年 3 月 2 日 14:05"
    with force_locale("en"):
        assert format.span(across) == "1 March 2019, 14:05 to 2 March 2019, 14:05"


@pytest.mark.parametrize(
    ("since", "english", "chinese"),
    [
        (timedelta(seconds=59), "just now", "刚刚"),
        (timedelta(seconds=-30), "just now", "刚刚"),
        (timedelta(minutes=1), "1 minute ago", "1 分钟前"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago", "59 分钟前"),
        (timedelta(hours=23, minutes=59), "23 hours ago", "23 小时前"),
        (timedelta(days=12), "12 days ago", "12 天前"),
        (timedelta(days=-2), "in 2 days", "2 天后"),
        (timedelta(minutes=-90), "in 1 hour", "1 小时后"),
    ],
)
def test_how_long_ago_is_rounded_down(since: timedelta, english: str, chinese: str) -> None:
    assert format.ago(NOW - since, NOW) == chinese
    with force_locale("en"):
        assert format.ago(NOW - since, NOW) == english


def test_what_is_not_known_is_a_dash() -> None:
    assert {
        format.money(None),
        format.whole_money(None),
        format.percent(None, yuan("1.00")),
        format.percent(yuan("1.00"), None),
        format.count(None),
        format.moment(None),
        format.day(None),
        format.clock(None),
        format.span(None),
        format.ago(None),
    } == {"—"}


def test_machines_get_utc() -> None:
    assert format.iso(datetime(2026, 11, 22, 6, 5, 9, 123, tzinfo=UTC)) == "2026-11-22T06:05:09Z"
    assert format.iso(date(2026, 11, 22)) == "2026-11-22"


def test_templates_find_the_filters_and_the_language(shanghai: Flask) -> None:
    written = shanghai.jinja_env.from_string(
        "{{ language() }} {{ sum | money }} {{ 2034 | count }}"
    )
    assert written.render(sum=yuan("8800.00")) == "zh-Hans ¥\u202f8,800.00 2,034"
