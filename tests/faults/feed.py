"""A partner's feed on loopback that grows by a yuan a question, and remembers when it was asked."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Feed(ThreadingHTTPServer):
    """`asked` has, for each path, the monotonic moments at which it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.host = f"127.0.0.1:{self.server_port}"
        self.asked: dict[str, list[float]] = {}

    def address(self, name: str) -> str:
        return f"http://{self.host}/{name}.json"

    def times(self, name: str) -> list[float]:
        return self.asked.get(f"/{name}.json", [])


class _Answers(BaseHTTPRequestHandler):
    server: Feed

    def do_GET(self) -> None:
        asked = self.server.asked.setdefault(self.path, [])
        asked.append(time.monotonic())
        as_of = datetime.now(UTC).isoformat(timespec="seconds")
        said = {"currency": "CNY", "raised": f"{len(asked)}.00", "as_of": as_of}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def feeding() -> Iterator[Feed]:
    with Feed() as feed:
        threading.Thread(target=feed.serve_forever, daemon=True).start()
        yield feed
        feed.shutdown()
