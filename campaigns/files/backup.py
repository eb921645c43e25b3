"""Backup files: a database's rows as lines of JSON, compressed and sealed.

The first line says what the file is, the second holds the keys of the service, then each table has
a line with its columns and one for each row. The last line counts the rows and has the SHA-256 of
all lines before it. Moments are UTC (`2026-11-22 04:00:00.000000`), truth is 0 or 1, JSON is kept
as the text it was, bytes are base64: so either database takes what the other gave.
"""

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

from campaigns.files.sealed import Sealing, Unreadable, opened

FORMAT = 1
BYTES = "bytes"  # the only kind of value that is not written as it is
_FASTEST = 1  # of zlib's levels; the others save a tenth and take four times as long


@dataclass(frozen=True)
class Head:
    """What a backup is of: the service's version, the schema's, and the moment it shows."""

    format: int
    version: str
    schema: str
    at: str
    dialect: str


@dataclass(frozen=True)
class Table:
    """A table's name and its columns: name to kind (int, bool, text, moment, day, json, bytes)."""

    name: str
    columns: Mapping[str, str]


Row = Sequence[Any]
Content = Iterable[tuple[Table, Iterable[Row]]]


def write(
    file: IO[bytes], passphrase: str, head: Head, keys: Mapping[str, str], content: Content
) -> dict[str, int]:
    """Write a whole backup, row by row as they come; returns how many there were by table."""
    lines = _Lines(Sealing(file, passphrase))
    lines.add(asdict(head))
    lines.add({"keys": dict(keys)})
    rows: dict[str, int] = {}
    for table, values in content:
        lines.add({"table": table.name, "columns": dict(table.columns)})
        rows[table.name], at = 0, _places(table)
        for row in values:
            lines.add(_written(row, at))
            rows[table.name] += 1
    lines.end(rows)
    return rows


class Backup:
    """A backup that is read. Its head and keys are there at once. Raises `Unreadable`."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        self._file, self._passphrase = file, passphrase
        lines = self._lines()
        said = next(lines)
        if said.get("format") != FORMAT:
            raise Unreadable("It is a backup of a later version.")
        self.head = Head(**said)
        self.keys: dict[str, str] = next(lines)["keys"]

    def check(self) -> dict[str, int]:
        """Read all of it; returns how many rows there are by table. Raises `Unreadable`."""
        return {table.name: sum(1 for _ in rows) for table, rows in self.tables()}

    def tables(self) -> Iterator[tuple[Table, Iterator[Row]]]:
        """Each table with its rows, to be taken in this order. Raises `Unreadable` as it finds out.

        Whoever keeps rows before the last of them came must be able to take them back.
        """
        lines = self._lines()
        next(lines), next(lines)
        counts: dict[str, int] = {}
        line = next(lines)
        while "table" in line:
            table = Table(line["table"], line["columns"])
            rows = _Rows(lines, table)
            yield table, rows.taken()
            counts[table.name], line = rows.number, rows.after
        if line.get("rows") != counts or any(True for _ in lines):
            raise Unreadable("Its counts are not those of its rows.")

    def _lines(self) -> Iterator[Any]:
        """Every line, and the last only once its digest was compared."""
        digest = hashlib.sha256()
        for line in _split(opened(self._file, self._passphrase)):
            read = json.loads(line)
            if isinstance(read, dict) and "sha256" in read and read["sha256"] != digest.hexdigest():
                raise Unreadable("Its digest is not that of its lines.")
            digest.update(line)
            yield read


class _Rows:
    """The rows of one table, and once all were taken their number and the line `after` them."""

    def __init__(self, lines: Iterator[Any], table: Table) -> None:
        self._lines, self._table = lines, table
        self.number = 0
        self.after: dict[str, Any] = {}

    def taken(self) -> Iterator[Row]:
        at = _places(self._table)
        for line in self._lines:
            if isinstance(line, dict):
                self.after = line
                return
            for place in at:
                line[place] = None if line[place] is None else b64decode(line[place])
            self.number += 1
            yield line
        raise Unreadable("It ends in the middle of a table.")


class _Lines:
    """Writes lines of JSON, compressed, and knows their digest."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing, self._digest = sealing, hashlib.sha256()
        self._packing = zlib.compressobj(_FASTEST)

    def add(self, value: object) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._sealing.write(self._packing.compress(line))

    def end(self, rows: Mapping[str, int]) -> None:
        self.add({"rows": dict(rows), "sha256": self._digest.hexdigest()})
        self._sealing.write(self._packing.flush())
        self._sealing.end()


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacking, rest = zlib.decompressobj(), b""
    for piece in pieces:
        lines = (rest + unpacking.decompress(piece)).splitlines(keepends=True)
        rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        yield from lines
    if rest or not unpacking.eof:
        raise Unreadable("It ends in the middle of a line.")


def _written(row: Row, at: Sequence[int]) -> list[Any]:
    values = list(row)
    for place in at:
        values[place] = None if values[place] is None else b64encode(values[place]).decode()
    return values


def _places(table: Table) -> list[int]:
    return [place for place, kind in enumerate(table.columns.values()) if kind == BYTES]
