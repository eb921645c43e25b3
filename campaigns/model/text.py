"""Texts that exist in several languages, and which of them a reader gets."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar


class InLocale(Protocol):
    locale: str


T = TypeVar("T", bound=InLocale)


class Texts(Generic[T]):
    """The versions of one text. `best` never fails as long as there is one."""

    def __init__(self, versions: Sequence[T], default_locale: str) -> None:
        self._by_locale = {version.locale: version for version in versions}
        self._default = default_locale

    def best(self, locale: str) -> T:
        """The version in `locale`, else in the default language, else the first written.

        Raises `LookupError` where there is none at all.
        """
        for wanted in (locale, self._default):
            if wanted in self._by_locale:
                return self._by_locale[wanted]
        for version in self._by_locale.values():
            return version
        raise LookupError("A text was asked for that exists in no language.")

    def has(self, locale: str) -> bool:
        return locale in self._by_locale
