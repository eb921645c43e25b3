"""Guesses: what is offered as the figure leads to it, and no answer upsets the looking."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import generic_guesses, generic_pages
from campaigns.platforms.base import Answer, PlatformError
from campaigns.platforms.generic_how import JSON, PAGE, How
from tests.platforms.recorded import HERE

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
LIKE = How("https://gy.example.org/p")


def answer(body: str | bytes, status: int = 200) -> Answer:
    return Answer(status, {}, body.encode() if isinstance(body, str) else body, NOON)


def guesses(body: str | bytes) -> list[tuple[str, str]]:
    return [
        (how.place or how.before, str(one.raised))
        for how, one in generic_guesses.of(answer(body), LIKE)
    ]


@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("generic/page.html", ("已筹:", "123456.78 CNY")),
        ("generic/page-gbk.html", ("已筹:", "123456.78 CNY")),
        ("generic/page-wan.html", ("已筹:", "123000.00 CNY")),
        ("generic/feed.json", ("/data/fundraising_total", "123456.78 CNY")),
        ("generic/feed-jsonp.js", ("/data/fundraising_total", "123456.78 CNY")),
        ("generic/feed-text.json", ("/data/fundraising_total", "123456.00 CNY")),
        ("generic/feed-list.json", ("/0/raised", "123456.78 CNY")),
        ("alipay/good.html", ("已募善款:", "123456.78 CNY")),
    ],
)
def test_the_likeliest_comes_first(file: str, first: tuple[str, str]) -> None:
    assert guesses((HERE / file).read_bytes())[0] == first


def test_numbers_that_a_label_cannot_tell_apart_are_not_offered() -> None:
    assert guesses("<p>已筹：5 元</p><p>已筹：6 元</p><p>目标：9 元</p>") == [("目标:", "9.00 CNY")]


def test_an_answer_that_is_none_is_named() -> None:
    with pytest.raises(PlatformError, match="patience"):
        generic_guesses.of(answer("x", 503), LIKE)


@pytest.mark.timeout(15)
@pytest.mark.parametrize(
    "body",
    [
        "<p>筹款第：5,000元</p>" * 20_000,
        "".join(f"<p>款{chr(0x4E00 + i)}：{i}元</p>" for i in range(15_000)),
        json.dumps([{"raised": i} for i in range(50_000)]),
        '{"a":' * 900 + "1" + "}" * 900,
    ],
    ids=["same", "different", "list", "deep"],
)
def test_large_answers_are_looked_through_in_time(body: str) -> None:
    assert len(guesses(body)) <= generic_guesses.MOST


VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
PAGES = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "已筹", "：", "1,234", "5", ".6", "万", "元", "%", " ", "{", "[1]"]
    )
).map("".join)


@given(body=PAGES | st.text() | VALUES.map(json.dumps))
def test_every_guess_leads_to_its_figure(body: str) -> None:
    try:
        found = generic_guesses.of(answer(body.encode("utf-8", "surrogatepass")), LIKE)
    except PlatformError:
        return
    way = generic_guesses.way_of(answer(body.encode("utf-8", "surrogatepass")))
    assert way in (PAGE, JSON)
    for how, one in found:
        again = generic_pages.find(answer(_ended(body, way)), way, how)
        assert again is not None
        assert again.raised == one.raised


def _ended(body: str, way: str) -> str:
    """A page must have come whole to be read; to be looked through it need not."""
    return body if way == JSON else f"{body}<i>"
