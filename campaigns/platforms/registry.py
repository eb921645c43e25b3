"""Which platforms and webhook schemes there are: every module beside this one that is one."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import cast

from campaigns import platforms as package
from campaigns.platforms.base import Platform, Recognised, Scheme


class UnknownPlatform(LookupError):
    """No module of that name is a platform."""


class UnknownScheme(LookupError):
    """No module of that name is a webhook scheme."""


def platform(name: str) -> Platform:
    """Raises `UnknownPlatform`."""
    try:
        return platforms()[name]
    except KeyError as error:
        raise UnknownPlatform(f"There is no platform called {name!r}.") from error


def scheme(name: str) -> Scheme:
    """Raises `UnknownScheme`."""
    try:
        return schemes()[name]
    except KeyError as error:
        known = ", ".join(schemes())
        raise UnknownScheme(f"There is no webhook scheme called {name!r}, only {known}.") from error


def recognise(url: str) -> tuple[str, Recognised] | None:
    """The platform's name, and what it makes of a pasted address; None if nobody knows it.

    A platform with a server of its own is heard before one whose listings may be anywhere.
    """
    for name, candidate in sorted(platforms().items(), key=lambda item: item[1].ORIGIN is None):
        if found := candidate.recognise(url):
            return name, found
    return None


@cache
def platforms() -> Mapping[str, Platform]:
    """Every platform by its name, in alphabetical order."""
    found = {name: cast(Platform, module) for name, module in _modules() if _is(module, "ask")}
    return MappingProxyType(found)


@cache
def schemes() -> Mapping[str, Scheme]:
    """Every webhook scheme by its name, in alphabetical order."""
    found = {name: cast(Scheme, module) for name, module in _modules() if _is(module, "verify")}
    return MappingProxyType(found)


def _is(module: ModuleType, declared: str) -> bool:
    return callable(getattr(module, declared, None))


@cache
def _modules() -> tuple[tuple[str, ModuleType], ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple((name, importlib.import_module(f"{package.__name__}.{name}")) for name in names)
