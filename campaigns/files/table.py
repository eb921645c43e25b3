"""A file of rows, whatever its form: delimited text or a sheet, by itself or in an archive."""

from collections.abc import Iterator
from typing import IO, NamedTuple

from campaigns.files import charsets, delimited
from campaigns.files.bad import LARGEST_FILE, BadFile
from campaigns.files.charsets import Source
from campaigns.files.delimited import DELIMITERS, Row

BACKTICKED = "`"  # instead of a delimiter: the way of WeChat Pay's bills


class Table(NamedTuple):
    """What was opened. `member` is the file read within an archive, one of `members`."""

    format: str  # csv, xlsx, zip
    source: Source
    charset: str | None = None
    charsets: tuple[str, ...] = ()
    member: str | None = None
    members: tuple[str, ...] = ()

    def ways(self, backticked: bool = False) -> tuple[str, ...]:
        """The ways in which rows may be cut into cells, likeliest first."""
        return (BACKTICKED,) if backticked else DELIMITERS

    def rows(self, way: str) -> Iterator[Row]:
        """From the first row again at each call, cut one of the `ways`."""
        pieces = charsets.text(self.source, self.charset or "")
        if way == BACKTICKED:
            return delimited.backticked(pieces)
        return delimited.rows(pieces, way)


def open_table(file: IO[bytes], charset: str | None = None, member: str | None = None) -> Table:
    """Open a seekable file, which must stay open while rows are read. Raises `BadFile`."""
    size = file.seek(0, 2)
    if size > LARGEST_FILE:
        raise BadFile(f"The file is larger than {LARGEST_FILE // 1024**2} MB.")
    if not size:
        raise BadFile("The file is empty.")
    return _text("csv", lambda: _rewound(file), charset)


def _text(form: str, source: Source, charset: str | None) -> Table:
    guessed = charsets.guess(source) if charset is None else None
    if guessed:
        return Table(form, source, guessed.charset, guessed.possible)
    return Table(form, source, charset, (charset or "",))


def _rewound(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file
