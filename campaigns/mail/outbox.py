"""The outbox: letters as .eml files, for an installation that has no relay yet."""

import os
import re
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from campaigns.mail.address import Address
from campaigns.mail.transport import Outcome, State, Unreachable

_MESSAGE_ID = re.compile(rb"^Message-ID:[ \t]*(?:\r?\n[ \t]+)?<([^<>\s]+)>", re.I | re.M)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_UNFIT_FOR_A_NAME = re.compile(r"[^A-Za-z0-9@=+_-]+|^\.")


@dataclass(frozen=True, slots=True)
class FileTransport:
    """Writes each letter to `directory`, which is made if need be and is open to us alone.

    A file is named after the letter's Message-ID: the same letter twice is one file. It appears
    whole and on disk, or not at all.
    """

    directory: Path

    @property
    def name(self) -> str:
        return "outbox"

    def connect(self) -> "FileConnection":
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unreachable(f"The outbox cannot be made: {error.strerror}.") from error
        return FileConnection(self.directory)


@dataclass(frozen=True, slots=True)
class FileConnection:
    """An outbox that exists. It has no state, so it needs no closing."""

    directory: Path

    def send(self, sender: str, to: Address, message: bytes) -> Outcome:
        """See `transport.Connection.send`. A full disk defers. The envelope is not kept."""
        try:
            _write_whole(self.directory / file_name(message), message)
        except OSError as error:
            return Outcome(State.DEFERRED, None, f"The outbox took no letter: {error.strerror}.")
        return Outcome(State.SENT, None, "written to the outbox")

    def close(self) -> None:
        """Nothing is held."""


def file_name(message: bytes) -> str:
    """The name that a letter goes by in the outbox; letters with different ids differ in it."""
    headers = _END_OF_HEADERS.split(message, maxsplit=1)[0]
    found = _MESSAGE_ID.search(headers)
    if not found:
        return f"{sha256(message).hexdigest()[:32]}.eml"
    readable = _UNFIT_FOR_A_NAME.sub("-", found[1].decode("ascii", "replace"))[:80]
    return f"{readable}-{sha256(found[1]).hexdigest()[:8]}.eml"


def _write_whole(path: Path, octets: bytes) -> None:
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError:
        Path(unfinished).unlink(missing_ok=True)
        raise
    _keep_directory(path.parent)


def _keep_directory(directory: Path) -> None:
    """Without this the rename itself could be lost with the machine's power."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
