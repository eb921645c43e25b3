"""Stored files: known by their content, kept in chunks in the database, streamed in and out."""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import IO, cast

from sqlalchemy import Table, delete, exists, select, tuple_
from sqlalchemy.orm import aliased

from campaigns.db import db, insert
from campaigns.model.file import CHUNK, File, FileChunk

LARGEST = 64 * 1024 * 1024
# So many chunks are written in one transaction; then others have a moment to write.
PIECE, BREATH = 8, 0.02
# What is still not a file after so long was broken off.
PATIENCE = timedelta(days=1)
FILES, CHUNKS = cast(Table, File.__table__), cast(Table, FileChunk.__table__)


class TooLarge(ValueError):
    """The file has more bytes than are kept."""


class Nothing(ValueError):
    """The file is empty."""


def keep(
    source: IO[bytes],
    now: datetime,
    media_type: str = "application/octet-stream",
    *,
    pause: Callable[[], None] = lambda: None,
) -> File:
    """Keep a seekable file. The second time, by its content, it is the first row that returns.

    A door gives its commit to `pause`: large files are written in pieces, so that no transaction
    holds the database for long, and the first chunk comes last and makes them a file. Bytes that
    were dropped meanwhile are kept anew. Never holds more than a piece of it. Whoever asks holds
    the file until they commit. Raises `TooLarge` and `Nothing`.
    """
    pause()
    digest, size = _measured(source)
    new = {"sha256": digest, "size": size, "media_type": media_type, "created_at": now}
    db.session.execute(insert(FILES).values(new).on_conflict_do_nothing())
    kept = _locked(digest)
    while missing := _missing(kept):
        for number in missing[:PIECE]:
            source.seek(number * CHUNK)
            values = {"file_id": kept.id, "number": number, "content": source.read(CHUNK)}
            db.session.execute(insert(CHUNKS).values(values).on_conflict_do_nothing())
        if len(missing) > PIECE:
            pause()
            time.sleep(BREATH)
            kept = _locked(digest)
    return kept


def sweep(now: datetime) -> bool:
    """Delete a few bytes of files that nobody ended keeping; whether there may be more."""
    first = aliased(FileChunk)
    broken_off = (
        select(FileChunk.file_id, FileChunk.number)
        .join(File, File.id == FileChunk.file_id)
        .where(File.created_at < now - PATIENCE)
        .where(~exists().where(first.file_id == FileChunk.file_id, first.number == 0))
        .limit(PIECE)
    )
    found = [tuple(row) for row in db.session.execute(broken_off)]
    these = tuple_(CHUNKS.c.file_id, CHUNKS.c.number).in_(found)
    db.session.execute(delete(CHUNKS).where(these))
    return len(found) == PIECE


def hold(file_id: int) -> None:
    """Let nobody keep the same file, nor drop it, before the transaction ends."""
    db.session.execute(select(FILES.c.id).where(FILES.c.id == file_id).with_for_update())


def drop(file_id: int) -> bool:
    """Delete some of a file's bytes, its first before all; whether there may be more.

    Its hash and size stay. Whoever asks holds the file, and knows that nobody needs its bytes.
    """
    numbers = select(CHUNKS.c.number).where(CHUNKS.c.file_id == file_id)
    some = db.session.scalars(numbers.order_by(CHUNKS.c.number).limit(PIECE)).all()
    db.session.execute(delete(CHUNKS).where(CHUNKS.c.file_id == file_id, CHUNKS.c.number.in_(some)))
    return len(some) == PIECE


@contextmanager
def opened(file_id: int) -> Iterator[IO[bytes]]:
    """A seekable copy of a kept file on the local disk, which is gone afterwards.

    A copy, so that no transaction stays open for as long as somebody reads.
    """
    with tempfile.TemporaryFile() as copy:
        for content in _kept(file_id):
            copy.write(content)
        copy.seek(0)
        yield copy


def _locked(digest: str) -> File:
    locked = select(File).where(File.sha256 == digest).with_for_update()
    return db.session.scalars(locked).one()


def _missing(file: File) -> list[int]:
    """The chunks that are to be written, the first one last; none of a file that is kept."""
    numbers = select(CHUNKS.c.number).where(CHUNKS.c.file_id == file.id)
    there = set(db.session.scalars(numbers))
    return [] if 0 in there else sorted(set(range(-(-file.size // CHUNK))) - there, reverse=True)


def _measured(source: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for content in _chunks(source):
        digest.update(content)
        size += len(content)
        if size > LARGEST:
            raise TooLarge(f"The file is larger than {LARGEST // 1024**2} MB.")
    if not size:
        raise Nothing("The file is empty.")
    return digest.hexdigest(), size


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    source.seek(0)
    while content := source.read(CHUNK):
        yield content


def _kept(file_id: int) -> Iterator[bytes]:
    """Chunk by chunk on a connection of its own, which reads and so keeps nobody from writing."""
    engine = db.engine.execution_options(reading=True, postgresql_readonly=True)
    with engine.connect() as connection:
        number = 0
        while content := connection.scalar(
            select(CHUNKS.c.content).where(CHUNKS.c.file_id == file_id, CHUNKS.c.number == number)
        ):
            yield content
            number += 1
