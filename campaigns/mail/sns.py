"""Amazon SNS: whether a post was signed by it, and where a subscription is confirmed.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from campaigns.mail.hook import BadSignature, Malformed, words

# What is signed, in this order; a Subject only where there is one.
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _SUBSCRIPTION,
    "UnsubscribeConfirmation": _SUBSCRIPTION,
}
_ADDRESS = re.compile(r"https://sns\.([a-z0-9-]{3,40})\.amazonaws\.com(?:\.cn)?(/[!-~]{0,1500})")
_SMALLEST = 2048  # bits


def verify(post: dict[str, Any], region: str, fetch: Callable[[str], bytes]) -> None:
    """Raises `BadSignature`, and what `fetch` raises, unless SNS of this region signed the post.

    The certificate is asked for at an address of SNS in that region alone, whatever the post says.
    """
    fields = _SIGNED.get(words(post.get("Type")))
    if fields is None:
        raise BadSignature("It is no post of SNS.")
    certificate = _of_sns(words(post.get("SigningCertURL")), region)
    if certificate is None or not certificate.partition("?")[0].endswith(".pem"):
        raise BadSignature("The certificate's address is not one of SNS.")
    try:
        signature = base64.b64decode(words(post.get("Signature")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature("The signature is not base64.") from error
    signed = "".join(
        f"{name}\n{words(post.get(name))}\n"
        for name in fields
        if name != "Subject" or post.get(name) is not None
    )
    try:
        _key(fetch(certificate)).verify(signature, signed.encode(), PKCS1v15(), _hash(post))
    except InvalidSignature as error:
        raise BadSignature("The signature does not hold.") from error


def confirmation(post: dict[str, Any], region: str) -> str:
    """Where a subscription, which was verified, is confirmed by a GET. Raises `Malformed`."""
    address = _of_sns(words(post.get("SubscribeURL")), region)
    if address is None:
        raise Malformed("The address that confirms is not one of SNS.")
    return address


def _of_sns(address: str, region: str) -> str | None:
    found = _ADDRESS.fullmatch(address)
    return address if found and found[1] == region else None


def _hash(post: dict[str, Any]) -> HashAlgorithm:
    """Topics say which; the first is still what new ones are set up with."""
    match words(post.get("SignatureVersion")):
        case "1":
            return SHA1()  # noqa: S303
        case "2":
            return SHA256()
    raise BadSignature("It is signed in a way that we do not know.")


def _key(certificate: bytes) -> RSAPublicKey:
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadSignature("The certificate cannot be read.") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _SMALLEST:
        raise BadSignature("The certificate has no key of this sort.")
    return key
