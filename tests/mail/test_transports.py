"""What every transport does alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.mail.address import Address
from campaigns.mail.outbox import FileTransport
from campaigns.mail.relay import Relay
from campaigns.mail.smtp import SmtpTransport
from campaigns.mail.transport import MemoryTransport, State, Transport
from tests.sink import Sink

ADA = Address.parse("ada@example.org")


@pytest.fixture(params=["memory", "outbox", "smtp"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transport]:
    with Sink() as sink:
        made: dict[str, Transport] = {
            "memory": MemoryTransport(),
            "outbox": FileTransport(tmp_path),
            "smtp": SmtpTransport(Relay.parse(sink.url)),
        }
        yield made[request.param]


def test_a_connection_takes_letter_after_letter_and_closes_twice(transport: Transport) -> None:
    connection = transport.connect()
    for number in range(3):
        message = b"Message-ID: <%d@example.org>\r\n\r\nhello\r\n" % number
        outcome = connection.send("bounce@example.org", ADA, message)
        assert (outcome.state, outcome.connection_lost) == (State.SENT, False)
    connection.close()
    connection.close()


def test_a_name_for_the_record_holds_no_secret() -> None:
    relay = Relay.parse("smtps://user:s3cret@mail.example.org")
    assert SmtpTransport(relay).name == "mail.example.org:465"
    assert "s3cret" not in repr(SmtpTransport(relay))
