"""SMTP: connections that know whether the final dot was handed over."""

import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from campaigns.mail import greeting, postmark
from campaigns.mail.address import Address, masked
from campaigns.mail.relay import Relay
from campaigns.mail.transport import Outcome, State, Unreachable
from campaigns.mail.wire import Dropped, HungUp, Reply, Wire

LONGEST_ANSWER = 300
_DATA = b"DATA\r\n"
_DOT = b".\r\n"
_SENDER = re.compile(r"[!-;=?-~]*")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
Dress = Callable[[bytes], bytes]
_STATE_OF_KIND = {2: State.SENT, 4: State.DEFERRED, 5: State.FAILED}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection waits, in seconds.

    RFC 5321 §4.5.3.2 would wait ten minutes for the answer to the dot. A connection of ours that
    waits does no other work and an unanswered dot is settled by staff or a bounce, hence one.
    """

    connect: float = 15
    reply: float = 60
    dot: float = 60


@dataclass(frozen=True)
class SmtpTransport:
    """Letters by one relay. `tls` replaces the system's trusted certificates, for tests."""

    relay: Relay
    patience: Patience = field(default_factory=Patience)
    tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        return f"{self.relay.host}:{self.relay.port}"

    @property
    def _dress(self) -> Dress | None:
        """What a relay wants in front of a letter, so that it can tell us of it later."""
        own = f".{self.relay.host}".endswith(f".{postmark.RELAY}")
        return postmark.marked if own else None

    def connect(self) -> "SmtpConnection":
        """Greet, encrypt and log in as the relay's address says. Raises `Unreachable`."""
        place = (self.relay.host, self.relay.port)
        try:
            connected = socket.create_connection(place, timeout=self.patience.connect)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"{self.name} cannot be reached: {type(error).__name__}.") from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(connected, self.patience.reply)
        try:
            offers = greeting.opened(wire, self.relay, self.tls)
            return SmtpConnection(wire, offers, self.patience, self._dress)
        except Dropped as error:
            wire.close()
            raise Unreachable(f"{self.name}: {error}") from error
        except Unreachable:
            wire.close()
            raise


