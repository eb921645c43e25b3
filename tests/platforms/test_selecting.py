"""Selecting: CSS selectors fit what a browser would say, and no page or selector takes long."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import selecting
from campaigns.platforms.misread import Misread

PAGE = """<!doctype html><html><head><title>head</title></head><body>
<div id="top" class="card wide"><p class="a">one</p><p class="b" data-sum="5" lang="zh-CN">two</p>
<ul><li>three</li><li>four</li><li><b>fi</b>ve</li></ul></div>
<p class="a">six<script>seven</script></p><table><tr><td>8</td><td>9</td></tr></table>
</body></html>"""


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("p.a", ["one", "six"]),
        ("#top > p", ["one", "two"]),
        ("body > p", ["six"]),
        ("div li", ["three", "four", "five"]),
        ("li:nth-child(2)", ["four"]),
        ("li:nth-child(2n+1)", ["three", "five"]),
        ("li:nth-of-type(-n+2)", ["three", "four"]),
        ("li:last-child", ["five"]),
        ("li:first-child, li b", ["three", "fi"]),
        ("p + p", ["two"]),
        ("p ~ ul > li:first-child", ["three"]),
        ("p:not(.a)", ["two"]),
        ("[data-sum='5']", ["two"]),
        ("[data-sum]", ["two"]),
        ("p[lang|=zh]", ["two"]),
        ("[class~=wide] > .b", ["two"]),
        ("[class^=card] > [class$=b]", ["two"]),
        ("p[class*=b]", ["two"]),
        ("P.A", []),
        ("DIV#top UL B", ["fi"]),
        ("html *:only-child", ["fi", "8 9"]),
    ],
)
def test_a_selector_fits_what_it_says(selector: str, expected: list[str]) -> None:
    if not expected:
        with pytest.raises(Misread, match="fits the selector"):
            selecting.texts(PAGE, selector)
        return
    found = [" ".join(text.split()) for text in selecting.texts(PAGE, selector)]
    assert [text for text in found if text not in ("head", "seven")] == expected


def test_a_script_is_read_only_where_it_is_asked_for() -> None:
    assert selecting.texts(PAGE, "script") == ["seven"]


def test_the_whole_page_is_what_a_reader_sees() -> None:
    [text] = selecting.texts(PAGE, "")
    assert text.split() == ["one", "two", "three", "four", "five", "six", "8", "9"]


def test_an_attribute_can_hold_the_figure() -> None:
    assert selecting.texts(PAGE, "p", "data-sum") == ["5"]
    with pytest.raises(Misread, match="no such attribute: data-x") as caught:
        selecting.texts(PAGE, "p", "data-x")
    assert caught.value.setting == "attribute"


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("p >", "cannot be read"),
        ("p[", "cannot be read"),
        ("p:hover", ":hover"),
        ("p::text", "::text"),
        ("p:has(b)", "not understand"),
        ("p:contains('a')", ":contains"),
        ("li:nth-child(x)", "cannot be read"),
        ("li:nth-child(a b)", "cannot be read"),
        ("a" * 201, "200"),
        ("p\np", "200"),
        (":is(" * 60, "200|cannot be read"),
    ],
)
def test_a_selector_that_we_cannot_follow_is_refused_at_once(selector: str, says: str) -> None:
    with pytest.raises(Misread, match=says):
        selecting.check(selector)


def test_too_many_places_are_no_answer() -> None:
    with pytest.raises(Misread, match="20"):
        selecting.texts("<p>1</p>" * 21, "p")


@pytest.mark.timeout(20)
def test_no_page_takes_long() -> None:
    nested = ("<div>" * 200 + "x" + "</div>" * 200) * 400
    with pytest.raises(Misread, match="fits the selector"):
        selecting.texts(nested, "div div div div div div div.x div ~ p:nth-child(3)")
    with pytest.raises(Misread, match="more parts"):
        selecting.texts("<b>1</b>" * (selecting.MOST_PARTS + 1), "b")


@given(
    page=st.text() | st.binary().map(lambda b: b.decode("latin-1")), selector=st.text(max_size=9)
)
def test_no_page_and_no_selector_escape(page: str, selector: str) -> None:
    try:
        found = selecting.texts(page, selector)
    except Misread:
        return
    assert found


SIMPLE = st.sampled_from(["p", "*", ".a", "#b", "[c]", "div", ":first-child", "p:nth-child(2)"])


@given(
    parts=st.lists(
        st.tuples(SIMPLE, st.sampled_from([" ", " > ", " + ", " ~ ", ", "])), min_size=1
    ),
    page=st.lists(
        st.sampled_from(["<p>", "</p>", "<div class=a>", "</div>", "<p id=b>", "1", "<td>"])
    ),
)
def test_parts_of_selectors_go_together(parts: list[tuple[str, str]], page: list[str]) -> None:
    selector = "".join(part + joint for part, joint in parts[:-1]) + parts[-1][0]
    with contextlib.suppress(Misread):
        assert selecting.texts("".join(page), selector)
