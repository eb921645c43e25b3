"""The contract of platforms and webhook schemes: each is found by itself and owes recordings."""

import contextlib
import inspect
import pkgutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import platforms as package
from campaigns.platforms import platform as platform_contract
from campaigns.platforms import registry
from campaigns.platforms import scheme as scheme_contract
from campaigns.platforms.base import Answer, Busy, Gone, PlatformError, Refused, Unreadable
from tests.catalogue import is_told_in_chinese
from tests.platforms import recorded
from tests.platforms.recorded import Case, NoRecordings

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
MACHINERY = {
    "addresses",
    "aead",
    "amounts",
    "answers",
    "base",
    "bills",
    "cells",
    "charsets",
    "connection",
    "fetch",
    "fields",
    "guard",
    "heads",
    "mapping",
    "misread",
    "offline",
    "placing",
    "platform",
    "pointer",
    "profile",
    "proxy",
    "registry",
    "rsa",
    "scheme",
    "selecting",
    "typed",
}
HARMLESS = {"good", "zero"}
HARMFUL = {
    "empty",
    "error_in_200",
    "figure_missing",
    "robot_check",
    "truncated",
}
ANSWERS_OWED = HARMLESS | HARMFUL | {"wrong_charset"}

PLATFORMS = sorted(registry.platforms())
SCHEMES = sorted(registry.schemes())
WAYS = {name: [way.name for way in registry.platform(name).WAYS] for name in PLATFORMS}
ANSWERS = [case for n in PLATFORMS for case in recorded.answers(n, WAYS[n], ANSWERS_OWED)]
ADDRESSES = [
    (name, pasted, expected)
    for name in PLATFORMS
    for pasted, expected in recorded.index(name, "answers.json")["addresses"].items()
]
ASKS = [(n, ask) for n in PLATFORMS for ask in recorded.index(n, "answers.json")["asks"]]


def test_every_module_is_a_platform_a_scheme_exports_or_known_machinery() -> None:
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    named = {module.partition("_")[0] for module in modules - {*MACHINERY, *registry.exporters()}}
    assert named == {*PLATFORMS, *SCHEMES}


def test_a_platform_without_recordings_does_not_pass(tmp_path: Path) -> None:
    with pytest.raises(NoRecordings, match="newcomer"):
        list(recorded.answers("newcomer", ["page"], ANSWERS_OWED, tmp_path))
    (tmp_path / "newcomer").mkdir()
    index = tmp_path / "newcomer" / "answers.json"
    index.write_text('{"answers": {}}')
    with pytest.raises(NoRecordings, match="robot_check"):
        list(recorded.answers("newcomer", ["page"], ANSWERS_OWED, tmp_path))
    index.write_text('{"answers": {"good": {"file": "answers.json"}}}')
    with pytest.raises(NoRecordings, match="by feed"):
        list(recorded.answers("newcomer", ["page", "feed"], {"good"}, tmp_path))


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platform_is_asked_by_a_way_that_it_declares_and_by_no_other(name: str) -> None:
    assert WAYS[name]
    assert len(set(WAYS[name])) == len(WAYS[name])
    if len(WAYS[name]) > 1:
        with pytest.raises(Unreadable, match="nobody"):
            registry.platform(name).ask("1", "", way="nobody")


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platform_declares_what_is_asked_of_it(name: str) -> None:
    _declares(registry.platform(name), platform_contract.Platform)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_declares_what_is_asked_of_it(name: str) -> None:
    _declares(registry.scheme(name), scheme_contract.Scheme)


def _declares(module: object, contract: type[Protocol]) -> None:  # type: ignore[valid-type]
    for name in contract.__annotations__:
        assert hasattr(module, name), name
    for name, declared in inspect.getmembers(contract, inspect.isfunction):
        if name.startswith("_"):
            continue
        wanted = list(inspect.signature(declared).parameters)[1:]
        assert list(inspect.signature(getattr(module, name)).parameters) == wanted, name


def test_every_label_and_hint_is_in_the_catalogue() -> None:
    shown = [platform.LABEL for platform in registry.platforms().values()]
    shown += [way.label for platform in registry.platforms().values() for way in platform.WAYS]
    shown += [scheme.LABEL for scheme in registry.schemes().values()]
    for scheme in registry.schemes().values():
        shown += [text for one in scheme.SETTINGS for text in (one.label, one.hint) if text]
    assert [text for text in shown if not is_told_in_chinese(text)] == []


def test_names_that_nobody_bears_are_refused() -> None:
    with pytest.raises(registry.UnknownPlatform, match="nobody"):
        registry.platform("nobody")
    with pytest.raises(registry.UnknownScheme, match="nobody"):
        registry.scheme("nobody")


