"""Stored files: known by their content, kept in chunks in the database, streamed in and out."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, cast

from sqlalchemy import Table, delete, select

from campaigns.db import db, insert
from campaigns.model.file import CHUNK, File, FileChunk

LARGEST = 64 * 1024 * 1024
FILES, CHUNKS = cast(Table, File.__table__), cast(Table, FileChunk.__table__)


class TooLarge(ValueError):
    """The file has more bytes than are kept."""


class Nothing(ValueError):
    """The file is empty."""


def keep(source: IO[bytes], now: datetime, media_type: str = "application/octet-stream") -> File:
    """Keep a seekable file. The second time, by its content, it is the first row that returns.

    Its bytes are kept anew where they were dropped meanwhile. Never holds more than a chunk of it.
    Raises `TooLarge` and `Nothing`.
    """
    digest, size = _measured(source)
    new = db.session.scalar(
        insert(FILES)
        .values(sha256=digest, size=size, media_type=media_type, created_at=now)
        .on_conflict_do_nothing()
        .returning(FILES.c.id)
    )
    kept = db.session.scalars(select(File).where(File.sha256 == digest).with_for_update()).one()
    if new is not None or not _is_kept(kept.id):
        for number, content in enumerate(_chunks(source)):
            values = {"file_id": kept.id, "number": number, "content": content}
            db.session.execute(CHUNKS.insert().values(values))
    return kept


def hold(file_id: int) -> None:
    """Let nobody keep the same file, nor drop it, before the transaction ends."""
    db.session.execute(select(FILES.c.id).where(FILES.c.id == file_id).with_for_update())


def drop(file_id: int) -> None:
    """Delete a file's bytes; its hash and size stay. The second time does nothing.

    Whoever asks holds the file, and knows that nobody needs them.
    """
    db.session.execute(delete(CHUNKS).where(CHUNKS.c.file_id == file_id))


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


def _is_kept(file_id: int) -> bool:
    first = select(CHUNKS.c.number).where(CHUNKS.c.file_id == file_id, CHUNKS.c.number == 0)
    return db.session.scalar(first) is not None


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
