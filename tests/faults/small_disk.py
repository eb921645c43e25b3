"""A disk that can be full: of the size that a test says, in memory, and seen by one process only.

Only root may mount, but whoever makes a namespace of users is root in it. So a process of ours
mounts the disk in a world of its own, and keeps it there for as long as we hold its standard input.
Everybody else of the same user reaches it through `/proc/<its pid>/root`.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MB = 1024**2
# Over a directory that is always there; in that world only.
POINT = "/tmp"
_WORLD = ("unshare", "--user", "--map-current-user", "--keep-caps", "--mount")
_KEEP = """
mount -t tmpfs -o size="$1",mode=700 none "$0" && echo done || exit
while read -r size; do mount -o remount,size="$size" "$0" && echo done || exit; done
"""


class NoWorld(Exception):
    """This machine lets us make no namespace, or mount nothing in it."""


@contextmanager
def small_disk(size: int = 64 * MB, user: str | None = None) -> Iterator["SmallDisk"]:
    """An empty disk of so many bytes for files of `user`, else of whoever runs the tests.

    It goes with everything on it. Raises `NoWorld`.
    """
    try:
        keeper = subprocess.Popen(
            [*_WORLD, "sh", "-c", _KEEP, POINT, str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            user=user,
        )
    except FileNotFoundError as error:
        raise NoWorld("There is no unshare.") from error
    with keeper:
        disk = SmallDisk(keeper, size)
        if not disk.listens():
            raise NoWorld(keeper.communicate()[1])
        yield disk


class SmallDisk:
    """A mounted disk, which its keeper shrinks and grows at our word."""

    def __init__(self, keeper: "subprocess.Popen[str]", size: int) -> None:
        self.path = Path(f"/proc/{keeper.pid}/root{POINT}")
        self._keeper, self._size = keeper, size

    @contextmanager
    def full(self, room: int = 0) -> Iterator[None]:
        """Only so many bytes are free on it; afterwards it has its size again."""
        now = os.statvfs(self.path)
        self._resize((now.f_blocks - now.f_bfree) * now.f_frsize + room)
        try:
            yield
        finally:
            self._resize(self._size)

    def listens(self) -> bool:
        """Whether the keeper did what it was told last."""
        assert self._keeper.stdout
        return self._keeper.stdout.readline() == "done\n"

    def _resize(self, size: int) -> None:
        assert self._keeper.stdin
        self._keeper.stdin.write(f"{size}\n")
        self._keeper.stdin.flush()
        assert self.listens(), "The disk could not be resized."
