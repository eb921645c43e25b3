"""The demo's stand-ins answer every question that the adapters of their platforms ask."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from campaigns.local import standin
from campaigns.local.demo_listings import ALIPAY_ID, TENCENT_ID
from campaigns.local.script import Directions, Script
from campaigns.money import Money
from campaigns.platforms import registry
from campaigns.platforms.base import Reading, Unreadable
from campaigns.platforms.fetch import Manners, fetch

TITLE = "放学后的自习室"
FUTURE = 4e9  # the script has not begun, so that its totals stand still


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    script = Script(
        Directions(
            address="", title=TITLE, tencent_id=TENCENT_ID, alipay_id=ALIPAY_ID, endpoint="",
            secret="", campaign_ref="", started=FUTURE, tencent_raised=10_521_000,
            tencent_donations=1_482, alipay_raised=4_530_050, alipay_donors=512,
            foundation_raised=0, foundation_donations=0,
        )
    )  # fmt: skip
    with ThreadingHTTPServer(("127.0.0.1", 0), standin.stage(script)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read(origin: str, platform: str, external_id: str, way: str) -> Reading:
    adapter = registry.platform(platform)
    ask = adapter.ask(external_id, "", origin, way)
    allowed = frozenset({origin.removeprefix("http://")})
    return adapter.read(fetch(ask, Manners("test", allow_private=allowed)), way)


@pytest.mark.parametrize("way", [way.name for way in registry.platform("tencent").WAYS])
def test_tencent_says_the_same_in_each_of_its_ways(origin: str, way: str) -> None:
    said = read(origin, "tencent", TENCENT_ID, way)
    assert (said.raised, said.donations) == (Money(10_521_000, "CNY"), 1_482)


@pytest.mark.parametrize("way", ["query", "detail"])
def test_the_older_ways_tell_the_title(origin: str, way: str) -> None:
    assert read(origin, "tencent", TENCENT_ID, way).title == TITLE


def test_a_child_project_has_its_file_elsewhere(origin: str) -> None:
    assert read(origin, "tencent", "1234567890", "detail").raised is not None


def test_a_project_that_is_none_is_an_error_inside_http_200(origin: str) -> None:
    for way in ("current", "query"):
        with pytest.raises(Unreadable, match="error of its own"):
            read(origin, "tencent", "none", way)


def test_alipay_says_its_figure(origin: str) -> None:
    said = read(origin, "alipay", ALIPAY_ID, "page")
    assert said.raised == Money(4_530_050, "CNY")
