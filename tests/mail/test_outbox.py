"""The outbox of files: one whole file a letter, however often it is sent."""

from pathlib import Path

import pytest

from campaigns.mail.address import Address
from campaigns.mail.outbox import FileTransport, file_name
from campaigns.mail.transport import State, Unreachable

ADA = Address.parse("ada@example.org")
LETTER = b"To: ada@example.org\r\nMessage-ID: <delivery.1.0a2b@example.org>\r\n\r\nhello\r\n"


def test_a_letter_is_a_file_that_only_we_may_read(tmp_path: Path) -> None:
    outbox = tmp_path / "instance" / "outbox"
    outcome = FileTransport(outbox).connect().send("", ADA, LETTER)
    [written] = outbox.iterdir()
    assert outcome.state is State.SENT
    assert written.read_bytes() == LETTER
    assert written.name.startswith("delivery-1-0a2b@example-org-")
    assert written.suffix == ".eml"
    assert (written.stat().st_mode & 0o777, outbox.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_same_letter_twice_is_one_file(tmp_path: Path) -> None:
    for _ in range(2):
        FileTransport(tmp_path).connect().send("", ADA, LETTER)
    assert len(list(tmp_path.iterdir())) == 1


def test_letters_differ_in_their_names() -> None:
    ids = [b"a.b@x", b"a-b@x", b"../../etc/passwd@x", b"a" * 200 + b"1@x", b"a" * 200 + b"2@x"]
    names = {file_name(b"Message-ID: <" + each + b">\r\n\r\n") for each in ids}
    names |= {
        file_name(b"no id"),
        file_name(b"none either"),
        file_name(b"a: b\n\nMessage-ID: <a.b@x>"),
    }
    assert len(names) == 8
    assert not any("/" in name or name.startswith(".") or len(name) > 100 for name in names)


def test_an_outbox_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unreachable):
        FileTransport(tmp_path / "file" / "outbox").connect()


def test_an_outbox_that_went_away_defers(tmp_path: Path) -> None:
    connection = FileTransport(tmp_path / "outbox").connect()
    (tmp_path / "outbox").rmdir()
    assert connection.send("", ADA, LETTER).state is State.DEFERRED
