"""Sealed files: what was sealed comes back whole, and of anything else nothing counts."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaigns.files import backup
from campaigns.files.backup import Backup, Head, Table
from campaigns.files.sealed import MAGIC, PIECE, SALT, TAG, Sealing, Unreadable, opened

WORDS = "thirty-two desks in a row"
HEAD = Head(backup.FORMAT, "0.1.0", "0018", "2026-11-22T04:00:00+00:00", "sqlite")
LONG = 3 * PIECE + 7


def sealed(*contents: bytes, words: str = WORDS) -> bytes:
    file = io.BytesIO()
    sealing = Sealing(file, words)
    for content in contents:
        sealing.write(content)
    sealing.end()
    return file.getvalue()


def read(content: bytes, words: str = WORDS) -> bytes:
    return b"".join(opened(io.BytesIO(content), words))


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, LONG])
def test_what_was_sealed_comes_back(length: int) -> None:
    content = bytes(range(256)) * (length // 256 + 1)
    assert read(sealed(content[:length])) == content[:length]


def test_how_it_was_written_makes_no_difference() -> None:
    assert read(sealed(b"a" * PIECE, b"", b"b", b"c" * 2 * PIECE)) == (
        b"a" * PIECE + b"b" + b"c" * 2 * PIECE
    )


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(Unreadable, match="passphrase"):
        read(sealed(b"x"), WORDS + " ")


def test_nothing_of_the_content_can_be_read_without_it() -> None:
    assert b"ada@example.org" not in sealed(b"ada@example.org" * 99)
    assert sealed(b"x") != sealed(b"x")


@pytest.mark.parametrize(
    "length", [0, 5, len(MAGIC) + SALT, len(MAGIC) + SALT + PIECE + TAG, -1, -(7 + TAG)]
)
def test_a_cut_file_is_refused(length: int) -> None:
    whole = sealed(b"x" * LONG)
    with pytest.raises(Unreadable):
        read(whole[:length])


def test_more_behind_its_end_is_refused() -> None:
    with pytest.raises(Unreadable):
        read(sealed(b"x" * LONG) + b"y")


def test_pieces_in_another_order_are_refused() -> None:
    whole, start, step = sealed(b"x" * LONG), len(MAGIC) + SALT, PIECE + TAG
    first, second = whole[start : start + step], whole[start + step : start + 2 * step]
    with pytest.raises(Unreadable):
        read(whole[:start] + second + first + whole[start + 2 * step :])


@given(place=some.floats(0, 1, exclude_max=True), bit=some.integers(0, 7))
def test_any_flipped_bit_is_noticed(place: float, bit: int) -> None:
    altered = bytearray(sealed(b"x" * (PIECE + 9)))
    altered[int(place * len(altered))] ^= 1 << bit
    with pytest.raises(Unreadable):
        read(bytes(altered))


def test_a_backup_says_what_it_is_of_and_holds_its_rows(tmp_path: Path) -> None:
    table = Table("gifts", {"id": "int", "message": "text", "content": "bytes"})
    rows = [(1, "谢谢\r\n\u2028", b"\x00\xff"), (2, None, None)]
    with (tmp_path / "file").open("wb+") as file:
        counts = backup.write(file, WORDS, HEAD, {"DATA_KEYS": "k1:x"}, [(table, rows)])
        found = Backup(file, WORDS)
        assert counts == found.check() == {"gifts": 2}
        assert (found.head, found.keys) == (HEAD, {"DATA_KEYS": "k1:x"})
        assert [[tuple(row) for row in values] for _, values in found.tables()] == [rows]


def test_a_format_to_come_is_refused() -> None:
    file = io.BytesIO()
    backup.write(file, WORDS, Head(2, "9", "9", "", ""), {}, [])
    with pytest.raises(Unreadable, match="later version"):
        Backup(file, WORDS)
