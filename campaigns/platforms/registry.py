"""Which platforms, webhook schemes and export profiles the modules beside this one declare.

A module's name is the platform's or scheme's, up to an underscore: what `alipay` is too large for
stands in `alipay_notices` and `alipay_bills`.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import cast

from campaigns import platforms as package
from campaigns.platforms import offline
from campaigns.platforms.base import Recognised
from campaigns.platforms.platform import Platform
from campaigns.platforms.profile import Profile
from campaigns.platforms.scheme import Scheme


class UnknownPlatform(LookupError):
    """No module of that name is a platform."""


class UnknownScheme(LookupError):
    """No module of that name is a webhook scheme."""


class UnknownProfile(LookupError):
    """No module declares an export profile of that name."""


def platform(name: str) -> Platform:
    """Raises `UnknownPlatform`."""
    try:
        return platforms()[name]
    except KeyError as error:
        raise UnknownPlatform(f"There is no platform called {name!r}.") from error


def label(name: str) -> str:
    """The msgid of what people call a listing's platform; the plain name where we know it no more.

    Gifts that came through no platform have listings too.
    """
    if name == offline.NAME:
        return offline.LABEL
    known = platforms().get(name)
    return known.LABEL if known else name


def scheme(name: str) -> Scheme:
    """Raises `UnknownScheme`."""
    try:
        return schemes()[name]
    except KeyError as error:
        known = ", ".join(schemes())
        raise UnknownScheme(f"There is no webhook scheme called {name!r}, only {known}.") from error


def profile(name: str) -> Profile:
    """Raises `UnknownProfile`."""
    try:
        return profiles()[name]
    except KeyError as error:
        known = ", ".join(profiles())
        raise UnknownProfile(f"There is no profile called {name!r}, only {known}.") from error


def recognise(url: str) -> tuple[str, Recognised] | None:
    """The platform's name, and what it makes of a pasted address; None if nobody knows it.

    A platform with a server of its own is heard before one whose listings may be anywhere.
    """
    for name, candidate in sorted(platforms().items(), key=lambda item: item[1].ORIGIN is None):
        if found := candidate.recognise(url):
            return name, found
    return None


def host(
    name: str, external_id: str, url: str, way: str | None = None,
    how: Mapping[str, object] | None = None,
) -> str:  # fmt: skip
    """Whom a listing is asked at."""
    return platform(name).ask(external_id, url, way=way, how=how).host


@cache
def platforms() -> Mapping[str, Platform]:
    """Every platform by its name, in alphabetical order."""
    return MappingProxyType({n: cast(Platform, module) for n, module in _that_declare("ask")})


@cache
def schemes() -> Mapping[str, Scheme]:
    """Every webhook scheme by its name, in alphabetical order."""
    return MappingProxyType({n: cast(Scheme, module) for n, module in _that_declare("verify")})


def dated(name: str, how: Mapping[str, object] | None) -> bool:
    """Whether its answers say when a figure was true; of any other page, where staff said where."""
    said = how or {}
    return platform(name).DATED or bool(said.get("as_of_place") or said.get("as_of_before"))


@cache
def profiles() -> Mapping[str, Profile]:
    """Every export profile by its name, module by module, as each declares them."""
    declared = exporters().values()
    return MappingProxyType({profile.name: profile for some in declared for profile in some})


@cache
def exporters() -> Mapping[str, tuple[Profile, ...]]:
    """The profiles of each module that declares some, by the module's name."""
    found = {name: getattr(module, "PROFILES", ()) for name, module in _modules()}
    return MappingProxyType({name: profiles for name, profiles in found.items() if profiles})


def _that_declare(function: str) -> Iterator[tuple[str, ModuleType]]:
    for name, module in _modules():
        if callable(getattr(module, function, None)):
            yield name.partition("_")[0], module


@cache
def _modules() -> tuple[tuple[str, ModuleType], ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple((name, importlib.import_module(f"{package.__name__}.{name}")) for name in names)