@pytest.mark.parametrize(("name", "pasted", "expected"), ADDRESSES)
def test_a_pasted_address_is_recognised(name: str, pasted: str, expected: Any) -> None:
    found = registry.platform(name).recognise(pasted)
    assert found == (tuple(expected) if expected else None)
    if found:
        assert registry.recognise(pasted) == (name, found)
        assert registry.platform(name).recognise(found.url) == found


def test_a_platforms_own_address_is_never_taken_for_a_partners_feed() -> None:
    found = registry.recognise("https://gongyi.qq.com/succor/detail.json?id=224166")
    assert found is not None
    assert found[0] == "tencent"


@pytest.mark.parametrize("name", PLATFORMS)
@given(url=st.text() | st.from_regex(r"https?://[^ ]{0,40}"))
def test_no_address_upsets_a_platform(name: str, url: str) -> None:
    found = registry.platform(name).recognise(url)
    assert found is None or found.external_id


@pytest.mark.parametrize(("name", "told"), ASKS)
def test_a_listing_is_asked_for_at_the_platform_or_its_stand_in(name: str, told: Any) -> None:
    ask = registry.platform(name).ask(
        told["external_id"], "https://ignored.example", told["origin"],
        told.get("way"), told.get("how"),
    )  # fmt: skip
    body = ask.body.decode() if ask.body is not None else None
    assert (ask.method, ask.url, body) == (told["method"], told["url"], told["body"])


@pytest.mark.parametrize(("name", "told"), ASKS)
def test_nobody_disguises_themselves(name: str, told: Any) -> None:
    ask = registry.platform(name).ask("1", "", None, told.get("way"), told.get("how"))
    headers = {header.lower() for header in ask.headers}
    assert not headers & {"user-agent", "referer", "cookie", "x-forwarded-for", "origin"}


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_an_answer_is_read_or_named_as_what_it_is(case: Case) -> None:
    if case.condition:
        with pytest.raises(case.condition, match=case.told["says"]):
            recorded.read(case)
        return
    read = recorded.plain(recorded.read(case))
    assert {k: v for k, v in read.items() if v is not None} == {
        k: v for k, v in case.told["reads"].items() if v is not None
    }


@pytest.mark.parametrize("case", [c for c in ANSWERS if c.situation in HARMFUL], ids=str)
def test_what_must_not_become_a_figure_is_recorded_as_an_error(case: Case) -> None:
    assert case.condition is not None


GOOD = [case for case in ANSWERS if case.situation == "good"]


@pytest.mark.parametrize("case", GOOD, ids=str)
@pytest.mark.parametrize(
    ("status", "condition"),
    [
        (204, Unreadable),
        (206, Unreadable),
        (302, Unreadable),
        (304, Unreadable),
        (400, Unreadable),
        (401, Refused),
        (403, Refused),
        (404, Gone),
        (410, Gone),
        (429, Busy),
        (451, Refused),
        (500, Busy),
        (503, Busy),
        (567, Refused),
    ],
)
def test_a_status_outweighs_the_body(
    case: Case, status: int, condition: type[PlatformError]
) -> None:
    answer = Answer(status, {}, case.body, NOON)
    with pytest.raises(condition):
        recorded.read(case, answer)


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_an_answer_cut_anywhere_is_never_half_read(case: Case) -> None:
    good, length = recorded.answer(case), len(case.body.rstrip(b"; \n"))
    assert recorded.read(case, good)
    for end in {*range(0, length, 7), length - 1}:
        with pytest.raises(Unreadable):
            recorded.read(case, replace(good, body=case.body[:end]))


@pytest.mark.parametrize("case", GOOD, ids=str)
@given(body=st.binary(max_size=300), status=st.integers(100, 599) | st.just(200))
def test_no_answer_escapes_the_family(case: Case, body: bytes, status: int) -> None:
    with pytest.raises(PlatformError):
        recorded.read(case, Answer(status, {}, body, NOON))


@pytest.mark.parametrize("case", GOOD, ids=str)
@given(at=st.floats(0, 1, exclude_max=True), put=st.binary(min_size=1, max_size=12))
def test_a_damaged_answer_is_read_or_named(case: Case, at: float, put: bytes) -> None:
    place = int(at * len(case.body))
    damaged = case.body[:place] + put + case.body[place + len(put) :]
    good = recorded.answer(case)
    with contextlib.suppress(PlatformError):
        reading = recorded.read(case, replace(good, body=damaged))
        assert reading.moment <= good.asked_at
