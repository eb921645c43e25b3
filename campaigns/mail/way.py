"""The way out: which transport an installation's settings ask for."""

from pathlib import Path

from campaigns.mail.outbox import FileTransport
from campaigns.mail.relay import Relay
from campaigns.mail.smtp import SmtpTransport
from campaigns.mail.transport import Transport


def way_out(smtp_url: str | None, instance: Path) -> Transport:
    """The relay at `smtp_url`; without one, files in the instance's outbox. Raises `BadRelay`."""
    if smtp_url is None:
        return FileTransport(instance / "outbox")
    return SmtpTransport(Relay.parse(smtp_url))
