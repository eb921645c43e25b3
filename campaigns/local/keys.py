"""The secrets of the one-command run, made once and kept in the instance directory."""

import base64
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path


def files(instance: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """`NAME_FILE` settings for the secrets that `environ` does not give, made where missing.

    Files are readable by their owner only. A second call, also at the same time in another
    process, answers with the same secrets.
    """
    missing = [name for name in MADE if not environ.get(name) and not environ.get(f"{name}_FILE")]
    home = instance / "secrets"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in missing:
        _make_once(home / name, MADE[name])
    return {f"{name}_FILE": str(home / name) for name in missing}


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


MADE: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "DATA_KEYS": lambda: f"k1:{_random_key()}",
    "ADDRESS_PEPPER": _random_key,
}


def _make_once(path: Path, make: Callable[[], str]) -> None:
    """Write it whole under another name and link it: the first to link wins, nobody reads half."""
    if path.exists():
        return
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp makes it 0600.
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.unlink(draft)
