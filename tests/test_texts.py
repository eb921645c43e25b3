"""Both languages are complete: every text that code or templates speak stands in the catalogue."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "campaigns/translations/zh_Hans/LC_MESSAGES/messages.po"
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "_n": (1, 2), "lazy_gettext": None, "BadFile": None}
PLACE = re.compile(r"%\((\w+)\)[sd]")


def spoken() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Where and what."""
    for folder, method in (("campaigns", "python"), ("workers", "python"), ("templates", "jinja2")):
        for found in extract_from_dir(
            ROOT / folder, method_map=[("**.py", method), ("**", method)], keywords=KEYWORDS
        ):
            if Path(found[0]).suffix in (".py", ".html", ".txt"):
                yield f"{folder}/{found[0]}:{found[1]}", found[2]


def key(message: str | Sequence[str]) -> str:
    return message if isinstance(message, str) else message[0]


def forms(texts: str | Sequence[str] | None) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or ())


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {key(message): where for where, message in spoken()}


def test_every_text_is_written_in_chinese(catalogue: Catalog, texts: dict[str, str]) -> None:
    missing = {
        where: text
        for text, where in texts.items()
        if text and ((known := catalogue.get(text)) is None or not all(forms(known.string)))
    }
    assert not missing


def test_the_catalogue_holds_nothing_that_nobody_says(
    catalogue: Catalog, texts: dict[str, str]
) -> None:
    unsaid = [
        key(message.id) for message in catalogue if message.id and key(message.id) not in texts
    ]
    assert not unsaid


def test_no_text_is_marked_as_uncertain(catalogue: Catalog) -> None:
    assert not [message.id for message in catalogue if message.id and message.fuzzy]


def test_both_languages_fill_in_the_same_places(catalogue: Catalog) -> None:
    for message in catalogue:
        wanted = {place for text in forms(message.id) for place in PLACE.findall(text)}
        for string in forms(message.string):
            # Chinese has one plural form, and may do without the number only where English does.
            assert set(PLACE.findall(string)) <= wanted, message.id
            assert wanted - set(PLACE.findall(string)) <= {"num", "count"}, message.id


def test_the_catalogue_names_no_text_twice() -> None:
    ids = re.findall(r'^msgid "(.+)"$', CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    twice = {text for text in ids if ids.count(text) > 1}
    assert not twice


def test_english_is_not_left_standing_where_chinese_should(catalogue: Catalog) -> None:
    same = [
        message.id
        for message in catalogue
        if message.id and message.id == message.string and " " in key(message.id)
    ]
    assert not same
