"""How figures and moments are written: the filters that templates use, in both languages.

Every filter takes None and writes a dash, reads the language and zone of the one who looks (those
of flask_babel unless a zone is given, as a letter does), and needs an app context.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from math import ceil
from zoneinfo import ZoneInfo

from babel import Locale
from flask import Flask
from flask_babel import get_locale, get_timezone, gettext, ngettext

from campaigns.money import Money

NONE = "—"
MINUS = "\u2212"
THIN = "\u202f"  # the thin space that does not let the sign and its amount part at a line's end
_SIGNS = {
    "CNY": "¥",
    "USD": "US$",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "MOP": "MOP$",
    "TWD": "NT$",
    "JPY": "JP¥",
    "KRW": "₩",
    "SGD": "S$",
    "AUD": "A$",
    "CAD": "CA$",
}
_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def init_app(app: Flask) -> None:
    """Give `app`'s templates every filter below and `language()`. Twice is as good as once."""
    for written in (
        money,
        whole_money,
        percent,
        count,
        moment,
        day,
        clock,
        span,
        ago,
        every,
        iso,
    ):
        app.jinja_env.filters[written.__name__] = written
    app.jinja_env.globals["language"] = language


def language() -> str:
    """The language of this page or letter as HTML and settings name it: "zh-Hans" or "en"."""
    return "zh-Hans" if _chinese() else "en"


def money(amount: Money | None) -> str:
    """ "¥186,420.50" in English; in Chinese a thin space stands after the sign."""
    return NONE if amount is None else _signed(amount, amount.amount.lstrip("-"))


def whole_money(amount: Money | None) -> str:
    """As `money`, but a round amount such as a target stands without ".00"."""
    if amount is None:
        return NONE
    plain = amount.amount.lstrip("-")
    units, _, fraction = plain.partition(".")
    return _signed(amount, plain if fraction.strip("0") else units)


def percent(part: Money | None, whole: Money | None) -> str:
    """`part` of `whole` in whole percent, rounded down: 99.9 is 99 %, so only all reads as 100 %.

    What is more than nothing and less than one per cent is "<1%". Raises `CurrencyMismatch`.
    """
    if part is None or whole is None or whole.minor <= 0:
        return NONE
    if Money.zero(whole.currency) < part and part.minor * 100 < whole.minor:
        return "<1%"
    return f"{max(part.minor, 0) * 100 // whole.minor}%"


def count(number: int | None) -> str:
    """A whole number with its thousands apart: "2,034"."""
    return NONE if number is None else f"{number:,}".replace("-", MINUS)


def moment(at: datetime | None, zone: tzinfo | str | None = None) -> str:
    """ "11 月 22 日 14:05" or "22 November, 14:05"; with the year unless it is this one."""
    if at is None:
        return NONE
    local = at.astimezone(_zone(zone))
    joint = " " if _chinese() else ", "
    return f"{_day(local.date(), _today(zone))}{joint}{local:%H:%M}"


def day(on: date | None, zone: tzinfo | str | None = None) -> str:
    """ "11 月 22 日" or "22 November" of a date, or of the day a moment falls on in the zone."""
    if on is None:
        return NONE
    if isinstance(on, datetime):
        on = on.astimezone(_zone(zone)).date()
    return _day(on, _today(zone))


def clock(at: datetime | None, zone: tzinfo | str | None = None) -> str:
    """The time of day alone: "14:05"."""
    return NONE if at is None else f"{at.astimezone(_zone(zone)):%H:%M}"


def span(between: tuple[datetime, datetime] | None, zone: tzinfo | str | None = None) -> str:
    """From one moment to another as briefly as is exact: "22 November, 14:05–14:12"."""
    if between is None:
        return NONE
    first, last = (at.astimezone(_zone(zone)) for at in between)
    if (first.date(), clock(first, zone)) == (last.date(), clock(last, zone)):
        return moment(first, zone)
    if first.date() == last.date():
        return f"{moment(first, zone)}–{clock(last, zone)}"
    return str(gettext("%(first)s to %(last)s", first=moment(first, zone), last=moment(last, zone)))


def ago(at: datetime | None, now: datetime | None = None) -> str:
    """How long since, or until: "just now", "3 minutes ago", "in 2 days". Rounded down."""
    if at is None:
        return NONE
    passed = (now or datetime.now(UTC)) - at
    return _until(-passed) if passed <= timedelta(minutes=-1) else _since(passed)


def every(period: timedelta | None) -> str:
    """How often a platform is asked: "asked every 10 minutes". Rounded up, to promise no more."""
    if period is None:
        return NONE
    seconds = ceil(period.total_seconds())
    minutes, hours, days = ceil(seconds / 60), ceil(seconds / 3600), ceil(seconds / 86400)
    if seconds < 60:
        return str(gettext("asked every %(num)d seconds", num=seconds))
    if minutes < 120 and minutes != 60:
        return str(ngettext("asked every minute", "asked every %(num)d minutes", minutes))
    if hours < 48 and hours != 24:
        return str(ngettext("asked every hour", "asked every %(num)d hours", hours))
    return str(ngettext("asked once a day", "asked every %(num)d days", days))


def iso(at: date | None) -> str:
    """For the `datetime` attribute of `<time>`: UTC to the second, or a plain date."""
    if not isinstance(at, datetime):
        return "" if at is None else at.isoformat()
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _chinese() -> bool:
    locale: Locale | None = get_locale()
    return locale is None or locale.language == "zh"


def _signed(amount: Money, plain: str) -> str:
    units, point, fraction = plain.partition(".")
    sign = _SIGNS.get(amount.currency, amount.currency + THIN)
    gap = THIN if _chinese() and not sign.endswith(THIN) else ""
    minus = MINUS if amount.minor < 0 else ""
    return f"{minus}{sign}{gap}{Decimal(units):,}{point}{fraction}"


def _zone(zone: tzinfo | str | None) -> tzinfo:
    if zone is None:
        return get_timezone() or UTC
    return ZoneInfo(zone) if isinstance(zone, str) else zone


def _today(zone: tzinfo | str | None) -> date:
    return datetime.now(_zone(zone)).date()


def _day(on: date, today: date) -> str:
    if _chinese():
        year = "" if on.year == today.year else f"{on.year} 年 "
        return f"{year}{on.month} 月 {on.day} 日"
    year = "" if on.year == today.year else f" {on.year}"
    return f"{on.day} {_MONTHS[on.month - 1]}{year}"


def _since(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return str(gettext("just now"))
    if minutes < 60:
        return str(ngettext("%(num)d minute ago", "%(num)d minutes ago", minutes))
    if minutes < 60 * 24:
        return str(ngettext("%(num)d hour ago", "%(num)d hours ago", minutes // 60))
    return str(ngettext("%(num)d day ago", "%(num)d days ago", minutes // (60 * 24)))


def _until(left: timedelta) -> str:
    minutes = int(left.total_seconds() // 60)
    if minutes < 60:
        return str(ngettext("in %(num)d minute", "in %(num)d minutes", minutes))
    if minutes < 60 * 24:
        return str(ngettext("in %(num)d hour", "in %(num)d hours", minutes // 60))
    return str(ngettext("in %(num)d day", "in %(num)d days", minutes // (60 * 24)))
