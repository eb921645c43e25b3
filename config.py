"""Settings: the only reader of the environment. A bad or missing value stops the start, by name.

Longer than other files, since the form of every setting stands where the setting is read.
"""

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

from email_validator import EmailNotValidError, validate_email
from flask import current_app

VERSION = "0.1.0"  # as in pyproject.toml
LOCALES = ("zh-Hans", "en")
SHORTEST_PASSPHRASE = 12  # of a backup, which whoever has the file may guess at for years
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
    bounce_mailbox_url: str | None
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
    platform_proxy: str | None
    backup_passphrase: str | None
    embedded: bool

    @property
    def keys(self) -> dict[str, str]:
        """The keys that nobody can make again, as they are written in the environment."""
        data_keys = (f"{name}:{_base64(key)}" for name, key in self.data_keys)
        return {
            "SECRET_KEY": ",".join(self.secret_keys),
            "DATA_KEYS": ",".join(data_keys),
            "ADDRESS_PEPPER": _base64(self.address_pepper),
        }

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
    read = Reader(os.environ if environ is None else environ)
    embedded = read("EMBEDDED", _flag, "0")
    redis_url = read.optional("REDIS_URL", _redis_url)
    loaded = Settings(
        database_url=read("DATABASE_URL", _database_url),
        redis_url=redis_url,
        broker_url=read.optional("BROKER_URL", _broker_url) or _as_broker(redis_url),
        smtp_url=read.optional("SMTP_URL", _relay),
        bounce_mailbox_url=read.optional("BOUNCE_MAILBOX_URL", _mailbox),
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
        platform_proxy=read.optional("PLATFORM_PROXY", _proxy),
        backup_passphrase=read.optional("BACKUP_PASSPHRASE", _passphrase),
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


class Reader:
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


def _redis_url(raw: str) -> str:
    split, schemes = _split(raw), ("redis", "rediss", "unix", "redis+socket")
    if split.scheme not in schemes or not (split.netloc or split.path):
        raise ValueError(f"must be an address that begins with one of {', '.join(schemes)}.")
    return raw


def _split(raw: str) -> SplitResult:
    try:
        split = urlsplit(raw)
        if split.port == 0:
            raise ValueError
    except ValueError:
        raise ValueError("has a host or port (1 to 65535) that cannot be read.") from None
    return split


def _relay(raw: str) -> str:
    """As `campaigns.mail.relay` will read it: a host, and nothing after it."""
    split = _split(raw)
    known = split.scheme in ("smtp", "smtps", "smtp+starttls")
    after = split.path.strip("/") or split.query or split.fragment
    if not known or not split.hostname or re.search(r"\s", raw) or after:
        raise ValueError(
            "must be smtp://host:port, smtps:// or smtp+starttls://user:password@host:port, and "
            "nothing more; other signs in a password are written as %2F."
        )
    return raw


def _mailbox(raw: str) -> str:
    """As `campaigns.mail.mailbox` will read it; without encryption on this machine only."""
    split = _split(raw)
    near = split.scheme in ("imap", "pop3") and split.hostname in ("127.0.0.1", "::1", "localhost")
    known = (split.scheme in ("imaps", "pop3s") or near) and split.hostname and split.username
    if not known or re.search(r"\s", raw) or split.query or split.fragment:
        raise ValueError(
            "must be imaps://user:password@host/INBOX or pop3s://user:password@host; other signs "
            "in a user's name or password are written as %40."
        )
    return raw


def _database_url(raw: str) -> str:
    scheme, found, rest = raw.partition("://")
    server = scheme in ("postgresql", "postgresql+psycopg") and rest and _split(raw)
    if not found or not (server or (scheme == "sqlite" and re.match("/[^?]", rest))):
        raise ValueError(
            "must be sqlite:////absolute/path.sqlite3 or postgresql://user:password@host/database."
        )
    return "postgresql+psycopg://" + rest if scheme == "postgresql" else raw


def _broker_url(raw: str) -> str:
    plain = not raw.startswith(("redis:", "rediss:", "amqp:", "amqps:")) or _split(raw)
    if not plain or not re.match(r"[a-z][a-z0-9+]*://\S", raw):
        raise ValueError("must be a broker's address, such as redis://… or amqp://….")
    return raw


def _as_broker(redis_url: str | None) -> str | None:
    """kombu's name for a Redis on a socket differs from redis-py's."""
    return re.sub(r"^unix:", "redis+socket:", redis_url) if redis_url else None


def _sender(raw: str) -> str:
    """As `campaigns.mail.address` will read it: one it cannot read would fail every letter."""
    named = re.fullmatch(r"[^<>\r\n]*<([^<>]*)>\s*", raw)
    address = (named[1] if named else raw).strip()
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("must be a mail address, such as Huiyin <hi@example.org>.") from None
    return raw


def _base_url(raw: str) -> str:
    split = _split(raw)
    known = split.scheme in ("http", "https") and split.hostname
    if (
        not known
        or split.query
        or split.fragment
        or not re.fullmatch(r"[\w.:/\[\]~%-]+", raw, re.A)
    ):
        raise ValueError(
            "must be the public address, such as https://give.example.org (a name in other "
            "letters as xn--…)."
        )
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


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _passphrase(raw: str) -> str:
    if len(raw) < SHORTEST_PASSPHRASE:
        raise ValueError(f"must have at least {SHORTEST_PASSPHRASE} characters.")
    return raw


def _bind(raw: str) -> tuple[str, int]:
    host, found, port = raw.rpartition(":")
    known = re.fullmatch(r"[\w.:-]+|\[[0-9a-fA-F:]+\]", host, re.A) and re.fullmatch(
        "[0-9]{1,5}", port
    )
    if not found or not known or not 0 < int(port) < 65536:
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
        split = _split(origin)
        if not found or split.scheme not in ("http", "https") or not split.hostname:
            raise ValueError("must be name=origin pairs, such as tencent=http://127.0.0.1:9001.")
        origins[name] = origin.rstrip("/")
    return origins


def _proxy(raw: str) -> str:
    if not re.fullmatch(r'http://[!"$-.0->@-~]+/?', raw) or not _split(raw).hostname:
        raise ValueError("must be http://host:port or http://user:password@host:port.")
    return raw


def _hosts(raw: str) -> frozenset[str]:
    hosts = frozenset(part.strip().lower() for part in raw.split(",") if part.strip())
    if not all(re.fullmatch(r"[^\s/@*]+", host) for host in hosts):
        raise ValueError("must be hosts, such as feeds.internal,10.0.0.7:8080.")
    return hosts
