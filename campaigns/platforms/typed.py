"""Typed amounts: as a person types or copies them, "¥1,234.56", "12.5 万元", "１２３４"."""

import re
import unicodedata

from campaigns.money import BadMoney, Money, decimals

# What may stand beside an amount of a currency; any other mark makes it unreadable.
_MARKS = {
    "CNY": ("¥", "RMB", "人民币", "元", "圆"),
    "HKD": ("HK$", "$", "港元", "港币", "元"),
    "USD": ("US$", "$", "美元"),
    "EUR": ("€", "欧元"),
    "GBP": ("£", "英镑"),
    "JPY": ("¥", "JP¥", "日元", "円"),
}
_POWERS = {"千": 3, "万": 4, "百万": 6, "千万": 7, "亿": 8}
_MINUS = "−"
# Thousands are grouped by three or not at all: "1,5" is not fifteen.
_AMOUNT = re.compile(
    r"([+-]?)([0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(\.[0-9]{1,6})?(百万|千万|万|亿|千)?",
    re.ASCII,
)


def amount(text: str, currency: str) -> Money | None:
    """None if nothing was typed. Raises `BadMoney`, also for more decimals than the currency has.

    A comma of any width parts thousands; 万 and its kind multiply.
    """
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKC", text)
        # Blanks, and marks of no width that pages put between digits.
        if not character.isspace() and unicodedata.category(character) != "Cf"
    )
    if not plain:
        return None
    bare = _without_marks(plain.replace(_MINUS, "-"), currency)
    found = _AMOUNT.fullmatch(bare)
    if found is None:
        raise BadMoney(f"{text.strip()[:40]!r} is not an amount in {currency}.")
    sign, whole, fraction, unit = found.groups()
    return _money(
        sign, whole.replace(",", ""), (fraction or "")[1:], _POWERS.get(unit, 0), currency
    )


def _without_marks(text: str, currency: str) -> str:
    """The number and its unit; a minus may stand before a currency's sign."""
    sign = text[:1] if text[:1] in ("-", "+") else ""
    bare = text.removeprefix(sign)
    for mark in sorted((currency, *_MARKS.get(currency, ())), key=len, reverse=True):
        bare = bare.removeprefix(mark) if bare.startswith(mark) else bare.removesuffix(mark)
    return sign + bare


def _money(sign: str, whole: str, fraction: str, power: int, currency: str) -> Money:
    """Of "1.25" 万 the digits move by four places, and what is left of them are decimals."""
    moved = fraction[:power].ljust(power, "0")
    left = fraction[power:]
    if len(left) > decimals(currency):
        raise BadMoney(f"There are more decimals than {currency} has.")
    digits = (whole + moved).lstrip("0") or "0"
    return Money.of(f"{'' if sign == '+' else sign}{digits}{f'.{left}' if left else ''}", currency)
