"""Payment providers before a real server: what stands on the wire, and what is answered on it."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select

from campaigns.app import create_app
from campaigns.db import db
from campaigns.local.environment import free_address
from campaigns.model.entry import Entry
from campaigns.model.listing import Rule
from campaigns.model.notice import Notice
from config import load
from tests import make, payers
from tests.books import totals_agree
from tests.browser.server import serving
from tests.conftest import empty_database, environment
from tests.payers import event, form, payment, trade

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def served(dialect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Flask]]:
    """The address of a server with an endpoint of each provider, and an app on its database."""
    home, address = tmp_path_factory.mktemp("posts"), free_address()
    with empty_database(dialect, home) as url:
        settings = environment(url, home, BASE_URL=f"http://{address}")
        app = create_app(load(settings))
        with app.app_context():
            flask_migrate.upgrade()
            listing = make.listing(rule=Rule.ITEMISED)
            payers.alipay(listing)
            payers.wechatpay(listing)
            db.session.remove()
        with serving(address, {**os.environ, **settings}, Path(home) / "server.log"):
            yield address, app
        with app.app_context():
            db.engine.dispose()


def post(address: str, path: str, headers: dict[str, bytes], body: bytes) -> Answer:
    """Exactly these bytes."""
    host, _, port = address.rpartition(":")
    head = b"".join(b"%s: %s\r\n" % (name.encode(), value) for name, value in headers.items())
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(
            b"POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n%s"
            % (path.encode(), address.encode(), len(body), head, body)
        )
        whole = b"".join(iter(lambda: wire.recv(65536), b""))
    top, _, content = whole.partition(b"\r\n\r\n")
    status, *lines = top.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(status.split()[1]), {name.lower(): value for name, _, value in pairs}, content


def alipay(address: str, body: bytes) -> Answer:
    form_type = {"Content-Type": b"application/x-www-form-urlencoded; charset=utf-8"}
    return post(address, "/webhooks/alipay-1", form_type, body)


def wechat(address: str, body: bytes, **changes: bytes) -> Answer:
    signed = payers.headers(body, datetime.now(UTC))
    sent = {name: value.encode() for name, value in signed.items()}
    sent |= {f"Wechatpay-{name}": value for name, value in changes.items()}
    return post(address, "/webhooks/wechat-1", sent, body)


def entries(app: Flask) -> list[int]:
    with app.app_context():
        assert totals_agree()
        return list(db.session.scalars(select(Entry.amount_minor)))


def test_alipay_reads_exactly_success(served: tuple[str, Flask]) -> None:
    address, app = served
    before = len(entries(app))
    body = form(trade())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alipay(address, body), range(20)))
    for status, headers, content in answers:
        assert (status, headers["content-type"], content) == (200, "text/plain", b"success")
        assert "set-cookie" not in headers
    assert len(entries(app)) == before + 1


def test_wechat_pay_reads_204_and_nothing_else(served: tuple[str, Flask]) -> None:
    address, app = served
    before = len(entries(app))
    body = event(payment())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wechat(address, body), range(20)))
    assert {(status, content) for status, _, content in answers} == {(204, b"")}
    assert len(entries(app)) == before + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"Nonce": b"\xe9\xff\xfe"},
        {"Serial": "信".encode()},
        {"Signature": b"\x80" * 300},
        {"Signature": b"WECHATPAY/SIGNTEST/" + b"A" * 300},
        {"Timestamp": b"1e9"},
        {"Signature-Type": b"\xff"},
    ],
    ids=str,
)
def test_strange_bytes_in_headers_are_refused(
    served: tuple[str, Flask], changes: dict[str, bytes]
) -> None:
    address, app = served
    before = len(entries(app))
    status, _, content = wechat(address, event(payment()), **changes)
    assert (status in (400, 401), b'"FAIL"' in content) == (True, True)
    assert len(entries(app)) == before


@pytest.mark.parametrize("body", [b"\xff" * 500, b"%" * 99, b"a&" * 999, b"\x00", b" " * 300_000])
def test_strange_bodies_are_refused(served: tuple[str, Flask], body: bytes) -> None:
    address, app = served
    for answer in (alipay(address, body), wechat(address, body)):
        assert 400 <= answer[0] < 500
    assert alipay(address, body)[2] == b"fail"
    with app.app_context():
        bodies = db.session.scalars(select(Notice.reason)).all()
    assert all(reason == "Booked." for reason in bodies)
