"""Archives: ZIP files opened with suspicion, since unpacking is where a small file grows large."""

import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Protocol

from campaigns.files.bad import BadFile

MOST_MEMBERS = 20  # files; a workbook has many small parts
MOST_PARTS = 1000
LARGEST_RATIO = 200  # unpacked to packed; tables of text reach 30
MOST_UNPACKED = 512 * 1024 * 1024  # bytes, of all members together
_SMALL = 1024 * 1024  # bytes that may be packed as tightly as they like
_LARGEST_DIRECTORY = 256 * 1024  # bytes; reading a larger one would already cost memory
_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65535
_ZIP64 = b"PK\x06\x07"
_ENCRYPTED = 0x1
_UTF_8 = 0x800
_ARCHIVES = frozenset(
    (".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".xlsx", ".jar")
)
# What reading damaged or hostile members raises, by the ways zipfile and zlib have.
_FAULTS = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OSError, struct.error, OverflowError,
)  # fmt: skip


class Readable(Protocol):
    """What a table is read from."""

    def read(self, size: int = -1, /) -> bytes: ...


class Archive:
    """A ZIP file whose directory has been checked; members are counted while they are unpacked."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises `BadFile`, before anything is unpacked."""
        _check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except _FAULTS as error:
            raise BadFile("The ZIP file is damaged.") from error
        infos = self._zip.infolist()
        workbook = any(info.filename.startswith("xl/") for info in infos)
        if len(infos) > (MOST_PARTS if workbook else MOST_MEMBERS):
            raise BadFile("The archive holds too many files.")
        if sum(info.file_size for info in infos) > MOST_UNPACKED:
            most = f"{MOST_UNPACKED // 1024**2} MB"
            raise BadFile("The archive is too large. The most that it may unpack to", most)
        for info in infos:
            _check(info)
        self._infos = {_name(info): info for info in infos if not info.is_dir()}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._infos)

    def open(self, name: str) -> Readable:
        """The member's bytes from the first on. Raises `BadFile`, also while they are read."""
        if name not in self._infos:
            raise BadFile("The archive holds no file of this name", name[:100])
        info = self._infos[name]
        try:
            return _Counted(self._zip.open(info), info)
        except _FAULTS as error:
            raise BadFile("The ZIP file is damaged.") from error

    def refuse_archives(self) -> None:
        """Raises `BadFile` if a member is an archive itself, by its name."""
        for name in self._infos:
            if PurePosixPath(name.lower()).suffix in _ARCHIVES:
                raise BadFile("The archive holds another archive: unpack it and upload what is in.")


class _Counted:
    """A member that is unpacked no further than its directory entry said."""

    def __init__(self, stream: IO[bytes], info: zipfile.ZipInfo) -> None:
        self._stream, self._read = stream, 0
        self._limit = min(info.file_size, _most(info.compress_size))

    def read(self, size: int = -1, /) -> bytes:
        try:
            piece = self._stream.read(size)
        except _FAULTS as error:
            raise BadFile("The ZIP file is damaged.") from error
        self._read += len(piece)
        if self._read > self._limit:
            raise BadFile("The archive unpacks to more than it says.")
        return piece


def _most(packed: int) -> int:
    return max(_SMALL, LARGEST_RATIO * packed)


def _check_directory(file: IO[bytes]) -> None:
    """The directory's size, read the way zipfile finds it, before zipfile makes objects of it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT - 20))
    tail = file.read()
    at = len(tail) - _END_SIZE
    if not (at >= 0 and tail.startswith(_END, at) and tail.endswith(b"\0\0")):
        at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_SIZE:
        raise BadFile("The ZIP file is damaged or cut off.")
    directory: int = struct.unpack_from("<L", tail, at + 12)[0]
    if directory > _LARGEST_DIRECTORY or tail[max(0, at - 20) : at].startswith(_ZIP64):
        raise BadFile("The archive's directory is too large.")


def _check(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise BadFile("The archive is protected by a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadFile("The archive is packed in a way that is not read here.")
    if info.file_size > _most(info.compress_size):
        raise BadFile("The archive unpacks to suspiciously much.")
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or ":" in name or "\0" in name or ".." in name.split("/"):
        raise BadFile("The archive holds a file that names a place outside of it.")


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name; Chinese systems write GBK and do not say so, zipfile reads CP437."""
    if info.flag_bits & _UTF_8:
        return info.filename
    written = info.filename.encode("cp437", "surrogateescape")
    for charset in ("utf-8", "gb18030"):
        try:
            return written.decode(charset)
        except UnicodeDecodeError:
            continue
    return info.filename