class SmtpConnection:
    """One session with a relay that has greeted us. Belongs to one thread."""

    def __init__(
        self,
        wire: Wire,
        offers: greeting.Offers,
        patience: Patience,
        dress: Dress | None = None,
    ) -> None:
        self._wire = wire
        self._offers = offers
        self._patience = patience
        self._dress = dress
        self._open = True
        self._handed_over = False

    def send(self, sender: str, to: Address, message: bytes) -> Outcome:
        """See `transport.Connection.send`. `sender` is ASCII, or empty for none.

        Until the call that carries the letter's last octets a drop is `deferred`, from that call on
        it is `unknown`. A reply of 421 defers the letter and loses the connection.
        """
        if not self._open or self._wire.stale():
            self._drop()
            raise Unreachable("The relay closed the connection between two letters.")
        content = _content(self._dress(message) if self._dress else message)
        envelope = self._envelope(sender, to, content)
        if objection := self._offers.objection(to, content):
            return Outcome(State.FAILED, None, objection)
        self._handed_over = False
        carry = self._in_one_flight if self._offers.in_one_flight else self._in_two
        try:
            return carry(envelope, content, to)
        except Dropped as drop:
            self._drop()
            state = State.UNKNOWN if self._handed_over else State.DEFERRED
            return Outcome(state, None, str(drop), connection_lost=True)

    def close(self) -> None:
        """Say goodbye if the relay still listens. The second call does nothing; never raises."""
        if self._open and not self._wire.stale():
            with suppress(Dropped):
                self._wire.farewell()
        self._drop()

    def _envelope(self, sender: str, to: Address, content: bytes) -> list[bytes]:
        if not _SENDER.fullmatch(sender):
            raise ValueError("The envelope sender is not an ASCII address.")
        options = self._offers.options(to, content)
        mail = f"MAIL FROM:<{sender}>{options}\r\n".encode("ascii")
        return [mail, f"RCPT TO:<{to.wire}>\r\n".encode()]

    def _in_one_flight(self, envelope: list[bytes], content: bytes, to: Address) -> Outcome:
        """Envelope and content in one round trip (RFC 3030 §4.2): the relay counts the octets.

        A relay that refused the recipient has nobody to deliver to, and says so a second time or
        hangs up. One that takes anything after that, or makes no sense, may have done whatever.
        """
        chunk = b"BDAT %d LAST\r\n" % len(content)
        self._hand_over(b"".join([*envelope, chunk, content[:-1]]), content[-1:])
        replies: list[Reply] = []
        try:
            for seconds in (*[self._patience.reply] * len(envelope), self._patience.dot):
                replies.append(self._wire.reply(seconds))
        except HungUp:
            if all(reply.kind == 2 for reply in replies):
                raise
            self._drop()
        first = next((at for at, reply in enumerate(replies) if reply.kind != 2), None)
        after = replies[first:] if first is not None else []
        if any(reply.kind not in (4, 5) for reply in after) or (not after and self._wire.ahead):
            raise Dropped("The relay's answers contradict each other.")
        return self._refused(after[0], to) if after else self._outcome(replies[-1], to)

    def _in_two(self, envelope: list[bytes], content: bytes, to: Address) -> Outcome:
        """The envelope, then the content, which ends with a dot (RFC 5321 §3.3)."""
        if refusal := self._offered([*envelope, _DATA]):
            return self._refused(refusal, to)
        self._hand_over(_stuffed(content), _DOT)
        return self._outcome(self._wire.reply(self._patience.dot), to)

    def _hand_over(self, octets: bytes, last: bytes) -> None:
        self._wire.write(octets, more_follows=True)
        self._handed_over = True
        self._wire.write(last)

    def _offered(self, envelope: list[bytes]) -> Reply | None:
        """The reply that refuses the letter; None once the relay waits for its content."""
        if self._offers.pipelining:
            return self._offered_at_once(envelope)
        for command in envelope:
            reply = self._wire.command(command)
            if not _accepts(command, reply):
                return reply
        return None

    def _offered_at_once(self, envelope: list[bytes]) -> Reply | None:
        """The same in one round trip (RFC 2920)."""
        self._wire.write(b"".join(envelope))
        refusal = None
        try:
            for command in envelope:
                reply = self._wire.reply()
                if not _accepts(command, reply):
                    refusal = refusal or reply
                elif refusal and command is _DATA:
                    # It awaits content although it refused the recipient. Even an empty message
                    # could be delivered to somebody, so the session ends without a dot.
                    self._drop()
                if reply.code == 421:
                    break
        except Dropped:
            if refusal is None:
                raise
            self._drop()
        return refusal

    def _refused(self, refusal: Reply, to: Address) -> Outcome:
        if refusal.kind not in (4, 5):
            raise Dropped("The relay answered out of turn.")
        if self._open and refusal.code != 421:
            self._start_over()
        return self._outcome(refusal, to)

    def _start_over(self) -> None:
        try:
            if self._wire.command(b"RSET\r\n").kind != 2:
                self._drop()
        except Dropped:
            self._drop()

    def _outcome(self, reply: Reply, to: Address) -> Outcome:
        state = _STATE_OF_KIND.get(reply.kind)
        if state is None:
            raise Dropped("The relay answered out of turn.")
        if reply.code == 421:
            self._drop()
        return Outcome(state, reply.code, _discreet(reply.text, to), not self._open)

    def _drop(self) -> None:
        self._open = False
        self._wire.close()


def _accepts(command: bytes, reply: Reply) -> bool:
    return reply.code == 354 if command is _DATA else reply.kind == 2


def _content(message: bytes) -> bytes:
    """The message with the line ends of mail (RFC 5321 §2.3.8)."""
    if not message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r"):
        message = _LINE_END.sub(b"\r\n", message)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def _stuffed(content: bytes) -> bytes:
    """The content as DATA carries it (RFC 5321 §4.5.2), all but the final dot."""
    if content.startswith(b".") or b"\n." in content:
        return _LEADING_DOT.sub(b"..", content)
    return content


def _discreet(answer: str, to: Address) -> str:
    """What a relay said, bounded and without the recipient's name, which some repeat bare."""
    answer = masked(answer)
    if to.local in answer.lower():
        bare = re.compile(rf"(?<!\w){re.escape(to.local)}(?!\w)", re.IGNORECASE)
        answer = bare.sub("***", answer)
    return answer[:LONGEST_ANSWER]
