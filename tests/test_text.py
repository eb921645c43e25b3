"""Markdown as HTML and as plain text: inert, absolute, and complete in both."""

import pytest
from flask import Flask

from campaigns import text

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize(
    "written",
    [
        "<script>alert(1)</script>",
        "[tap](javascript:alert(1))",
        "[tap](JaVaScRiPt:alert(1))",
        "[tap](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        '<img src="x" onerror="alert(1)">',
        '<p style="position:fixed" onclick="alert(1)">x</p>',
        "<iframe src=//evil.example></iframe>",
        '<a href="https://e.org" target="_top" onmouseover="x()">x</a>',
        "<svg><script>alert(1)</script></svg>",
    ],
)
def test_whatever_is_written_is_inert(written: str) -> None:
    shown = text.html(written).lower()
    for trace in ("script", "data:", "onerror", "onclick", "onmouse", "style=", "iframe", "<svg"):
        assert trace not in shown


def test_links_say_that_we_do_not_vouch_for_them() -> None:
    assert text.html("[desks](https://e.org/d)") == (
        '<p><a href="https://e.org/d" rel="nofollow noopener">desks</a></p>'
    )


def test_a_link_within_the_site_is_made_absolute(app: Flask) -> None:
    base = app.extensions["settings"].base_url
    assert f'href="{base}/c/desks"' in text.html("[desks](/c/desks)")


def test_headings_stand_below_the_title_of_the_page() -> None:
    assert text.html("# First") == "<h2>First</h2>"


def test_the_plain_text_says_what_the_page_says() -> None:
    written = (
        "# Desks\n\nSixteen **desks** came, see [the photos](https://e.org/p).\nSoon more.\n\n"
        "- one\n- two\n\n1. first\n2. second\n\n> well done\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\nWrite to <hi@example.org>."
    )
    assert text.plain(written) == (
        "Desks\n\nSixteen desks came, see the photos (https://e.org/p).\nSoon more.\n\n"
        "- one\n- two\n\n1. first\n2. second\n\n> well done\n\na\tb\n1\t2\n\n"
        "Write to hi@example.org."
    )


def test_nested_lists_and_quoted_angle_brackets_survive_as_text() -> None:
    assert text.plain("- a\n    - b\n- c") == "- a\n- b\n- c"
    assert text.plain("1 < 2 & `<b>`") == "1 < 2 & <b>"


@pytest.mark.parametrize("start", ["x", "", "1.5", "9" * 5000])
def test_a_list_that_begins_with_no_number_begins_with_one(start: str) -> None:
    assert text.plain(f'<ol start="{start}"><li>desks</li></ol>') == "1. desks"


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("**Sixteen** desks.", "Sixteen desks."),
        ("## Desks\n\nThey came\non Saturday, all of them.", "They came on…"),
        ("[Sixteen](/desks) desks.\n\n- one\n- two\n\nGood.", "Sixteen desks. Good."),
        (
            "十六张书桌在周六上午送到，孩子们自己排了座位表，轮流坐。",
            "十六张书桌在周六上午送到，孩子们自己排了…",
        ),
        ("", ""),
    ],
)
def test_an_excerpt_is_one_line_that_ends_with_a_word(markdown: str, said: str) -> None:
    assert text.excerpt(markdown, 21) == said
