"""Charsets are guessed over the whole file, in their order, and decoded strictly."""

from io import BytesIO

import pytest

from campaigns.files import charsets
from campaigns.files.bad import BadFile

LONG = "a,b\n" * 200_000  # over several pieces


def guess(body: bytes) -> str:
    return charsets.guess(lambda: BytesIO(body)).charset


def read(body: bytes, charset: str) -> str:
    return "".join(charsets.text(lambda: BytesIO(body), charset))


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("金额".encode("utf-8-sig"), "utf-8-sig"),
        ("金额".encode(), "utf-8"),
        (b"plain", "utf-8"),
        ("金额".encode("gb18030"), "gb18030"),
        ("㐂𠮷".encode("gb18030"), "gb18030"),
        ("金额".encode("utf-16"), "utf-16"),
        (LONG.encode() + "末尾".encode(), "utf-8"),
        (LONG.encode() + "金额".encode("gb18030"), "gb18030"),
    ],
)
def test_the_first_charset_that_fits_the_whole_file_is_taken(body: bytes, charset: str) -> None:
    assert guess(body) == charset
    assert read(body, charset).encode(charset) == body


def test_a_mark_before_text_that_is_no_utf_8_is_not_believed() -> None:
    assert guess(b"\xef\xbb\xbf@" + "捐款".encode("gb18030")) == "gb18030"


def test_what_is_none_of_them_is_refused() -> None:
    with pytest.raises(BadFile, match="neither UTF-8 nor GB18030"):
        guess(b"\x89PNG\r\n\x1a\n\xff\xff\xff")


def test_a_wrong_charset_is_refused_with_the_line() -> None:
    body = b"one\ntwo\n" + "三".encode("gb18030") + b"\n"
    with pytest.raises(BadFile, match="The first wrong line: 3$"):
        read(body, "utf-8")
    with pytest.raises(BadFile, match="The first wrong line: 200002$"):
        read(LONG.encode() + b"x\n\xff\xff\n", "gb18030")


def test_a_character_cut_off_at_the_end_is_refused() -> None:
    with pytest.raises(BadFile, match="The first wrong line: 2$"):
        read("一\n二".encode()[:-1], "utf-8")


def test_characters_that_lie_across_pieces_are_read() -> None:
    body = b"x" + ("捐" * 400_000).encode("gb18030")
    assert read(body, "gb18030") == "x" + "捐" * 400_000


def test_a_charset_that_nobody_offered_is_refused() -> None:
    with pytest.raises(BadFile, match="rot13"):
        read(b"x", "rot13")
