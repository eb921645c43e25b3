"""Whatever a relay says, an outcome other than unknown is the truth about the letter."""

import socket
import threading
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from campaigns.mail.address import Address
from campaigns.mail.greeting import Offers
from campaigns.mail.smtp import Patience, SmtpConnection
from campaigns.mail.transport import Outcome, State
from campaigns.mail.wire import Wire

ADA = Address.parse("ada@example.org")
LETTER = b"Subject: hello\r\n\r\nhello\r\n"
HASTY = Patience(connect=0.2, reply=0.2, dot=0.2)

usual = st.sampled_from([b"250 ok\r\n", b"354 go on\r\n"])
replies = st.one_of(
    usual,
    usual,
    st.builds(b"%d %b\r\n".__mod__, st.tuples(st.integers(200, 599), st.just(b"said"))),
    st.sampled_from(
        [b"250-a\r\n250 b\r\n", b"421 bye\r\n", b"250\r\n", b"354 go on\r\n250 ok\r\n"]
    ),
    st.sampled_from([b"", b"\r\n", b"25", b"\xff\x00\n", b"250ok\r\n", b"999 x\r\n"]),
    st.binary(max_size=20),
)


offers = st.sampled_from(
    [Offers(), Offers(pipelining=True), Offers(pipelining=True, chunking=True)]
)


@example(said=[b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n250 ok\r\n"], offered=Offers())
@given(st.lists(replies, max_size=6), offers)
def test_what_the_relay_did_agrees_with_the_outcome(said: list[bytes], offered: Offers) -> None:
    relay = _Relay(said)
    outcome = relay.take(offered)
    if outcome.state is State.SENT:
        assert relay.whole
        assert relay.verdict.split(b"\n")[-2].startswith(b"2")
    elif outcome.state in (State.FAILED, State.DEFERRED) and relay.whole:
        assert relay.refused
        assert relay.verdict[:1] != b"2"
    elif outcome.state is State.UNKNOWN:
        assert outcome.connection_lost
    assert len(outcome.answer) <= 300


class _Relay:
    """Answers each command, and then the content, with the next reply; then hangs up.

    `whole` tells whether the letter's last octets arrived, `verdict` what was said to them,
    `refused` whether anything that the letter needs was.
    """

    def __init__(self, said: list[bytes]) -> None:
        self._said = iter(said)
        self.whole = self.refused = False
        self.verdict = b""

    def take(self, offers: Offers) -> Outcome:
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=self._serve, args=(theirs,))
        thread.start()
        connection = SmtpConnection(Wire(ours, HASTY.reply), offers, HASTY)
        outcome = connection.send("bounce@example.org", ADA, LETTER)
        connection.close()
        thread.join()
        return outcome

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as lines, suppress(OSError, StopIteration):
            for line in lines:
                if line == b".\r\n":
                    self.whole = True
                    self.verdict = self._say()
                    client.sendall(self.verdict)
                elif line.startswith(b"BDAT "):
                    lines.read(int(line.split()[1]))
                    self.whole = True
                    self.verdict = self._say()
                    client.sendall(self.verdict)
                elif line.split()[:1] and line.split()[0] in (b"MAIL", b"RCPT", b"DATA"):
                    client.sendall(self._say())
                elif line == b"RSET\r\n":
                    client.sendall(next(self._said))

    def _say(self) -> bytes:
        said = next(self._said)
        self.refused |= said[:1] in (b"4", b"5")
        return said
