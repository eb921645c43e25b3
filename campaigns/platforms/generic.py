"""Tables that we do not know: read by a mapping of their headings, a saved one or the default."""

import re
from collections.abc import Iterator
from functools import cache

from campaigns.platforms import cells
from campaigns.platforms.base import N_, Item, Kind, Verdict
from campaigns.platforms.cells import BadCell, Remembered
from campaigns.platforms.mapping import FIELDS, Dates, Mapping, Negative
from campaigns.platforms.profile import (
    Cells,
    Column,
    Profile,
    Reading,
    heading,
    not_a_donation,
)

NAME = "generic"
_LABEL = N_("Any other table")
_ONE = tuple(field for field in FIELDS if not field.many)
_PLACES = {field.name: place for place, field in enumerate(_ONE)}
_YEAR_LAST = re.compile(r"\s*(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(.*)", re.ASCII | re.DOTALL)
_LEAVES = (Kind.REFUND, Kind.CHARGEBACK, Kind.FEE, Kind.PAYOUT)
_SUMS = frozenset(("合计", "总计", "小计", "总额", "total", "sum"))
_MOST_GIFTS = 1_000_000


def profile(mapping: Mapping) -> Profile:
    """The profile that reads tables by `mapping`."""
    one = tuple(Column(tuple(mapping.columns.get(field.name, ()))) for field in _ONE)
    matches = tuple(dict.fromkeys(heading(text) for text in mapping.columns.get("match", ())))
    return Profile(
        name=NAME,
        label=_LABEL,
        columns=one + tuple(Column((text,)) for text in matches),
        read=_Rows(mapping, matches).read,
        foot=_foot,
        lacks=_lacks,
        currency=mapping.currency,
        zone=mapping.zone,
    )


def _foot(row: list[str], reading: Reading) -> bool:
    """A row of sums is no row of the table; what it sums up is not said."""
    told = [cell for cell in row if cell.strip()]
    return bool(told) and heading(told[0]).rstrip(":") in _SUMS


def _lacks(there: tuple[bool, ...]) -> tuple[str, ...]:
    amounts = any(there[_PLACES[name]] for name in ("amount", "income", "expense"))
    missing = () if there[_PLACES["when"]] else ("when",)
    return missing if amounts else (*missing, "amount")


