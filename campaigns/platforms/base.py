"""What every platform speaks: questions and answers, readings, movements, and what can go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from campaigns.money import Money

LONGEST_ID = 200  # characters of a listing's id
LONGEST_HOST = 255  # characters kept; no name can have more
# One movement, in minor units: a sum of many must still fit a BIGINT.
LARGEST_AMOUNT = 10**14
LARGEST_NOTICE = 256 * 1024  # bytes; a larger webhook body is refused before it is hashed


def N_(text: str) -> str:  # noqa: N802 (gettext's own name for "a msgid, translated later")
    """Mark a msgid for the catalogue; whoever shows it translates it."""
    return text


def detailed(reason: str, detail: object = "") -> str:
    """A reason as rows keep it: a sentence of the catalogue, and behind a colon what needs no
    translation: numbers, names, amounts. Whoever shows it translates the sentence."""
    return f"{reason}: {detail}" if detail != "" else reason


class PlatformError(Exception):
    """A platform did not give what was asked; why is a sentence of the catalogue, with a detail.

    `permanent`: asking the same again, without a person doing something, will not help.
    """

    permanent = False

    def __init__(self, reason: str, detail: object = "") -> None:
        super().__init__(detailed(reason, detail))


class Refused(PlatformError):
    """The platform does not want to be asked by us (401, 403, 451, a robot check). It is obeyed."""

    permanent = True


class Gone(PlatformError):
    """The page is not there (404, 410)."""

    permanent = True


class Unreadable(PlatformError):
    """It answered with something we do not understand; the message says what was not found."""


class Busy(PlatformError):
    """It asks for patience (429, 5xx); `retry_after` if it said how much."""

    def __init__(
        self, reason: str, detail: object = "", retry_after: timedelta | None = None
    ) -> None:
        super().__init__(reason, detail)
        self.retry_after = retry_after


class Unreachable(PlatformError):
    """No complete answer within the limits: no such name, no connection, too slow, cut off."""


class TooLarge(PlatformError):
    """The answer is larger than we read, as sent or unpacked."""


class ForbiddenAddress(PlatformError):
    """The address, or one it leads to, is not a public one that we may ask (promise P8)."""

    permanent = True


class NoticeError(PlatformError):
    """A webhook's post was not taken. Except for `NotUnderstood` it is answered with a 4xx."""

    permanent = True


class BadSignature(NoticeError):
    """Not signed by a key we hold."""


class SignatureProbe(BadSignature):
    """Wrong on purpose: its sender looks whether we notice. Refused, and nothing to worry about."""


class NotOurs(NoticeError):
    """Validly signed, about another app or merchant than the endpoint's."""


class StaleNotice(NoticeError):
    """Signed at a moment too far from now, so perhaps a replay."""


class MalformedNotice(NoticeError):
    """Not in the form agreed; the message names the header or field."""


class NotUnderstood(NoticeError):
    """Validly signed, but of a type we do not know: kept, answered 202, never booked."""


class BadKeys(ValueError):
    """A webhook's keys or settings cannot work: which `setting`, and a `reason` without its value.

    The reason is marked for the catalogue, so that a form can show it beside the field.
    """

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


class Kind(StrEnum):
    """Kinds of ledger entry."""

    DONATION = "donation"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    MATCH = "match"
    FEE = "fee"
    PAYOUT = "payout"
    DISBURSEMENT = "disbursement"
    EXPENSE = "expense"


class Key(NamedTuple):
    """A number somebody gave to a movement.

    One scheme holds numbers of one sort, the same through every door: `trade` (a payment),
    `order` (ours for it), `refund`, `request` (ours for a refund), `chargeback`, `match`, `line`
    (of an account statement).
    """

    scheme: str
    value: str


@dataclass(frozen=True)
class Giver:
    """Who gave, as the platform says; `email` is raw text that nobody has checked."""

    name: str | None = None
    email: str | None = None
    locale: str | None = None
    public_name: bool = False
    updates: bool = False


@dataclass(frozen=True)
class Movement:
    """Money that moved, in our words, before it is booked.

    `amount` is positive as stated; the ledger gives it its sign by `kind`. `keys` holds every
    number known for the movement, `refunds` the one of the donation that it takes back. The
    amount of a `cumulative` refund is all that was refunded of that donation so far, this time
    and before. `passed` is what a merchant passed along with a payment: it names a campaign or
    listing only if we know one by that name. An `elsewhere` movement is of an order that the
    endpoint's settings do not name.
    """

    kind: Kind
    amount: Money
    occurred_at: datetime
    keys: tuple[Key, ...]
    refunds: Key | None = None
    cumulative: bool = False
    campaign_ref: str | None = None
    passed: str | None = None
    elsewhere: bool = False
    donor: Giver | None = None
    message: str | None = None


@dataclass(frozen=True)
class Reading:
    """What an answer says about a listing, true at `moment` (aware UTC).

    A figure the answer states as empty is None, a stated zero or negative one is kept:
    whether to believe it is not the adapter's to decide. `donations` counts gifts, `donors`
    people; `matched` is what matching adds to `raised`, if told apart. `page` is for donors.
    """

    raised: Money | None
    moment: datetime
    target: Money | None = None
    matched: Money | None = None
    donations: int | None = None
    donors: int | None = None
    title: str | None = None
    page: str | None = None


class Recognised(NamedTuple):
    """A pasted address, understood: the platform's own id, and the page that donors open."""

    external_id: str
    url: str


@dataclass(frozen=True)
class Ask:
    """One request to a platform."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def host(self) -> str:
        """Whom it is put to: limits and rests are counted for each (design §11)."""
        return urlsplit(self.url).netloc.lower()[:LONGEST_HOST]

    def unless_changed(self, etag: str | None, last_modified: str | None) -> "Ask":
        """The same request, to be answered 304 if nothing changed since those headers came."""
        known = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        return replace(self, headers={**self.headers, **{k: v for k, v in known.items() if v}})


@dataclass(frozen=True)
class Answer:
    """One answer, whole and unpacked. Header names are lower case; `url` is where it came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked_at: datetime
    url: str = ""

    @property
    def not_modified(self) -> bool:
        return self.status == 304


class Verdict(StrEnum):
    """What a row of a file is, by itself: what is booked already only the ledger knows."""

    NEW = "new"
    NOT_A_DONATION = "not_a_donation"
    UNREADABLE = "unreadable"


class Item(NamedTuple):
    """One movement that a row of a file tells of, or why the row tells of none.

    `number` is the line or row as a person counts it; a row that gives money and its fee gives
    two items of the same number. `reason` is a sentence of the catalogue, with details behind
    ": " if there are any. `minor` is positive as stated, but a fee given back is negative.
    The numbers are those of `Key`'s schemes of the same names. `regards` is "trade:…", what a
    refund, match or fee is about. `ref` may name a campaign or listing. `account` is the source
    of the money, if the row tells it. Only an item of verdict "new" has all that booking needs.
    """

    number: int
    verdict: str
    reason: str = ""
    kind: str | None = None
    minor: int | None = None
    currency: str | None = None
    occurred_at: datetime | None = None
    line: str | None = None
    trade: str | None = None
    order: str | None = None
    refund: str | None = None
    request: str | None = None
    fee: str | None = None
    match: str | None = None
    regards: str | None = None
    ref: str | None = None
    account: str | None = None
    donations: int = 0
    name: str | None = None
    email: str | None = None
    message: str | None = None
