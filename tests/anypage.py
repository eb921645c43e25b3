"""A platform nobody knows, on loopback: a page and its JSON that say what a test tells them to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>某某公益</title></head>
<body>
<h1>乡村图书角 &lt;b&gt;</h1>
<p class="raised">已筹：<em>{raised}</em> 元</p><p>目标：<em>500,000.00</em> 元</p>
<p>支持者：2034 人</p>
</body></html>"""
FEED = '{{"status": 1, "data": {{"raised": {raised}, "donors": 2034}}}}'


class AnyPage(ThreadingHTTPServer):
    """`/page` and `/feed.json`; other paths are answered with 404. `asked` counts questions."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page, self.feed, self.status, self.asked = PAGE, FEED, 200, 0
        self.raised = "123,456.78"
        self.moved: str | None = None  # where to, if the page has moved
        self.meanwhile: Callable[[], object] = lambda: None  # done before an answer is given

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/page"


class _Handler(BaseHTTPRequestHandler):
    server: AnyPage

    def do_GET(self) -> None:
        self.server.asked += 1
        self.server.meanwhile()
        texts = {"/page": self.server.page, "/feed.json": self.server.feed}
        path = self.path.partition("?")[0]
        text = texts.get(path)
        bare = self.server.raised.replace(",", "")
        raised = bare if path == "/feed.json" else self.server.raised
        body = (text or "").format(raised=raised).encode() if text else b""
        self.send_response(302 if self.server.moved else self.server.status if text else 404)
        if self.server.moved:
            self.send_header("Location", self.server.moved)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def standing() -> Iterator[AnyPage]:
    """The platform, as long as the block lasts."""
    server = AnyPage()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