class _Rows:
    """Rows of one table; each is a movement, and beside it its matches and its fee."""

    def __init__(self, mapping: Mapping, matches: tuple[str, ...]) -> None:
        self._mapping, self._matches = mapping, matches
        self._words = {word.casefold(): kind for word, kind in mapping.words.items()}
        self._amounts = cache(
            lambda currency: Remembered(lambda cell: cells.amount(cell, currency))
        )
        self._sort = cache(self._by_longest_word)

    def read(self, number: int, row: Cells, reading: Reading) -> list[Item]:
        """The movement first. A row without an amount may still tell of a match."""
        told = dict(zip(_PLACES, row, strict=False))
        currency = cells.words(told["currency"]) or self._mapping.currency
        minor = self._minor(told, currency)
        if why := self._why_not(told):
            return [not_a_donation(number, *why)]
        kind = self._kind(told, minor)
        matched = [self._amount(cell, currency) for cell in row[len(_PLACES) :]]
        if not minor and not any(matched):
            return [not_a_donation(number, N_("No money moved"))]
        if not kind:
            return [not_a_donation(number, N_("Rows of this sort are not known"), told["kind"])]
        item = self._movement(number, told, kind, minor, currency, reading)
        return list(self._all(item, told, matched))

    def _minor(self, told: dict[str, str], currency: str) -> int:
        """The amount as stated, or the income less the expense."""
        if told["amount"].strip():
            return self._amount(told["amount"], currency)
        come = self._amount(told["income"], currency)
        return come - abs(self._amount(told["expense"], currency))

    def _amount(self, cell: str, currency: str) -> int:
        if not self._mapping.minor_units:
            return self._amounts(currency)[cell]
        text = cell.strip().replace(",", "") or "0"
        if not re.fullmatch(r"-?[0-9]{1,14}", text, re.ASCII):
            raise BadCell(N_("An amount cannot be read"), cell)
        return int(text)

    def _why_not(self, told: dict[str, str]) -> tuple[str, str] | None:
        status, direction = (self._sort(told[name]) for name in ("status", "direction"))
        kind = self._sort(told["kind"])
        if status == "":
            return N_("Its state says that no money was received"), told["status"]
        if direction == "" and kind not in _LEAVES:
            return N_("Money paid, not received"), told["kind"]
        if direction == Kind.DONATION and kind == Kind.REFUND:
            return N_("Money given back to us is not a donation"), told["kind"]
        return None

    def _kind(self, told: dict[str, str], minor: int) -> str:
        kind = self._sort(told["kind"])
        if kind is None:
            kind = self._mapping.otherwise if told["kind"].strip() else Kind.DONATION.value
        if minor < 0 and kind == Kind.DONATION:
            if self._mapping.negative == Negative.REFUSED:
                raise BadCell(N_("An amount is negative"), told["amount"])
            return Kind.REFUND.value
        return kind

    def _by_longest_word(self, cell: str) -> str | None:
        """What the longest word that the cell holds stands for; None if it holds none."""
        text = cell.strip().casefold()
        words = [word for word in self._words if word == text or (word in text and len(word) > 1)]
        return self._words[max(words, key=len)] if words else None

    def _movement(
        self, number: int, told: dict[str, str], kind: str, minor: int, currency: str,
        reading: Reading,
    ) -> Item:  # fmt: skip
        trade = cells.number(told["trade"])
        gift = kind == Kind.DONATION
        return Item(
            number, Verdict.NEW.value, "", kind, abs(minor), currency,
            reading.moment(self._when(told)),
            trade=trade if gift else None,
            order=cells.number(told["order"]) if gift else None,
            refund=cells.number(told["refund"]) or trade if kind == Kind.REFUND else None,
            request=cells.number(told["request"]) if kind == Kind.REFUND else None,
            fee=trade if kind == Kind.FEE else None,
            match=trade if kind == Kind.MATCH else None,
            regards=f"trade:{trade}" if trade and kind in (Kind.REFUND, Kind.FEE) else None,
            ref=cells.words(told["ref"]),
            donations=_gifts(told["donations"]) if gift else 0,
            name=cells.words(told["name"]) if gift else None,
            email=cells.words(told["email"]) if gift else None,
            message=cells.words(told["message"]) if gift else None,
        )  # fmt: skip

    def _when(self, told: dict[str, str]) -> str:
        when = told["when"]
        if self._mapping.dates != Dates.YEAR_FIRST and (found := _YEAR_LAST.fullmatch(when)):
            one, mark, two, year, rest = found.groups()
            day, month = (one, two) if self._mapping.dates == Dates.DAY_FIRST else (two, one)
            when = f"{year}{mark}{month}{mark}{day}{rest}"
        return f"{when.strip()} {told['clock'].strip()}".strip()

    def _all(self, item: Item, told: dict[str, str], matched: list[int]) -> Iterator[Item]:
        """The movement, and what else the row tells beside it."""
        known = item.trade or item.order
        regards = f"trade:{item.trade}" if item.trade else None
        if item.minor:
            yield item
        for source, minor in zip(self._matches, matched, strict=True):
            if minor < 0:
                raise BadCell(N_("An amount is negative"), source)
            if minor:
                yield Item(
                    item.number, Verdict.NEW.value, "", Kind.MATCH.value, minor, item.currency,
                    item.occurred_at, match=f"{known}:{source}" if known else None,
                    regards=regards, ref=item.ref,
                )  # fmt: skip
        if fee := self._amount(told["fee"], item.currency or ""):
            back = item.kind == Kind.REFUND
            given_back = f"refund:{item.refund or item.request}"
            yield Item(
                item.number, Verdict.NEW.value, "", Kind.FEE.value, -abs(fee) if back else abs(fee),
                item.currency, item.occurred_at, fee=given_back if back else item.trade,
                regards=item.regards if back else regards, ref=item.ref,
            )  # fmt: skip


def _gifts(cell: str) -> int:
    text = cell.strip()
    if not text:
        return 1
    if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII) or not 1 <= int(text) <= _MOST_GIFTS:
        raise BadCell(N_("A number of gifts cannot be read"), cell)
    return int(text)


PROFILES = (profile(Mapping()),)
