"""Relays: the address of an SMTP server as the setting SMTP_URL spells it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import unquote, urlsplit


class BadRelay(ValueError):
    """The text is no relay's address; the message says what one looks like, without quoting it."""


class Security(StrEnum):
    """When encryption begins; the values are the schemes of SMTP_URL."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_USUAL_PORT = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


@dataclass(frozen=True, slots=True)
class Relay:
    """Where a relay is and who we are there. The password stays out of `repr`."""

    host: str
    port: int
    security: Security = Security.NONE
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read smtp://user:password@host:port; smtps and smtp+starttls encrypt. Raises `BadRelay`.

        User and password are percent-decoded. Without a port: 25, 465 and 587.
        """
        try:
            split = urlsplit(url)
            security, port = Security(split.scheme), split.port
        except ValueError:
            raise BadRelay(_ADVICE) from None
        if (
            not split.hostname
            or split.path.strip("/")
            or split.query
            or split.fragment
            or port == 0
        ):
            raise BadRelay(_ADVICE)
        user = unquote(split.username) if split.username else None
        password = unquote(split.password or "")
        return cls(split.hostname, port or _USUAL_PORT[security], security, user, password)


_ADVICE = "A relay is written smtp://host:port, smtps:// or smtp+starttls://user:password@host."
