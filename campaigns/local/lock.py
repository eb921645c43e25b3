"""One run at a time in an instance directory."""

import fcntl
import os
import time
from pathlib import Path

PATIENCE = 3.0


class AlreadyRunning(Exception):
    """Another run holds the instance directory; the message says which."""


def take(instance: Path) -> int:
    """The descriptor that holds the lock for as long as it, or a copy of it, is open.

    Leashes get a copy, so a run whose supervisor was killed still counts until the last of its
    processes is gone; that takes a moment, for which this waits. Raises `AlreadyRunning`.
    """
    file = os.open(instance / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    until = time.monotonic() + PATIENCE
    while not _taken(file):
        if time.monotonic() > until:
            holder = os.pread(file, 20, 0).decode(errors="replace").strip()
            os.close(file)
            raise AlreadyRunning(
                f"Huiyin is already running on {instance} (process {holder}). "
                "Stop it first, or set INSTANCE_DIR and BIND for another one."
            )
        time.sleep(0.1)
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    return file


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
