"""Settings: the only reader of the environment. A bad or missing value stops the start, by name."""

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app

VERSION = "0.1.0"  # as in pyproject.toml
LOCALES = ("zh-Hans", "en")
T = TypeVar("T")


class BadSetting(Exception):
    """A setting is missing or unreadable; the message names it and says what it should be."""


@dataclass(frozen=True)
class Settings:
    """One field per setting of docs/settings.md, already checked."""

    database_url: str
    redis_url: str | None
    broker_url: str | None
    smtp_url: str | None
    mail_from: str
    base_url: str
    secret_keys: tuple[str, ...]
    data_keys: tuple[tuple[str, bytes], ...]
    address_pepper: bytes
    bind: tuple[str, int]
    instance_dir: Path
    organisation_name: str
    default_locale: str
    default_timezone: str
    worker_concurrency: int
    platform_origins: Mapping[str, str]
    poll_allow_private: frozenset[str]
    embedded: bool

    @property
    def secure(self) -> bool:
        """Whether people reach the service by https, so that cookies may demand it."""
        return self.base_url.startswith("https://")


def settings() -> Settings:
    """The settings of the app whose context is active."""
    found: Settings = current_app.extensions["settings"]
    return found


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read every setting from `environ` (the process's own by default). Raises `BadSetting`."""
    read = _Reader(os.environ if environ is None else environ)
    embedded = read("EMBEDDED", _flag, "0")
    redis_url = read.optional("REDIS_URL", _url("redis", "rediss", "unix", "redis+socket"))
    loaded = Settings(
        database_url=read("DATABASE_URL", _database_url),
        redis_url=redis_url,
        broker_url=read.optional("BROKER_URL", _broker_url) or _as_broker(redis_url),
        smtp_url=read.optional("SMTP_URL", _url("smtp", "smtps", "smtp+starttls")),
        mail_from=read("MAIL_FROM", _sender),
        base_url=read("BASE_URL", _base_url),
        secret_keys=read("SECRET_KEY", _secret_keys),
        data_keys=read("DATA_KEYS", _data_keys),
        address_pepper=read("ADDRESS_PEPPER", _key),
        bind=read("BIND", _bind, "127.0.0.1:8000"),
        instance_dir=read("INSTANCE_DIR", _directory, "instance"),
        organisation_name=read("ORGANISATION_NAME", _text, "Huiyin"),
        default_locale=read("DEFAULT_LOCALE", _locale, "zh-Hans"),
        default_timezone=read("DEFAULT_TIMEZONE", _zone, "Asia/Shanghai"),
        worker_concurrency=read("WORKER_CONCURRENCY", _count, "20"),
        platform_origins=read("PLATFORM_ORIGINS", _origins, ""),
        poll_allow_private=read("POLL_ALLOW_PRIVATE", _hosts, ""),
        embedded=embedded,
    )
    if loaded.platform_origins and not embedded:
        raise BadSetting(
            "PLATFORM_ORIGINS points platforms at stand-ins and is for the one-command run and "
            "tests (EMBEDDED=1) only. Unset it."
        )
    return loaded


def environment() -> dict[str, str]:
    """A copy of the process's environment, for those who start other processes with it."""
    return dict(os.environ)


class _Reader:
    """Takes NAME or the contents of NAME_FILE, and lets a parser check it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def __call__(self, name: str, parse: Callable[[str], T], default: str | None = None) -> T:
        raw = self._raw(name)
        if raw is None:
            raw = default
        if raw is None:
            raise BadSetting(f"{name} is not set. docs/settings.md says what it should look like.")
        try:
            return parse(raw)
        except ValueError as error:
            raise BadSetting(f"{name} {error}") from error

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        return None if self._raw(name) is None else self(name, parse)

    def _raw(self, name: str) -> str | None:
        value, path = self.environ.get(name), self.environ.get(f"{name}_FILE")
        if value and path:
            raise BadSetting(f"{name} and {name}_FILE are both set. Keep one.")
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise BadSetting(f"{name}_FILE names a file that cannot be read: {path}") from error
        return value or None


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        split = _split(raw)
        if split.scheme not in schemes or not (split.netloc or split.path):
            raise ValueError(f"must be an address that begins with one of {', '.join(schemes)}.")
        return raw

    return parse


def _split(raw: str) -> SplitResult:
    split = urlsplit(raw)
    try:
        port = split.port
    except ValueError as error:
        raise ValueError("has a port that is not a number from 1 to 65535.") from error
    if port == 0:
        raise ValueError("has a port that is not a number from 1 to 65535.")
    return split


def _database_url(raw: str) -> str:
    scheme, found, rest = raw.partition("://")
    if not found or not rest or scheme not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError(
            "must be sqlite:////absolute/path.sqlite3 or postgresql://user:password@host/database."
        )
    return "postgresql+psycopg://" + rest if scheme == "postgresql" else raw


def _broker_url(raw: str) -> str:
    if "://" not in raw:
        raise ValueError("must be a broker's address, such as redis://… or amqp://….")
    return raw


def _as_broker(redis_url: str | None) -> str | None:
    """kombu's name for a Redis on a socket differs from redis-py's."""
    return re.sub(r"^unix:", "redis+socket:", redis_url) if redis_url else None


def _sender(raw: str) -> str:
    if not re.fullmatch(r"[^\r\n]*<?[^@\s<>]+@[^@\s<>]+>?", raw):
        raise ValueError("must be a mail address, such as Facilitators <updates@example.org>.")
    return raw


def _base_url(raw: str) -> str:
    split = _split(raw)
    if split.scheme not in ("http", "https") or not split.hostname or split.query or split.fragment:
        raise ValueError("must be the public address, such as https://give.example.org.")
    return raw.rstrip("/")


def _secret_keys(raw: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in raw.split(",") if part.strip())
    if not keys or min(map(len, keys)) < 32:
        raise ValueError("must be at least 32 random characters (older ones may follow a comma).")
    return keys


def _data_keys(raw: str) -> tuple[tuple[str, bytes], ...]:
    keys = []
    for part in raw.split(","):
        name, found, value = part.strip().partition(":")
        if not found or not re.fullmatch(r"[A-Za-z0-9]{1,16}", name):
            raise ValueError("must be id:base64 pairs, newest first, such as k2:…,k1:….")
        keys.append((name, _key(value)))
    if len({name for name, _ in keys}) != len(keys):
        raise ValueError("names one key id twice.")
    return tuple(keys)


def _key(raw: str) -> bytes:
    try:
        key = base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("must hold 32 random bytes in base64.") from error
    if len(key) != 32:
        raise ValueError("must hold 32 random bytes in base64.")
    return key


def _bind(raw: str) -> tuple[str, int]:
    host, found, port = raw.rpartition(":")
    if not found or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("must be host:port, such as 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def _directory(raw: str) -> Path:
    return Path(raw).absolute()


def _text(raw: str) -> str:
    if not raw.strip() or "\n" in raw or "\r" in raw:
        raise ValueError("must be one line of text.")
    return raw.strip()


def _locale(raw: str) -> str:
    if raw not in LOCALES:
        raise ValueError(f"must be one of {', '.join(LOCALES)}.")
    return raw


def _zone(raw: str) -> str:
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("must be a time zone's name, such as Asia/Shanghai.") from error
    return raw


def _count(raw: str) -> int:
    if not raw.isdecimal() or not 1 <= int(raw) <= 64:
        raise ValueError("must be a whole number from 1 to 64.")
    return int(raw)


def _flag(raw: str) -> bool:
    if raw not in ("0", "1"):
        raise ValueError("must be 0 or 1.")
    return raw == "1"


def _origins(raw: str) -> dict[str, str]:
    origins = {}
    for part in filter(None, (part.strip() for part in raw.split(","))):
        name, found, origin = part.partition("=")
        if not found or urlsplit(origin).scheme not in ("http", "https"):
            raise ValueError("must be name=origin pairs, such as tencent=http://127.0.0.1:9001.")
        origins[name] = origin.rstrip("/")
    return origins


def _hosts(raw: str) -> frozenset[str]:
    return frozenset(part.strip().lower() for part in raw.split(",") if part.strip())
