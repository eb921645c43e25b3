"""Platforms that take their time, for the yardstick of polling: `python -m bench._slow_platforms`.

Several hosts, one a port, that answer each question after a while; each counts how many it had at
once. Prints the ports, then waits; a line on standard input is answered by the counts since the
last one, as JSON.
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any


class Host:
    """What one of them saw: questions in all, and the most at once."""

    def __init__(self) -> None:
        self.asked = self.ever = self.now = self.most = 0


class Talk(asyncio.Protocol):
    """One kept-alive connection; questions have no bodies, and nobody sends two at once."""

    def __init__(self, host: Host, delay: float) -> None:
        self.host, self.delay = host, delay
        self.received = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            self.received = b""
            self.host.now += 1
            self.host.most = max(self.host.most, self.host.now)
            asyncio.get_running_loop().call_later(self.delay, self._answer)

    def _answer(self) -> None:
        self.host.now -= 1
        self.host.asked += 1
        self.host.ever += 1
        as_of = datetime.now(UTC).isoformat(timespec="seconds")
        said = {"currency": "CNY", "raised": f"{self.host.ever + 1000}.00", "as_of": as_of}
        body = json.dumps(said).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)


async def serve(number: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    hosts = [Host() for _ in range(number)]
    servers = [
        await loop.create_server(partial(Talk, host, delay), "127.0.0.1", 0) for host in hosts
    ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    print(json.dumps(ports), flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        counts = {port: (host.asked, host.most) for port, host in zip(ports, hosts, strict=True)}
        print(json.dumps(counts), flush=True)
        for host in hosts:
            host.asked = host.most = 0


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--hosts", type=int, default=8)
    asked.add_argument("--delay-ms", type=float, default=100)
    given = asked.parse_args()
    asyncio.run(serve(given.hosts, given.delay_ms / 1000))


if __name__ == "__main__":
    main()
