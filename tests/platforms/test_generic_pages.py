"""Any other page: settings that cannot be are named, and no answer escapes the family."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import amounts, charsets, generic_pages, pointer, registry
from campaigns.platforms.base import Answer, PlatformError
from campaigns.platforms.generic_how import JSON, PAGE, How
from campaigns.platforms.misread import Misread

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
ADDRESS = "https://gy.example.org/p?id=7"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
SETTINGS = st.fixed_dictionaries(
    {"address": st.just(ADDRESS)},
    optional={
        "place": st.text(max_size=12) | st.sampled_from(["", "p", "/a", "/a/0", "/0", "b > i"]),
        "attribute": st.text(max_size=5),
        "before": st.text(max_size=5),
        "after": st.text(max_size=5),
        "written": st.sampled_from(list(amounts.WRITTEN)),
        "unit": st.sampled_from(list(amounts.UNITS)),
    },
)


def answer(body: str | bytes, **headers: str) -> Answer:
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return Answer(200, headers, body, NOON)


@pytest.mark.parametrize("way", [PAGE, JSON])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("address", ""),
        ("address", "gy.example.org"),
        ("address", "ftp://gy.example.org"),
        ("address", "https://me:secret@gy.example.org"),
        ("place", "p[" * 9),
        ("before", "x" * 101),
        ("after", "two\nlines"),
        ("attribute", "\x00"),
        ("written", "1234"),
        ("unit", "dozen"),
        ("currency", "YUAN"),
        ("unit", 5),
    ],
)
def test_a_setting_that_cannot_be_is_named(way: str, setting: str, value: Any) -> None:
    place = "/a" if way == JSON else "p"
    with pytest.raises(Misread) as caught:
        How.told({"address": ADDRESS, "place": place, setting: value}, way)
    assert caught.value.setting == setting


def test_a_row_that_says_nothing_is_an_error_of_its_own() -> None:
    with pytest.raises(Misread, match="not said how"):
        generic_pages.read(answer("<p>1</p>"), PAGE, None)


def test_what_is_kept_is_what_was_told() -> None:
    how = How.told({"address": ADDRESS, "place": "p", "unit": "wan", "more": 1}, PAGE)
    assert How.told(how.as_json(), PAGE) == how
    assert registry.host("generic", "x", "https://gives.example", PAGE, how.as_json()) == (
        "gy.example.org"
    )


def test_two_figures_of_one_address_are_two_listings() -> None:
    one, other = (How(ADDRESS, place=place) for place in ("#one", "#other"))
    assert one.recognised("u") != other.recognised("u")
    assert one.recognised("u") == How(ADDRESS, place="#one", unit="wan").recognised("u")
    assert len(How(ADDRESS + "9" * 1900).recognised("u").external_id) <= 200


def test_the_figure_is_shown_in_its_surroundings() -> None:
    told = answer('{"name":"图书角","raised":12.5,"donors":[1,2],"as_of":null}')
    found = generic_pages.find(told, JSON, How(ADDRESS, "/raised"))
    assert found is not None
    assert (found.left, found.shown) == ('"name": "图书角", "raised": ', "12.5")
    assert found.right == ', "donors": […], "as_of": null'


def test_half_a_character_is_not_passed_on() -> None:
    found = generic_pages.find(
        answer(r'{"\ud800":"\udc00","raised":"\ud800 5"}'), JSON, How(ADDRESS, "/raised")
    )
    assert found is not None
    (found.left + found.right).encode()
    with pytest.raises(Misread) as caught:
        generic_pages.find(answer(r'{"\ud800\u0000":5}'), JSON, How(ADDRESS, "/raised"))
    assert str(caught.value).isprintable()


@given(document=VALUES, settings=SETTINGS)
def test_no_json_escapes_the_family(document: object, settings: dict[str, str]) -> None:
    _read(json.dumps(document), JSON, settings)


@given(
    page=st.lists(st.sampled_from(
        ["<p>", "</p>", "<b>", "<i>", "1", "12,", ".5", "万", "元", "已筹", "</html>", "<html>",
         "&#0;", "<script>", "<!--", "\x00", "<p a='5'>"])).map("".join) | st.text() | st.binary(),
    settings=SETTINGS,
)  # fmt: skip
def test_no_page_escapes_the_family(page: str | bytes, settings: dict[str, str]) -> None:
    _read(page, PAGE, settings)


def _read(body: str | bytes, way: str, settings: dict[str, str]) -> None:
    try:
        reading = generic_pages.read(answer(body), way, settings)
    except PlatformError as error:
        str(error).encode()
    else:
        assert reading.moment == NOON


@pytest.mark.parametrize("value", ["123", ["123"]])
def test_a_pointer_never_steps_into_a_text(value: object) -> None:
    with pytest.raises(Misread, match="single value"):
        pointer.resolve({"raised": value}, "/raised/0/0")


@given(document=VALUES, path=st.text(max_size=10) | st.text(alphabet="/~01a", max_size=10))
def test_no_pointer_leads_astray(document: object, path: str) -> None:
    try:
        value, _around = pointer.resolve(document, path)
    except Misread:
        return
    assert path.startswith("/")
    assert value is None or not isinstance(_around, str)


@pytest.mark.parametrize(
    ("body", "headers", "charset"),
    [
        ("已筹".encode(), {}, "UTF-8"),
        ("已筹".encode("gbk"), {"content-type": "text/html; charset=iso-8859-1"}, "GB18030 (GBK)"),
        ('<meta charset="big5">募款'.encode("big5"), {}, "BIG5"),
        ("募款".encode("big5"), {"content-type": "text/html; charset=Big5"}, "BIG5"),
        ("已筹".encode("utf-8-sig"), {}, "UTF-8"),
        ("已筹".encode("utf-16"), {}, "UTF-16"),
    ],
)
def test_a_charset_is_guessed_from_the_bytes_before_the_header(
    body: bytes, headers: dict[str, str], charset: str
) -> None:
    text, named = charsets.decoded(body, headers)
    assert named == charset
    assert "筹" in text or "募" in text


def test_what_is_cut_in_a_character_is_still_its_charset() -> None:
    assert charsets.decoded("已筹".encode()[:-1], {}, cut=True) == ("已", "UTF-8")
    assert charsets.decoded("已筹".encode()[:-1], {})[1] != "UTF-8"
