"""The memory transport keeps the promises that real ones make."""

import pytest

from campaigns.mail.address import Address
from campaigns.mail.transport import Kept, MemoryTransport, Outcome, State, Transport, Unreachable

ADA, EVE = Address.parse("ada@example.org"), Address.parse("eve@example.org")


def test_a_letter_is_kept_as_it_was_sent() -> None:
    transport = MemoryTransport()
    outcome = _as_transport(transport).connect().send("bounce@example.org", ADA, b"hello")
    assert outcome.state is State.SENT
    assert transport.kept == [Kept("bounce@example.org", ADA, b"hello")]


def test_an_answer_may_differ_by_recipient() -> None:
    gone = Outcome(State.FAILED, 550, "no such mailbox")
    transport = MemoryTransport(lambda to: gone if to == EVE else Outcome(State.SENT, 250))
    connection = transport.connect()
    assert [connection.send("", to, b"").state for to in (EVE, ADA)] == ["failed", "sent"]
    assert [letter.to for letter in transport.kept] == [ADA]


def test_a_refusing_transport_is_unreachable() -> None:
    transport = MemoryTransport()
    transport.refusing = True
    with pytest.raises(Unreachable):
        transport.connect()


def test_a_closed_connection_takes_nothing() -> None:
    transport = MemoryTransport()
    connection = transport.connect()
    connection.close()
    with pytest.raises(Unreachable):
        connection.send("", ADA, b"")
    assert transport.kept == []


def test_a_lost_connection_takes_no_other_letter() -> None:
    connection = MemoryTransport(lambda _: Outcome(State.UNKNOWN, connection_lost=True)).connect()
    connection.send("", ADA, b"")
    with pytest.raises(Unreachable):
        connection.send("", EVE, b"")


def _as_transport(transport: Transport) -> Transport:
    return transport
