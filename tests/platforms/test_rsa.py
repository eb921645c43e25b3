"""Public keys as consoles, files and shells hand them over; and which signatures hold."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from campaigns.platforms import rsa
from campaigns.platforms.base import BadKeys
from tests import payers
from tests.catalogue import is_told_in_chinese

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/wechatpay_v3_notify.json").read_bytes())
CERTIFICATE = VECTORS["keys"]["platform_cert_pem"]
PEM = payers.public_key()
LINES = PEM.splitlines()
PKCS1 = (
    payers.private_key("theirs")
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    .decode()
)


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        f"Alipay\n\n{PEM}\n",
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\n"),
        " ".join(LINES),
        "".join(LINES[1:-1]),
        "\n".join(LINES[1:-1]),
        PKCS1,
    ],
    ids=[f"way-{number}" for number in range(8)],
)
def test_a_public_key_is_read_however_it_was_copied(text: str) -> None:
    numbers = payers.private_key("theirs").public_key().public_numbers()
    assert rsa.public_key(text, "key").public_numbers() == numbers


def test_a_certificate_holds_a_key() -> None:
    assert rsa.public_key(CERTIFICATE, "key").key_size == 2048
    assert rsa.public_key(CERTIFICATE + PEM, "key") == rsa.public_key(CERTIFICATE, "key")


def _pem(key: object) -> str:
    public = key.public_key()  # type: ignore[attr-defined]
    text: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "neither"),
        ("words", "neither"),
        ("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "neither"),
        (PEM.replace("PUBLIC", "ELSE", 1), "neither"),
        (CERTIFICATE.replace("M", "N"), "neither"),
        ("-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----", "private"),
        (_pem(ec.generate_private_key(ec.SECP256R1())), "at least 2048"),
        (_pem(generate_private_key(65537, 1024)), "at least 2048"),  # noqa: S505 - what is refused
    ],
)
def test_what_is_no_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadKeys, match=why) as caught:
        rsa.public_key(text, "the name")
    assert caught.value.setting == "the name"
    assert is_told_in_chinese(caught.value.reason)


def test_one_of_several_keys_suffices_and_damaged_ones_sign_nothing() -> None:
    signature = payers.signature(b"message")
    assert rsa.signed(signature, b"message", [payers.public_key("new"), "damaged", PEM])
    assert not rsa.signed(signature, b"message", [payers.public_key("new"), "damaged"])
    assert not rsa.signed(signature, b"messages", [PEM])
    assert not rsa.signed(payers.signature(b"message", sha1=True), b"message", [PEM])
    assert not rsa.signed(signature, b"message", [])


@pytest.mark.parametrize("signature", ["", "*", "A", "é", "AAAA", "A" * 344, "=" * 344])
def test_what_is_no_signature_does_not_hold(signature: str) -> None:
    assert not rsa.signed(signature, b"message", [PEM])


def test_a_sign_too_many_in_a_signature_or_key_is_not_passed_over() -> None:
    signature = payers.signature(b"message")
    assert not rsa.signed(f"{signature[:9]}*{signature[9:]}", b"message", [PEM])
    with pytest.raises(BadKeys):
        rsa.public_key("*" + "".join(LINES[1:-1]), "key")


def test_a_throwaway_key_signs_for_its_public_half() -> None:
    private, public = rsa.throwaway()
    assert rsa.signed(rsa.signature(b"message", private), b"message", [public])
