"""Fault row 6 of the promises: every way a relay can let a letter down, by a real socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import pytest

from campaigns.mail.address import Address
from campaigns.mail.relay import Relay
from campaigns.mail.smtp import Patience, SmtpTransport
from campaigns.mail.transport import Outcome, State, Unreachable
from tests.sink import FAULTS, OFFERED, Fault, Sink, Then

ADA, EVE = Address.parse("ada@example.org"), Address.parse("eve@example.org")
SENDER = "bounce@updates.example.org"
LETTER = b"Subject: hello\r\n\r\nhello\r\n"
# Beyond what both ends' socket buffers take on loopback, so that writing is still under way.
LARGE = b"Subject: large\r\n\r\n" + b"x" * 70 + (b"y" * 76 + b"\r\n") * 200_000
HASTY = Patience(connect=2, reply=2, dot=1)
WITHOUT_CHUNKING = tuple(each for each in OFFERED if each != "CHUNKING")
WITHOUT_PIPELINING = OFFERED[1:]


@pytest.fixture(
    params=[OFFERED, WITHOUT_CHUNKING, WITHOUT_PIPELINING],
    ids=["in one flight", "pipelined", "stepwise"],
)
def offered(request: pytest.FixtureRequest) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    return found


@pytest.mark.parametrize(
    ("fault", "state", "code", "lost"),
    [
        ("greylisted", State.DEFERRED, 451, False),
        ("full", State.DEFERRED, 452, False),
        ("later", State.DEFERRED, 451, False),
        ("gone", State.FAILED, 550, False),
        ("rejected", State.FAILED, 554, False),
        ("leaving", State.DEFERRED, 421, True),
        ("leaving-at-dot", State.DEFERRED, 421, True),
        ("garbage", State.DEFERRED, None, True),
        ("garbage-at-dot", State.UNKNOWN, None, True),
        ("cut-after-dot", State.UNKNOWN, None, True),
        ("cut-after-keeping", State.UNKNOWN, None, True),
        ("silent-after-dot", State.UNKNOWN, None, True),
        ("silent-after-keeping", State.UNKNOWN, None, True),
    ],
)
def test_a_fault_has_its_outcome_and_harms_no_other_letter(
    offered: tuple[str, ...], fault: str, state: State, code: int | None, lost: bool
) -> None:
    with Sink({ADA.text: FAULTS[fault]}, offered=offered) as sink:
        connection = _transport(sink).connect()
        outcome = connection.send(SENDER, ADA, LETTER)
        if fault == "garbage" and offered == OFFERED:
            state = State.UNKNOWN  # The whole letter was there already.
        assert (outcome.state, outcome.code, outcome.connection_lost) == (state, code, lost)
        if lost:
            with pytest.raises(Unreachable):
                connection.send(SENDER, EVE, LETTER)
            connection = _transport(sink).connect()
        assert connection.send(SENDER, EVE, LETTER).state is State.SENT
        connection.close()
        assert [letter.to for letter in sink.letters if letter.to != (ADA.text,)] == [(EVE.text,)]


def test_no_outcome_but_unknown_leaves_a_doubt_whether_the_relay_kept_it() -> None:
    for name, fault in FAULTS.items():
        with Sink({ADA.text: fault}) as sink:
            outcome = _once(sink, ADA)
            assert outcome.state is State.UNKNOWN or not sink.letters, name


def test_a_large_letter_cut_while_we_write_is_deferred(offered: tuple[str, ...]) -> None:
    large_sink = tuple(offer for offer in offered if not offer.startswith("SIZE"))
    with Sink({ADA.text: FAULTS["cut-in-content"]}, offered=large_sink) as sink:
        outcome = _once(sink, ADA, LARGE)
        assert (outcome.state, outcome.connection_lost) == (State.DEFERRED, True)
        assert b"." not in sink.heard
        assert sink.letters == []


def test_a_large_letter_arrives_whole() -> None:
    with Sink(offered=["PIPELINING"]) as sink:
        connection = SmtpTransport(Relay.parse(sink.url)).connect()
        assert connection.send(SENDER, ADA, LARGE).state is State.SENT
        connection.close()
        assert sink.letters[0].message == LARGE


def test_a_relay_that_takes_a_letter_for_nobody_leaves_a_doubt() -> None:
    with Sink({ADA.text: FAULTS["gone-but-credulous"]}) as sink:
        outcome = _once(sink, ADA)
        assert (outcome.state, outcome.connection_lost) == (State.UNKNOWN, True)


def test_a_recipient_refused_before_the_line_is_cut_stays_refused() -> None:
    cut = Fault("rcpt", "550 5.1.1 no such mailbox", Then.DROP)
    with Sink({ADA.text: cut}) as sink:
        outcome = _once(sink, ADA)
        assert (outcome.state, outcome.code, outcome.connection_lost) == (State.FAILED, 550, True)
        assert sink.letters == []


def test_content_awaited_without_a_recipient_gets_no_dot() -> None:
    with Sink({ADA.text: FAULTS["gone-but-credulous"]}, offered=WITHOUT_CHUNKING) as sink:
        outcome = _once(sink, ADA)
        assert (outcome.state, outcome.code) == (State.FAILED, 550)
        assert outcome.connection_lost
        assert b"." not in sink.heard
        assert sink.letters == []


def test_no_answer_to_the_dot_is_awaited_for_a_minute() -> None:
    assert Patience().dot == 60
    with Sink({ADA.text: FAULTS["silent-after-dot"]}) as sink:
        begun = monotonic()
        _once(sink, ADA)
        assert HASTY.dot <= monotonic() - begun < HASTY.dot + 5


def test_a_backlog_drains_once_the_relay_is_back() -> None:
    with Sink() as sink:
        transport = _transport(sink)
        sink.refuse()
        for _ in range(3):
            with pytest.raises(Unreachable, match="ConnectionRefusedError") as refusal:
                transport.connect()
            assert not refusal.value.permanent
        sink.listen()
        connection = transport.connect()
        assert [connection.send(SENDER, to, LETTER).state for to in (ADA, EVE)] == ["sent", "sent"]
        connection.close()


def test_a_relay_that_hung_up_between_letters_costs_no_attempt() -> None:
    with Sink() as sink:
        connection = _transport(sink).connect()
        assert connection.send(SENDER, ADA, LETTER).state is State.SENT
        sink.hang_up()
        with pytest.raises(Unreachable):
            connection.send(SENDER, EVE, LETTER)
        assert sink.begun == 1


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"554 5.7.1 go away\r\n",
        b"421 4.3.2 too many of you\r\n",
        b"\x00" * 100_000,
        b"220-" * 100_000,
        b"220-more\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"220",
    ],
)
def test_whatever_greets_us_instead_of_a_relay_makes_it_unreachable(greeting: bytes) -> None:
    with _saying(greeting) as relay, pytest.raises(Unreachable):
        SmtpTransport(relay, HASTY).connect()


def test_a_reply_that_trickles_is_cut_at_its_time() -> None:
    hasty = Patience(connect=1, reply=0.5, dot=0.5)
    with _saying(b"220-a\r\n" * 50, pause=0.1) as relay:
        begun = monotonic()
        with pytest.raises(Unreachable, match="in time"):
            SmtpTransport(relay, hasty).connect()
        assert monotonic() - begun < 5


def test_the_answer_on_record_is_bounded_and_names_nobody() -> None:
    long = "550 5.1.1 <ada@example.org>: Ada is unknown; " + "so sorry " * 100
    with Sink({ADA.text: Fault("rcpt", long)}) as sink:
        outcome = _once(sink, ADA)
        assert outcome.answer.startswith("5.1.1 <a***@example.org>: *** is unknown; so sorry")
        assert len(outcome.answer) == 300


def _transport(sink: Sink) -> SmtpTransport:
    return SmtpTransport(Relay.parse(sink.url), HASTY)


def _once(sink: Sink, to: Address, message: bytes = LETTER) -> Outcome:
    connection = _transport(sink).connect()
    outcome = connection.send(SENDER, to, message)
    connection.close()
    return outcome


@contextmanager
def _saying(piece: bytes, pause: float = 0.0) -> Iterator[Relay]:
    """A server that says its piece to one client, perhaps slowly, and waits for its end."""
    done = threading.Event()

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as client:
            client.settimeout(3)
            for octets in [bytes([octet]) for octet in piece] if pause else [piece]:
                client.sendall(octets)
                if done.wait(pause):
                    return
            client.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield Relay("127.0.0.1", listener.getsockname()[1])
        done.set()
        server.join(5)
