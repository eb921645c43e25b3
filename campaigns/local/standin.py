"""Stand-ins for the demo's platforms, on loopback: pages whose totals grow, and signed donations.

`python -m campaigns.local.standin HOST:PORT` serves until it is ended. What they answer has the
shape of protocols seen in public code (docs/platforms.md); every figure is invented.
"""

import argparse
import html
import json
import sys
import threading
import time
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import requests
from standardwebhooks import Webhook

import config
from campaigns.local.script import Script

POST_SECONDS = 20
TIMEOUT_SECONDS = 10
LARGEST_QUESTION = 64 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="host:port to serve on")
    host, _, port = parser.parse_args().address.rpartition(":")
    settings = config.load()
    script = Script.read(settings.instance_dir)
    server = ThreadingHTTPServer((host.strip("[]"), int(port)), stage(script))
    threading.Thread(
        target=_give, args=(script, settings.base_url, settings.instance_dir), daemon=True
    ).start()
    server.serve_forever()
    return 0


def stage(script: Script) -> type[BaseHTTPRequestHandler]:
    """A handler class that knows the script."""

    class Stage(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = TIMEOUT_SECONDS

        def do_GET(self) -> None:
            self._answer(*_said(script, self.path))

        def do_POST(self) -> None:
            size = min(int(self.headers.get("Content-Length") or 0), LARGEST_QUESTION)
            asked = json.loads(self.rfile.read(size) or b"{}")
            self._answer(*_tencent(script, str(asked.get("pid"))))

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demo is watched on its pages."""

    return Stage


def _said(script: Script, path: str) -> tuple[str, bytes]:
    address = urlsplit(path)
    asked = {name: "".join(texts) for name, texts in parse_qs(address.query).items()}
    if address.path == "/donate/itemDetail.htm":
        return _alipay(script, asked.get("name", ""))
    if address.path == "/cgi-bin/ProjInfoQuery.fcgi":
        return _tencent_query(script, asked.get("id", ""))
    if address.path.startswith("/json_data/"):
        return _tencent_file(script, address.path)
    if address.path.endswith(".json"):
        return _foundation(script)
    return _door(script, address.path)


def _tencent(script: Script, pid: str) -> tuple[str, bytes]:
    """GetProjData: fen; a project whose number is none is an error inside HTTP 200."""
    if not pid.isdecimal():
        return "application/json", b'{"code":30800001,"msg":"param invalid"}'
    raised, donations = script.tencent(time.time(), pid)
    data = {
        "sum_money": raised.minor,
        "sum_times": donations,
        "together_money": 0,
        "project_cnt": 0,
    }
    return "application/json", json.dumps({"code": 0, "msg": "ok", "data": data}).encode()


def _tencent_query(script: Script, pid: str) -> tuple[str, bytes]:
    """ProjInfoQuery.fcgi as JSONP: fen as text, and a title that is percent-encoded."""
    if not pid.isdecimal():
        return "text/javascript", b'cb({"code":-1,"msg":"param invalid"});'
    raised, donations = script.tencent(time.time(), pid)
    stat = {
        "recvedMoney": str(raised.minor), "donateNum": str(donations),
        "children_money": "0", "children_times": "0",
    }  # fmt: skip
    said = {"code": 0, "msg": {"base": {"title": quote(script.directions.title)}, "stat": stat}}
    return "text/javascript", f"cb({json.dumps(said)});".encode()


def _tencent_file(script: Script, path: str) -> tuple[str, bytes]:
    """detail.<pid>.js: yuan, and the callback named by the project; a child's file has `msg`."""
    pid = path.rpartition("/")[2].removeprefix("detail.").removesuffix(".js")
    raised, donations = script.tencent(time.time(), pid)
    donate = {"obtainMoney": raised.amount, "donateNum": donations}
    told: dict[str, Any] = {"base": {"id": pid, "needMoney": "0", "donate": donate}}
    told["base"]["title"] = quote(script.directions.title)
    body = {"msg": told} if path.startswith("/json_data/sub_") else told
    return "text/javascript", f"_cb_fn_proj_{pid}({json.dumps(body)});".encode()


def _alipay(script: Script, item: str) -> tuple[str, bytes]:
    """The project's page: GBK bytes under a header that says otherwise."""
    raised, donors = script.alipay(time.time(), item)
    title = html.escape(script.directions.title)
    page = (
        '<html><head><meta charset="gbk"><title>演示</title></head><body>'
        f'<h2 class="fn-left donate-detail-title">{title}</h2>'
        "<p>这是演示用的替身页面，不是支付宝。</p>"
        f'<p>已募善款：<em class="ft-amount-16 ft-orange ft-bold">{raised.decimal:,.2f}</em> 元</p>'
        f'<p>参捐人数：<em class="ft-green">{donors}</em> 人次参与捐助</p></body></html>'
    )
    return "text/html; charset=iso-8859-1", page.encode("gb18030")


def _foundation(script: Script) -> tuple[str, bytes]:
    """The feed of docs/foundation-feed.md."""
    raised, donations = script.foundation()
    feed = {
        "title": script.directions.title,
        "currency": raised.currency,
        "raised": raised.amount,
        "donations": donations,
        "as_of": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return "application/json", json.dumps(feed, ensure_ascii=False).encode()


def _door(script: Script, path: str) -> tuple[str, bytes]:
    """What somebody sees who follows a link to give, or to read a figure for staff."""
    raised = script.by_hand(time.time(), path)
    figure = f"<p>已筹 · Raised: <b>¥{raised.decimal:,.2f}</b>" if raised else ""
    page = (
        '<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><title>演示 · Demo</title>'
        "<p>这里是演示用的替身平台，不收款。<p>A stand-in platform of the demo. It takes no money."
        f"{figure}<p><code>{html.escape(path)}</code></html>"
    )
    return "text/html; charset=utf-8", page.encode()


def _give(script: Script, base_url: str, instance: Path) -> None:
    """Post a signed donation now and then, as a foundation's system would; again until taken."""
    address = f"{base_url}/webhooks/{script.directions.endpoint}"
    signer = Webhook(script.directions.secret)
    session = requests.Session()
    session.trust_env = False
    while True:
        time.sleep(POST_SECONDS)
        number = script.given + 1
        if _taken(session, address, signer, script.donation(number)):
            script.given = number
            script.write(instance)


def _taken(
    session: requests.Session, address: str, signer: Webhook, notice: dict[str, Any]
) -> bool:
    body = json.dumps(notice, ensure_ascii=False)
    now, event = datetime.now(UTC), f"evt_{notice['data']['external_id']}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": event,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer.sign(event, now, body),
    }
    try:
        answer = session.post(
            address, body.encode(), headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException:
        return False
    # 409: it was taken before a restart, with another timestamp in its body.
    return answer.ok or answer.status_code == HTTPStatus.CONFLICT


if __name__ == "__main__":
    sys.exit(main())
