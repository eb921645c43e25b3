"""The foundation feed: what its documentation shows is what is read."""

import re
from datetime import UTC, datetime
from pathlib import Path

from campaigns.money import Money
from campaigns.platforms import foundation
from campaigns.platforms.base import Answer

DOCUMENT = Path(__file__).parents[2] / "docs/foundation-feed.md"
NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)


def test_the_documented_example_is_read_whole() -> None:
    [example] = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    reading = foundation.read(Answer(200, {}, example.encode(), NOON))
    assert reading.raised == Money.parse("123456.78 CNY")
    assert reading.moment == datetime(2026, 9, 7, 4, tzinfo=UTC)
    assert None not in vars(reading).values()


def test_the_document_names_every_member_that_is_read() -> None:
    read = set(
        re.findall(r'feed\.\w+, "(\w+)"|feed\.\w+\("(\w+)"', Path(foundation.__file__).read_text())
    )
    members = {name for pair in read for name in pair if name}
    assert members == set(re.findall(r"^\| `(\w+)`", DOCUMENT.read_text("utf-8"), re.MULTILINE))
