"""Returned messages are read for what they say, and nothing in them upsets the reader."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.mail import returned
from campaigns.mail.status import Meaning
from tests.returning import bounce, complaint, in_words

VECTORS = Path(__file__).parents[1] / "vectors/mail.json"
INCOMING = json.loads(VECTORS.read_text(encoding="utf-8"))["incoming"]
CLASSES = {"hard": "hard", "block": "policy", "ignore": "delivered"}
TO = "bounce+7=aaaaaaaaaaaaaaaa@updates.example.org"
NESTED = b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n'


def meaning(message: bytes) -> str:
    return str(returned.read(message).said.meaning)


@pytest.mark.parametrize("case", INCOMING, ids=lambda case: str(case["name"]))
def test_every_vector_is_read_as_it_expects(case: dict[str, Any]) -> None:
    read, expected = returned.read(case["raw"].encode()), case["expect"]
    if expected["kind"] == "dsn":
        [recipient] = expected["recipients"]
        [fate] = read.fates
        assert recipient["address"] in fate.addresses
        assert (fate.said.status, fate.said.meaning) == (
            recipient["status"],
            CLASSES[recipient["cls"]],
        )
    else:
        assert read.said.meaning == expected["kind"]
    if "original_message_id" in expected:
        assert read.letters == (expected["original_message_id"],)


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        ("5.1.1", "550 no", "hard"),
        ("5.1.10", "556 null MX", "hard"),
        ("5.0.0", "550 5.1.1 unknown", "hard"),
        ("5.1.8", "550 bad sender", "policy"),
        ("5.2.2", "552 full", "soft"),
        ("4.4.7", "expired", "soft"),
        ("5.7.1", "550 5.1.1 spam", "policy"),
        ("4.7.1", "451 greylisted", "policy"),
        ("5.0.0", "550 Mail content denied. 10.1.1.2", "policy"),
        ("5.0.0", "554 DT:SPM 163 smtp", "policy"),
        ("5.0.0", "550 5.0.0 what", "soft"),
        ("", "host 5.1.1.9 said no", "soft"),
        ("nonsense", "", "soft"),
    ],
)
def test_what_failed_is_told_by_its_code(status: str, words: str, expected: str) -> None:
    assert meaning(bounce(TO, status, words)) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("failed (for good)", "hard"),
        ("Delayed", "delayed"),
        ("delivered", "delivered"),
        ("relayed", "delivered"),
        ("expanded", "delivered"),
        ("vanished", "not_understood"),
    ],
)
def test_only_what_failed_is_a_bounce(action: str, expected: str) -> None:
    assert meaning(bounce(TO, action=action)) == expected


def test_the_diagnostic_is_kept_without_addresses() -> None:
    said = returned.read(bounce(TO, words="550 5.1.1 <ada@example.org> unknown")).said
    assert said.answer == "550 5.1.1 <a***@example.org> unknown"


def test_of_several_recipients_the_one_we_wrote_to_counts() -> None:
    other = b"Final-Recipient: rfc822; group@example.org\r\nAction: delivered\r\n\r\n"
    message = bounce(TO).replace(b"Final-Recipient", other + b"Final-Recipient", 1)
    read = returned.read(message)
    assert read.about("ada@example.org").meaning is Meaning.HARD
    assert read.about("group@example.org").meaning is Meaning.DELIVERED
    assert read.about("somebody@example.org").meaning is Meaning.DELIVERED


def test_a_report_in_base64_and_other_scripts_is_read() -> None:
    message = bounce(TO).replace(b"message/delivery-status", b"message/global-delivery-status")
    assert meaning(message.replace(b"rfc822; ada", "utf-8; 王".encode())) == "hard"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("abuse", "complaint"), ("FRAUD", "complaint"), ("not-spam", "not_understood")],
)
def test_a_report_of_abuse_is_a_complaint(kind: str, expected: str) -> None:
    read = returned.read(complaint(TO, kind=kind))
    assert read.said.meaning == expected
    assert TO in read.came_to


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: auto-replied (vacation)", "Precedence: auto_reply", "X-Autoreply: yes"],
)
def test_an_automatic_reply_is_one_by_any_habit(header: str) -> None:
    assert meaning(f"To: {TO}\r\n{header}\r\n\r\naway".encode()) == "auto_reply"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您的邮件被退回：\n550 Mailbox not found. http://service.mail.qq.com", "soft"),
        ("对方服务器返回：550 5.1.1 User unknown", "hard"),
        ("SMTP error, DT:SPM 554 DT:SPM 163 smtp4", "policy"),
        ("451 4.2.0 wird in 4 Stunden wieder versucht", "delayed"),
        ("邮件没有送到。", "not_understood"),
        ("2026-11-22 15:50 call 0755-5501234", "not_understood"),
    ],
)
def test_a_bounce_in_words_is_known_by_its_code_alone(text: str, expected: str) -> None:
    assert meaning(in_words(TO, text)) == expected


def test_a_person_who_quotes_a_code_is_no_relay() -> None:
    letter = in_words(TO, "I got 550 5.1.1 from you?", "ada@example.org")
    assert meaning(letter) == "not_understood"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"Content-Type: multipart/mixed; " + b";" * 300_000,
        b"".join(NESTED % (number, number) for number in range(5000)),
        b"Content-Type: message/rfc822\r\n\r\n" * 9000,
        b"From: postmaster@x\r\nContent-Type: text/html\r\n\r\n" + b"<" * 250_000,
        b"Content-Type: message/delivery-status\r\n\r\n" + b"\n\n" * 120_000,
        b"To: " + b"a@" * 120_000,
        b"Content-Type: text/plain; charset=idna\r\n\r\n\xff",
        b"Content-Type: text/plain; charset=base64\r\n\r\n\xff",
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n!",
    ],
    ids=lambda message: str(message[:12]),
)
def test_a_hostile_message_costs_little_and_upsets_nobody(message: bytes) -> None:
    began = time.process_time()
    assert returned.read(message).fates == ()
    assert time.process_time() - began < 10


PIECES = st.sampled_from(
    [bounce(TO), complaint(TO), in_words(TO, "550 no"), b"\r\n", b"\r\n\r\n", b"--BB", b"=?",
     b"\xff", b"Content-Type: ", b"message/", b"multipart/digest; boundary=", b"charset=", b"\0",
     b";\"'"]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=40), max_size=12), st.integers(0, 2000))
def test_anything_is_read_or_not_understood(pieces: list[bytes], cut: int) -> None:
    message = b"".join(pieces)
    for some in (message, message[cut:], message[:cut] + message[cut + 3 :]):
        read = returned.read(some)
        assert read.said.meaning in list(Meaning)
        assert len(read.about("ada@example.org").answer) <= returned.LONGEST_ANSWER
