"""The sink is a relay that tests can trust."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from campaigns.mail.address import Address
from campaigns.mail.relay import Relay
from campaigns.mail.smtp import SmtpTransport
from tests.sink import Letter, Sink, read

ROOT = Path(__file__).parents[2]
ADA, EVE = Address.parse("ada@example.org"), Address.parse("eve@example.org")
LETTER = b"Subject: hello\r\n\r\nhello\r\n"


def test_as_a_process_it_keeps_letters_and_faults(tmp_path: Path) -> None:
    options = ["--dir", str(tmp_path), "--delay-ms", "5", "--fault", "eve@example.org=gone"]
    command = [sys.executable, "-m", "tests.sink", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        connection = SmtpTransport(Relay.parse(process.stdout.readline().strip())).connect()
        states = [connection.send("", to, LETTER).state for to in (ADA, EVE, ADA)]
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert states == ["sent", "failed", "sent"]
    assert read(tmp_path) == [Letter("", (ADA.text,), LETTER)] * 2


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    with Sink(directory=tmp_path) as sink:
        sink.accept_letter(Letter("", (ADA.text,), LETTER))
    with (tmp_path / "letters.jsonl").open("ab") as file:
        file.write(b'{"from": "", "to": ["e')
    assert len(read(tmp_path)) == 1


def test_content_dot_and_the_next_envelope_may_travel_together() -> None:
    envelope = b"MAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\n"
    with Sink() as sink, socket.create_connection(("127.0.0.1", sink.port), 5) as client:
        replies = client.makefile("rb")
        client.sendall(b"EHLO x\r\n" + envelope % b"ada@example.org")
        _read_until(replies, b"354")
        client.sendall(b"a\r\n..b\r\n.\r\n" + envelope % b"eve@example.org")
        assert _read_until(replies, b"354")[0] == b"250 2.0.0 kept\r\n"
        client.sendall(b".\r\nQUIT\r\n")
        _read_until(replies, b"221")
        replies.close()
    assert sink.letters == [
        Letter("", ("ada@example.org",), b"a\r\n.b\r\n"),
        Letter("", ("eve@example.org",), b""),
    ]


def _read_until(replies: BinaryIO, code: bytes) -> list[bytes]:
    lines: list[bytes] = []
    while not lines or not lines[-1].startswith(code):
        lines.append(replies.readline())
        assert lines[-1], "the sink hung up"
    return lines
