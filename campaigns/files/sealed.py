"""Sealed files: streams encrypted under a passphrase, so that no change and no cut goes unseen.

After the first bytes, which say what it is, and a salt come pieces of 64 KiB, each encrypted by
AES-256-GCM. Its nonce counts the pieces and marks the last one (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár, 2015, as in the files of age), so pieces that are missing, moved or
from elsewhere fit no more than altered ones. The key is Argon2id of the passphrase (RFC 9106 §4,
second recommendation); the salt makes it another for each file.
"""

import secrets
from collections.abc import Iterator
from typing import IO

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"HUIYIN BACKUP 1\n"
PIECE, TAG, SALT = 64 * 1024, 16, 16
# Passes, memory in KiB, lanes.
_COST = 3, 64 * 1024, 4


class Unreadable(ValueError):
    """Not a sealed file, or cut, altered, or sealed with another passphrase."""


class Sealing:
    """Seals what is written to it into `file`; never holds more than a piece. `end` ends it."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        self._file, self._waiting, self._number = file, bytearray(), 0
        self._head = MAGIC + secrets.token_bytes(SALT)
        self._cipher = _cipher(self._head, passphrase)
        file.write(self._head)

    def write(self, content: bytes) -> None:
        self._waiting += content
        # What fills a piece exactly may be the last, so it waits until more comes.
        while len(self._waiting) > PIECE:
            self._seal(PIECE, last=False)

    def end(self) -> None:
        """Seal what is left. Without it the file counts as cut."""
        self._seal(len(self._waiting), last=True)

    def _seal(self, length: int, *, last: bool) -> None:
        piece = bytes(self._waiting[:length])
        del self._waiting[:length]
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), piece, self._head))
        self._number += 1


def opened(file: IO[bytes], passphrase: str) -> Iterator[bytes]:
    """What was sealed, piece by piece from the beginning. Raises `Unreadable` at the first fault.

    Only when the last piece came is it known that nothing is missing.
    """
    file.seek(0)
    head = file.read(len(MAGIC) + SALT)
    if len(head) < len(MAGIC) + SALT or not head.startswith(MAGIC):
        raise Unreadable("It is no backup of Huiyin, or one of a later version.")
    cipher, number = _cipher(head, passphrase), 0
    sealed = file.read(PIECE + TAG)
    while True:
        following = file.read(PIECE + TAG)
        try:
            yield cipher.decrypt(_nonce(number, not following), sealed, head)
        except InvalidTag as error:
            raise Unreadable(_fault(number)) from error
        if not following:
            return
        sealed, number = following, number + 1


def _fault(number: int) -> str:
    if number == 0:
        return "The passphrase is not the one it was made with, or its beginning is damaged."
    return f"It is damaged or cut after {number * PIECE // 1024} KiB."


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _cipher(head: bytes, passphrase: str) -> AESGCM:
    secret, salt = passphrase.encode(), head[len(MAGIC) :]
    return AESGCM(hash_secret_raw(secret, salt, *_COST, 32, Type.ID))
