"""Days off: a country's public holidays, its weekends, and the workdays that make up for them."""

import re
from datetime import date, timedelta
from functools import cache, lru_cache

import holidays
from holidays import HolidayBase

# The library's names of our languages.
_LANGUAGES = {"zh-Hans": "zh_CN", "en": "en_US"}
_DAY = timedelta(days=1)
_BRACKETS = re.compile(r"\s*[（(][^;]*")


def knows(country: str) -> bool:
    """Whether the holidays of a country (ISO 3166, two letters) are known."""
    return country in _countries()


def holiday(country: str, day: date, locale: str = "en") -> str | None:
    """The name of the public holiday; None for any other day, and where nothing is known.

    What the library says of it in brackets, as that it is shifted, is left out.
    """
    found = _year(country, day.year, locale)
    name = None if found is None else found.get(day)
    return name and _BRACKETS.sub("", name)


def made_up(country: str, day: date) -> bool:
    """Whether people work on this day of a weekend, since they were free on another (调休)."""
    found = _year(country, day.year)
    return found is not None and day in found.weekend_workdays


def off(country: str, day: date) -> bool:
    """Whether the day is a public holiday or of a weekend, and not one that people work on."""
    found = _year(country, day.year)
    if found is None:
        return False
    return not found.is_working_day(day)


def of_holiday(country: str, day: date) -> bool:
    """Whether the day is a public holiday, or of a weekend that runs into one.

    So do countries count them that announce holidays as spans, as the State Council does: 1 to 7
    October are seven days, with the Sunday among them.
    """
    if not off(country, day):
        return False
    return any(
        holiday(country, near) is not None
        for step in (_DAY, -_DAY)
        for near in _run(country, day, step)
    )


def _run(country: str, day: date, step: timedelta) -> list[date]:
    """The day and those after it (or before it) that are off without a break."""
    days = []
    while off(country, day):
        days.append(day)
        day += step
    return days


@cache
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=32)
def _year(country: str, year: int, locale: str = "en") -> HolidayBase | None:
    if not knows(country):
        return None
    return holidays.country_holidays(country, years=year, language=_LANGUAGES.get(locale))
