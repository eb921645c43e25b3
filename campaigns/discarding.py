"""Discarding: an import that nobody wants loses its rows, and its file's bytes if it can."""

from collections.abc import Iterator

from sqlalchemy import select

from campaigns import batches, stored
from campaigns.batches import Clock, Pace
from campaigns.db import db
from campaigns.model.contact_import import ContactImport
from campaigns.model.image import Image
from campaigns.model.imported import Import, ImportState


def clear(import_id: int, pace: Pace, clock: Clock) -> Iterator[None]:
    """Delete an import's rows and who gave; whoever asks commits after each batch.

    At last go the file's bytes, unless another import of the same file has them to show. Killed
    at any moment and called again it goes on. Raises `batches.Overtaken` where another worker came
    to the end first.
    """
    yield from batches.clear(import_id, pace)
    file_id = db.session.get_one(Import, import_id, populate_existing=True).file_id
    while _dropped_some(file_id, import_id):
        yield
    batches.finish(import_id, ImportState.DISCARDING, 0, ImportState.DISCARDED, clock())
    yield


def _dropped_some(file_id: int, import_id: int) -> bool:
    """Whether bytes of the file went, and perhaps not all of them."""
    stored.hold(file_id)
    return not _is_wanted(file_id, import_id) and stored.drop(file_id)


def _is_wanted(file_id: int, by_others_than: int) -> bool:
    """Also by one that is being discarded: the last of several drops the bytes. Somebody may have
    handed in a picture that we show, or contacts that are under review."""
    other = select(Import.id).where(
        Import.file_id == file_id,
        Import.id != by_others_than,
        Import.state != ImportState.DISCARDED,
    )
    shown = select(Image.id).where(Image.file_id == file_id, Image.erased_at.is_(None))
    contacts = select(ContactImport.id).where(ContactImport.file_id == file_id)
    wanting = (other, shown, contacts)
    return any(db.session.scalar(one.limit(1)) is not None for one in wanting)
