"""Money: integer minor units with an ISO 4217 currency."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

from babel.core import get_global

# ISO 4217 list one, column "minor unit"; what is not named here has two. (CLDR's digits, which
# Babel carries, are habits of display and differ: AFN, IQD, LAK and others.)
_DECIMALS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
# Codes without a minor unit: metals, funds, tests.
_NOT_MONEY = frozenset("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split())
_CURRENCIES = frozenset(get_global("all_currencies")) - _NOT_MONEY
_AMOUNT = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_LARGEST = 2**63 - 1


class BadMoney(ValueError):
    """The text is not an amount of money this service can hold; the message says why."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum."""


@dataclass(frozen=True, order=False, slots=True)
class Money:
    """An amount in minor units (fen, cents), possibly negative, that fits a BIGINT.

    Adding or comparing different currencies raises `CurrencyMismatch`.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise BadMoney(f"Money counts whole minor units, not {self.minor!r}.")
        if abs(self.minor) > _LARGEST:
            raise BadMoney("The amount is larger than the ledger can hold.")
        if self.currency not in _CURRENCIES:
            raise BadMoney(f"{self.currency!r} is not an ISO 4217 currency, such as CNY or USD.")

    @classmethod
    def of(cls, amount: str, currency: str) -> Self:
        """Read a plain decimal such as "10.50"; more decimals than the currency has are refused.

        Raises `BadMoney`. No thousands separators, no exponents, no surrounding space.
        """
        if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
            raise BadMoney(f"{str(amount)[:40]!r} is not an amount: write digits, such as 10.50.")
        digits = decimals(currency)
        try:
            scaled = Decimal(amount).scaleb(digits)
        except InvalidOperation as error:
            raise BadMoney("The amount is larger than the ledger can hold.") from error
        if scaled != scaled.to_integral_value():
            raise BadMoney(f"{amount} has more decimals than {currency}, which has {digits}.")
        return cls(int(scaled), currency)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "10.50 CNY". Raises `BadMoney`."""
        amount, _, currency = text.partition(" ")
        return cls.of(amount, currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def sum(cls, amounts: "Iterable[Money]", currency: str) -> Self:
        """The sum in `currency`; zero of nothing. Raises `CurrencyMismatch`."""
        total = cls.zero(currency)
        for amount in amounts:
            total = total + amount
        return total

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-decimals(self.currency))

    @property
    def amount(self) -> str:
        """The plain decimal, with as many decimals as the currency has: "10.50"."""
        return f"{self.decimal:.{decimals(self.currency)}f}"

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def __add__(self, other: "Money") -> Self:
        self._same(other)
        return type(self)(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> Self:
        return self + -other

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        return not other < self

    def __gt__(self, other: "Money") -> bool:
        return other < self

    def __ge__(self, other: "Money") -> bool:
        return not self < other

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add up.")


def decimals(currency: str) -> int:
    """How many decimals the currency's amounts have. Raises `BadMoney` for an unknown one."""
    if currency not in _CURRENCIES:
        raise BadMoney(f"{str(currency)[:40]!r} is not an ISO 4217 currency, such as CNY or USD.")
    return _DECIMALS.get(currency, 2)
