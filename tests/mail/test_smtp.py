"""What travels to a relay when all is well: envelope, content, encryption, login."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.mail.address import Address
from campaigns.mail.relay import BadRelay, Relay, Security
from campaigns.mail.smtp import SmtpConnection, SmtpTransport
from campaigns.mail.transport import Outcome, State, Unreachable
from tests.mail.conftest import Contexts
from tests.sink import FAULTS, OFFERED, Letter, Sink, read

ADA, JOSE = Address.parse("ada@example.org"), Address.parse("josé@bücher.example")
SENDER = "bounce@updates.example.org"
LETTER = b"Subject: hello\r\n\r\nhello\r\n"
WITHOUT_CHUNKING = tuple(each for each in OFFERED if each != "CHUNKING")


@pytest.fixture(scope="module")
def shared_sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def test_a_letter_arrives_with_its_envelope() -> None:
    with Sink() as sink:
        outcome = _send(sink, ADA, LETTER)
        assert (outcome.state, outcome.code, outcome.answer) == ("sent", 250, "2.0.0 kept")
        assert sink.letters == [Letter(SENDER, ("ada@example.org",), LETTER)]


def test_letters_follow_each_other_on_one_connection_whatever_became_of_the_last() -> None:
    faults = {"1": FAULTS["gone"], "3": FAULTS["full"], "4": FAULTS["rejected"]}
    with Sink(faults) as sink:
        with closing(_connected(sink)) as connection:
            states = [connection.send(SENDER, ADA, LETTER).state for _ in range(5)]
        assert states == ["failed", "sent", "deferred", "failed", "sent"]
        assert (sink.connections, len(sink.letters)) == (1, 2)


@pytest.mark.parametrize(("missing", "flights"), [("", 1), ("CHUNKING", 2), ("PIPELINING", 4)])
def test_a_letter_takes_as_few_round_trips_as_the_relay_allows(missing: str, flights: int) -> None:
    offered = [each for each in OFFERED if each != missing]
    with Sink(offered=offered) as sink, closing(_connected(sink)) as connection:
        before = sink.flights
        connection.send(SENDER, ADA, LETTER)
        assert sink.flights - before == flights


@pytest.mark.parametrize("offers", [OFFERED, WITHOUT_CHUNKING], ids=["counted", "dotted"])
@settings(max_examples=15, derandomize=True)
@given(pieces=st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\r\n.\r\n", b"a", b"\0", b"\xff"])))
def test_no_content_is_mistaken_for_the_end(
    shared_sink: Sink, offers: tuple[str, ...], pieces: list[bytes]
) -> None:
    body = b"Subject: s\r\n\r\n" + b"".join(pieces)
    shared_sink.offered = offers
    assert _send(shared_sink, ADA, body).state is State.SENT
    assert shared_sink.letters[-1].message == body + (b"" if body.endswith(b"\r\n") else b"\r\n")


def test_line_ends_of_other_systems_become_those_of_mail() -> None:
    with Sink() as sink:
        _send(sink, ADA, b"Subject: a\n\nb\r.\nc")
        assert sink.letters[0].message == b"Subject: a\r\n\r\nb\r\n.\r\nc\r\n"


def test_the_envelope_says_what_the_relay_needs_to_know() -> None:
    with Sink() as sink:
        _send(sink, JOSE, "Subject: é\r\n\r\n".encode())
        assert sink.heard[1:3] == [
            b"MAIL FROM:<bounce@updates.example.org> SIZE=15 BODY=8BITMIME SMTPUTF8",
            "RCPT TO:<josé@bücher.example>".encode(),
        ]


def test_an_ascii_mailbox_at_a_foreign_domain_needs_no_extension() -> None:
    with Sink(offered=[]) as sink:
        to = Address.parse("ada@bücher.example")
        assert _send(sink, to, LETTER).state is State.SENT
        assert sink.letters[0].to == ("ada@xn--bcher-kva.example",)


@pytest.mark.parametrize(
    ("offered", "to", "letter", "reason"),
    [
        (["8BITMIME"], JOSE, LETTER, "beyond ASCII (SMTPUTF8)"),
        (["SMTPUTF8"], ADA, b"\xff\r\n", "beyond ASCII (8BITMIME)"),
        (["SIZE 10"], ADA, LETTER, "larger than the 10 octets"),
    ],
)
def test_what_the_relay_cannot_take_fails_without_being_offered(
    offered: list[str], to: Address, letter: bytes, reason: str
) -> None:
    with Sink(offered=offered) as sink, closing(_connected(sink)) as connection:
        outcome = connection.send(SENDER, to, letter)
        assert (outcome.state, outcome.connection_lost) == (State.FAILED, False)
        assert reason in outcome.answer
        assert sink.begun == 0
        assert connection.send(SENDER, ADA, b"a\r\n").state is State.SENT


def test_a_sender_cannot_smuggle_a_command() -> None:
    smuggled = "a@example.org>\r\nRCPT TO:<eve@example.org"
    with Sink() as sink, closing(_connected(sink)) as connection:
        with pytest.raises(ValueError, match="not an ASCII address"):
            connection.send(smuggled, ADA, LETTER)
        assert sink.begun == 0


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_nothing_but_the_greeting_travels_in_clear(
    security: Security, certificate: Contexts
) -> None:
    server, client = certificate
    at_once = security is Security.TLS
    with Sink(tls=server, tls_at_once=at_once, login=("ada", "pass word")) as sink:
        relay = Relay("127.0.0.1", sink.port, security, "ada", "pass word")
        with closing(SmtpTransport(relay, tls=client).connect()) as connection:
            states = [connection.send(SENDER, ADA, LETTER).state for _ in range(3)]
        assert states == ["sent"] * 3
        verbs = [line.split()[0] for line in sink.heard[: 2 if at_once else 4]]
        assert verbs == ([b"EHLO"] if at_once else [b"EHLO", b"STARTTLS", b"EHLO"]) + [b"AUTH"]


def test_a_stranger_s_certificate_is_refused_for_good(
    certificate: Contexts,
) -> None:
    with Sink(tls=certificate[0]) as sink:
        relay = Relay("127.0.0.1", sink.port, Security.STARTTLS, "ada", "secret")
        with pytest.raises(Unreachable, match="not trusted") as refusal:
            SmtpTransport(relay).connect()
        assert refusal.value.permanent
        assert b"AUTH" not in b"".join(sink.heard)


def test_a_relay_without_encryption_gets_no_password() -> None:
    with Sink(login=("ada", "secret")) as sink:
        relay = Relay("127.0.0.1", sink.port, Security.STARTTLS, "ada", "secret")
        with pytest.raises(Unreachable, match="no encryption"):
            SmtpTransport(relay).connect()
        assert b"AUTH" not in b"".join(sink.heard)


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN"])
def test_either_usual_way_of_logging_in_works(mechanisms: str) -> None:
    with Sink(login=("ada", "pass word"), mechanisms=mechanisms) as sink:
        relay = Relay("127.0.0.1", sink.port, user="ada", password="pass word")
        with closing(SmtpTransport(relay).connect()) as connection:
            assert connection.send(SENDER, ADA, LETTER).state is State.SENT
        with pytest.raises(Unreachable, match="refused AUTH: 535") as refusal:
            SmtpTransport(replace(relay, password="other")).connect()
        assert refusal.value.permanent


def test_a_relay_is_read_from_its_address() -> None:
    relay = Relay.parse("smtp+starttls://a%40b:p%2Fw@mail.example.org")
    assert relay == Relay("mail.example.org", 587, Security.STARTTLS, "a@b", "p/w")
    assert "p/w" not in repr(relay)
    assert Relay.parse("smtps://mail.example.org").port == 465
    assert Relay.parse("smtp://[::1]:2525").host == "::1"


@pytest.mark.parametrize(
    "url", ["", "mail", "http://a", "smtp://", "smtp://a:0", "smtp://a:70000", "smtp://u:s3cret@:1"]
)
def test_a_bad_relay_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(BadRelay) as refusal:
        Relay.parse(url)
    assert "s3cret" not in str(refusal.value)


def test_a_sink_s_file_tells_what_it_kept(tmp_path: Path) -> None:
    with Sink(directory=tmp_path) as sink:
        _send(sink, ADA, LETTER)
        assert read(tmp_path) == sink.letters != []


def _connected(sink: Sink) -> SmtpConnection:
    return SmtpTransport(Relay.parse(sink.url)).connect()


def _send(sink: Sink, to: Address, letter: bytes) -> Outcome:
    with closing(_connected(sink)) as connection:
        return connection.send(SENDER, to, letter)
