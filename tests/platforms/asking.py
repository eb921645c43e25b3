"""Asking a hostile server: quick manners, one question, and a body that comes drop by drop."""

import socket
import time
from dataclasses import replace
from typing import Any

from campaigns.platforms.base import Answer, Ask
from campaigns.platforms.fetch import Manners, fetch
from tests.platforms.hostile import Play, Server, serving


def manners(*servers: Server, **changes: Any) -> Manners:
    allowed = frozenset(server.host for server in servers)
    quick = Manners("Huiyin/test", allow_private=allowed, timeout=5, max_bytes=10_000)
    return replace(quick, **changes)


def got(play: Play | bytes, **changes: Any) -> Answer:
    with serving(play) as server:
        return fetch(Ask(server.url + "/feed.json"), manners(server, **changes))


def dripping(start: bytes, piece: bytes = b" ") -> Play:
    def drip(client: socket.socket) -> None:
        client.sendall(start)
        for _ in range(200):
            client.sendall(piece)
            time.sleep(0.05)

    return drip
