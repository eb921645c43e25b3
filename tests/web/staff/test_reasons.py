"""Reasons in the reader's language, found by the very sentences that reporting writes."""

from datetime import timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from campaigns import reporting
from campaigns.files.bad import BadFile
from campaigns.money import Money
from campaigns.platforms.base import Reading
from campaigns.web.staff import reasons
from tests import make
from tests.make import NOON


@pytest.mark.parametrize(
    ("figure", "later", "said"),
    [
        (None, 1, "平台没有给出数字。"),
        (Money(-1, "CNY"), 1, "数字小于零。"),
        (Money(100, "USD"), 1, "数字是 USD，而这个页面以 CNY 筹款。"),
        (Money(40_000, "CNY"), 1, "数字从 ¥\u202f500.00 降到 ¥\u202f400.00。"),
        (Money(2_000_000, "CNY"), 1, "数字从 ¥\u202f500.00 跳到 ¥\u202f20,000.00。"),
        (Money(60_000, "CNY"), -1, "这个数字比已显示的更早。"),
        (Money(60_000, "CNY"), 60, "平台给出的时间在未来。"),
    ],
)
def test_every_doubt_is_told_in_chinese(
    app: Flask, figure: Money | None, later: int, said: str
) -> None:
    listing = make.listing()
    reporting.record(listing, Reading(Money(50_000, "CNY"), NOON), NOON)
    report = reporting.record(listing, Reading(figure, NOON + timedelta(minutes=later)), NOON)
    with app.test_request_context(), force_locale("zh_Hans"):
        assert reasons.told(report.reason) == said


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("A field is missing: data.amount", "缺少字段：data.amount"),
        ("We ask on the ports 80 and 443 only: 8080", "我们只访问 80 和 443 端口：8080"),
        ("The host is not a name that can be.", "主机名不成立。"),
        ("announced → received", "已宣布 → 已到账"),
        ("booked anew", "已重新入账"),
        (str(BadFile("The archive holds no CSV file.")), "压缩包里没有 CSV 文件。"),
        (
            str(BadFile("The workbook holds no sheet of this name", "二")),
            "工作簿里没有这个工作表：二",
        ),
    ],
)
def test_a_sentence_is_told_in_chinese_and_its_details_stay(
    app: Flask, reason: str, said: str
) -> None:
    with force_locale("zh_Hans"):
        assert reasons.told(reason) == said
    with force_locale("en"):
        assert reasons.told(reason) == reason


def test_what_a_person_wrote_stays(app: Flask) -> None:
    with force_locale("zh_Hans"):
        assert reasons.told("退款。 We asked them.") == "退款。 We asked them."
        assert reasons.told("By phone: it was 5 yuan.") == "By phone: it was 5 yuan."
        assert reasons.told(None) == ""
