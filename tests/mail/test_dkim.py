"""Our signatures, verified by another implementation."""

import re

import dkim as verifier
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.mail import dkim
from campaigns.mail.dkim import ED25519, RSA, Signer, Unreadable

LETTER = (
    b"To: =?utf-8?B?6Im+6L6+?= <ada@example.org>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1.0a@example.org>\r\n"
    b"List-Unsubscribe: <https://example.org/unsubscribe/token>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Subject: The first desks\r\n have  arrived\r\nFrom: Huiyin <updates@example.org>\r\n"
    b"List-Id: desks <desks.example.org>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="=_alternative"\r\n\r\n'
    b"--=_alternative\r\n\r\nSixteen  desks. \t\r\n\r\n\r\n"
)
SIGNERS = {
    kind: dkim.signer("example.org", "huiyin1", dkim.new_key(kind)) for kind in (RSA, ED25519)
}


@pytest.fixture(params=[RSA, ED25519])
def signer(request: pytest.FixtureRequest) -> Signer:
    return SIGNERS[request.param]


def verified(message: bytes, *signers: Signer) -> bool:
    """What a receiver says of the first signature."""
    known = {f"{name}.".encode(): value.encode() for name, value in map(Signer.record, signers)}
    return bool(verifier.verify(message, dnsfunc=lambda name, timeout=5: known.get(name)))


def test_a_receiver_believes_a_letter_as_it_was_signed(signer: Signer) -> None:
    signed = signer.signed(LETTER)
    assert signed.endswith(LETTER)
    assert verified(signed, signer)
    assert max(map(len, signed.split(b"\r\n"))) <= 78


def test_what_relays_do_to_space_breaks_nothing(signer: Signer) -> None:
    signed = signer.signed(LETTER)
    refolded = signed.replace(
        b"The first desks\r\n have  arrived", b"The first\r\n\tdesks have arrived"
    )
    assert verified(refolded.replace(b"Sixteen  desks. \t", b"Sixteen desks.") + b"\r\n", signer)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b"Sixteen", b"Sixty"),
        (b"first desks", b"last desks"),
        (b"/unsubscribe/token", b"/elsewhere"),
        (b"=One-Click", b"=No"),
        (b"From: Huiyin", b"From: Eve <eve@example.net>\r\nFrom: Huiyin"),
        (b"Subject: ", b"Subject: Another\r\nSubject: "),
        (b"Subject: ", b"Reply-To: eve@example.net\r\nSubject: "),
        (b"List-Id: ", b"List-Unsubscribe: <https://example.net/>\r\nList-Id: "),
    ],
)
def test_what_was_changed_or_added_on_the_way_is_noticed(
    signer: Signer, said: bytes, instead: bytes
) -> None:
    signed = signer.signed(LETTER)
    head, bare = signed[: -len(LETTER)], signed[-len(LETTER) :]
    assert said in bare
    assert not verified(head + bare.replace(said, instead, 1), signer)


def test_both_kinds_may_sign_one_letter() -> None:
    signed = SIGNERS[ED25519].signed(SIGNERS[RSA].signed(LETTER))
    assert verified(signed, SIGNERS[ED25519])
    assert verified(signed.partition(b"\r\nDKIM-Signature: ")[2].join([b"DKIM-Signature: ", b""]),
                    SIGNERS[RSA])  # fmt: skip


def test_another_key_or_none_is_not_believed(signer: Signer) -> None:
    kind = signer.algorithm.partition("-")[0]
    other = dkim.signer("example.org", "huiyin1", dkim.new_key(kind))
    assert not verified(signer.signed(LETTER), other)


@settings(max_examples=15, derandomize=True)
@given(
    st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"desks", b".", b"=20"]), max_size=12),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
)
def test_any_body_and_subject_is_believed(pieces: list[bytes], subject: str) -> None:
    head = LETTER.partition(b"\r\n\r\n")[0].replace(b"The first", subject.encode())
    signer = SIGNERS[ED25519]
    assert verified(signer.signed(head + b"\r\n\r\n" + b"".join(pieces)), signer)


def test_the_record_names_the_key_and_holds_no_private_part(signer: Signer) -> None:
    name, value = signer.record()
    assert name == "huiyin1._domainkey.example.org"
    assert re.fullmatch(r"v=DKIM1; k=(rsa|ed25519); p=[A-Za-z0-9+/]+=*", value)


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(Unreadable):
        dkim.signer("example.org", "huiyin1", b"not a key")
