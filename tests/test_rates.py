"""Rates that staff enter: one per day and pair, and every change on record."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from campaigns import rates
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.rate import Rate
from campaigns.money import BadMoney, CurrencyMismatch, Money
from campaigns.rates import BadRate, Quote
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
DAY = date(2026, 11, 22)


def quote(**more: Any) -> Quote:
    given: dict[str, Any] = {
        "day": DAY,
        "base": "USD",
        "quote": "CNY",
        "rate": Decimal("7.1052"),
        "source": "People's Bank of China",
    }
    return Quote(**given | more)


def test_a_rate_replaces_the_one_of_its_day_and_pair() -> None:
    staff = make.staff()
    for value in ("7.1", "7.1", "7.2"):
        rates.enter(quote(rate=Decimal(value)), NOON, staff)
    assert [row.rate for row in rates.newest()] == [Decimal("7.2")]
    changes = [record.changes for record in db.session.scalars(select(AuditRecord))]
    subject = "2026-11-22 USD CNY"
    assert changes == [{subject: [None, "7.1"]}, {subject: ["7.1", "7.2"]}]


def test_another_day_or_direction_is_another_rate() -> None:
    staff = make.staff()
    rates.enter(quote(), NOON, staff)
    rates.enter(quote(day=date(2026, 11, 21)), NOON, staff)
    rates.enter(quote(base="CNY", quote="USD", rate=Decimal("0.14")), NOON, staff)
    assert [(row.day.day, row.base) for row in rates.newest()] == [
        (22, "CNY"),
        (22, "USD"),
        (21, "USD"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": Decimal(0)},
        {"rate": Decimal("-7")},
        {"rate": Decimal("NaN")},
        {"rate": Decimal("Infinity")},
        {"rate": Decimal("1e11")},
        {"rate": Decimal("0.12345678901")},
        {"quote": "USD"},
        {"source": " "},
    ],
    ids=str,
)
def test_what_cannot_be_a_rate_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRate):
        rates.enter(quote(**wrong), NOON, make.staff())


def test_a_currency_must_be_one() -> None:
    with pytest.raises(BadMoney):
        rates.enter(quote(base="RMB"), NOON, make.staff())


@pytest.mark.parametrize(
    ("amount", "rate", "worth"),
    [
        ("100.00 USD", "7.1052", "710.52 CNY"),
        ("0.50 USD", "0.01", "0.00 CNY"),
        ("1.50 USD", "0.01", "0.02 CNY"),
        ("-1.50 USD", "0.01", "-0.02 CNY"),
        ("1000.00 USD", "155.1234", "155123 JPY"),
        ("1000.00 USD", "0.3071", "307.100 KWD"),
    ],
)
def test_what_is_converted_is_rounded_half_to_even(amount: str, rate: str, worth: str) -> None:
    row = Rate(day=DAY, base="USD", quote=worth[-3:], rate=Decimal(rate), source="test")
    assert str(row.convert(Money.parse(amount))) == worth


def test_a_rate_converts_its_own_currency_only() -> None:
    with pytest.raises(CurrencyMismatch):
        Rate(day=DAY, base="USD", quote="CNY", rate=Decimal(7), source="test").convert(
            Money.parse("1.00 EUR")
        )
