"""A file of rows, whatever its form: delimited text or a sheet, by itself or in an archive."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Protocol

from campaigns.files import charsets, delimited, strips
from campaigns.files.archive import Archive
from campaigns.files.bad import LARGEST_FILE, BadFile
from campaigns.files.charsets import Source
from campaigns.files.delimited import DELIMITERS, Row
from campaigns.files.sheet import Sheet

BACKTICKED = "`"  # instead of a delimiter: the way of WeChat Pay's bills
_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0"
_TABLES = frozenset((".csv", ".txt", ".tsv"))
_SUMMARY = "汇总"  # Alipay's archives hold a summary beside the rows


class Table(Protocol):
    """What was opened: `member` is the file or sheet that is read, one of `members`.

    `charsets` may be chosen instead of `charset`; a sheet has none.
    """

    format: str
    charset: str | None
    charsets: tuple[str, ...]
    member: str | None
    members: tuple[str, ...]

    def ways(self, backticked: bool = False) -> tuple[str, ...]:
        """The ways in which rows may be cut into cells, likeliest first."""

    def rows(self, way: str, width: int = 0) -> Iterator[Row]:
        """From the first row again at each call, cut one of the `ways`. Raises `BadFile`.

        `width` is how many cells a row should have, as far as that is known.
        """


@dataclass
class Text:
    """Delimited text."""

    format: str
    source: Source
    charset: str | None
    charsets: tuple[str, ...]
    member: str | None = None
    members: tuple[str, ...] = ()

    def ways(self, backticked: bool = False) -> tuple[str, ...]:
        return (BACKTICKED,) if backticked else DELIMITERS

    def rows(self, way: str, width: int = 0) -> Iterator[Row]:
        pieces = charsets.text(self.source, self.charset or "")
        if way == BACKTICKED:
            return delimited.backticked(pieces)
        return delimited.rows(pieces, way, width)


def open_table(file: IO[bytes], charset: str | None = None, member: str | None = None) -> Table:
    """Open a seekable file, which must stay open while rows are read. Raises `BadFile`."""
    size = file.seek(0, 2)
    if size > LARGEST_FILE:
        raise BadFile(
            "The file is too large. The most that is taken", f"{LARGEST_FILE // 1024**2} MB"
        )
    file.seek(0)
    first = file.read(8)
    if not first:
        raise BadFile("The file is empty.")
    if first.startswith(_OLE):
        raise BadFile("This is an old XLS workbook or one with a password: save it as XLSX or CSV.")
    if first.startswith(_ZIP):
        return _packed(file, charset, member)
    return _text("csv", lambda: _rewound(file), charset)


def _packed(file: IO[bytes], charset: str | None, member: str | None) -> Table:
    archive = Archive(file)
    if strips.WORKBOOK in (name.lower() for name in archive.names):
        return Sheet(archive, member)
    archive.refuse_archives()
    members = _data(archive.names)
    chosen = member or members[0]
    table = _text("zip", lambda: archive.open(chosen), charset)
    table.member, table.members = chosen, members
    return table


def _data(names: tuple[str, ...]) -> tuple[str, ...]:
    """The members with rows. Raises `BadFile` if there are none."""
    paths = {name: PurePosixPath(name.lower()) for name in names}
    tables = [
        name
        for name, path in paths.items()
        if path.suffix in _TABLES and not path.name.startswith(".") and "__macosx" not in path.parts
    ]
    if not tables:
        raise BadFile("The archive holds no CSV file.")
    return tuple(name for name in tables if _SUMMARY not in name) or tuple(tables)


def _text(form: str, source: Source, charset: str | None) -> Text:
    if charset is not None:
        return Text(form, source, charset, (charset,))
    guessed = charsets.guess(source)
    return Text(form, source, guessed.charset, guessed.possible)


def _rewound(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file
