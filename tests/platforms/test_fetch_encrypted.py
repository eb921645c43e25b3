"""Encrypted questions: the certificate is the name's, and slowness is cut as well."""

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from campaigns.platforms import connection
from campaigns.platforms.base import (
    Ask,
    Unreachable,
)
from campaigns.platforms.fetch import Manners, fetch
from tests.platforms.asking import dripping, manners
from tests.platforms.hostile import Server, head, ok, serving


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for feed.test that signs itself, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "feed.test")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("feed.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "feed.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def secure(authority: Path) -> Iterator[tuple[Server, Manners]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with serving(ok(b"{}"), tls=context) as server:
        context.sni_callback = lambda _, name, __: server.names.append(name)
        allowed = frozenset({f"feed.test:{server.port}", f"other.test:{server.port}"})
        trust = connection.trusting(str(authority))
        yield (
            server,
            manners(allow_private=allowed, trust=trust, resolve=lambda *_: ["127.0.0.1"]),
        )


def test_the_certificate_is_the_names_although_we_connect_to_an_address(
    secure: tuple[Server, Manners],
) -> None:
    server, trusting = secure
    for _ in range(2):
        assert fetch(Ask(f"https://feed.test:{server.port}/"), trusting).body == b"{}"
    assert (server.names, server.connections) == (["feed.test"], 1)


def test_a_certificate_for_another_name_is_refused(secure: tuple[Server, Manners]) -> None:
    server, trusting = secure
    fetch(Ask(f"https://feed.test:{server.port}/"), trusting)
    with pytest.raises(Unreachable, match="certificate"):
        fetch(Ask(f"https://other.test:{server.port}/"), trusting)
    assert server.names == ["feed.test", "other.test"]
    assert len(server.requests) == 1


def test_a_certificate_nobody_vouches_for_is_refused(secure: tuple[Server, Manners]) -> None:
    server, trusting = secure
    with pytest.raises(Unreachable, match="certificate"):
        fetch(
            Ask(f"https://feed.test:{server.port}/"),
            replace(trusting, trust=connection.public_trust()),
        )


def test_who_drips_encrypted_is_cut_as_well(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    drip = dripping(head("HTTP/1.1 200 OK", "Content-Length: 1000"))
    with serving(drip, tls=context) as server:
        impatient = manners(
            allow_private=frozenset({f"feed.test:{server.port}"}),
            trust=connection.trusting(str(authority)),
            resolve=lambda *_: ["127.0.0.1"],
            timeout=0.6,
        )
        started = time.monotonic()
        with pytest.raises(Unreachable, match="within"):
            fetch(Ask(f"https://feed.test:{server.port}/"), impatient)
        assert time.monotonic() - started < 8


def test_a_handshake_that_never_comes_is_cut() -> None:
    def silence(client: socket.socket) -> None:
        time.sleep(8)

    with serving(silence) as server:
        started = time.monotonic()
        with pytest.raises(Unreachable):
            fetch(
                Ask(f"https://{server.host}/"),
                manners(server, timeout=0.5),
            )
        assert time.monotonic() - started < 6
