"""What else a page says: read by the same ways, never guessed, and dated only with its hour."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import Money
from campaigns.platforms import generic_pages, registry
from campaigns.platforms.base import PlatformError, Reading, Unreadable
from campaigns.platforms.generic_how import ALSO, JSON, PAGE, How
from campaigns.platforms.misread import Misread
from tests.platforms.test_generic_pages import ADDRESS, NOON, VALUES, answer

HTML = """<html><body><p>已筹 1,200.00 元，目标 5 万元</p><p>参捐 2,034 笔，1.2万人</p>
<p class="when">数据截至：2026年09月07日 19：30</p><p>发布于 2026-09-01 08:00</p></body></html>"""
FEED = {
    "sum": 1200,
    "times": 2034,
    "people": "1.2万",
    "aim": "50000.00",
    "at": 1788782400,
    "none": None,
}


def of_page(page: str = HTML, **said: str) -> Reading:
    how = {"address": ADDRESS, "before": "已筹", **said}
    return generic_pages.read(answer(page), PAGE, how)


def of_json(document: Any = FEED, **said: str) -> Reading:
    return generic_pages.read(
        answer(json.dumps(document)), JSON, {"address": ADDRESS, "place": "/sum", **said}
    )


def test_of_a_page_by_a_label_or_a_selector() -> None:
    read = of_page(
        donations_before="参捐",
        donors_before="笔,",
        target_before="目标",
        unit="said",
        as_of_place=".when",
    )
    assert (read.raised, read.donations) == (Money(120_000, "CNY"), 2034)
    assert (read.donors, read.target) == (12_000, Money(5_000_000, "CNY"))
    assert read.moment == datetime(2026, 9, 7, 11, 30, tzinfo=UTC)


def test_of_json_by_a_pointer() -> None:
    read = of_json(
        donations_place="/times", donors_place="/people", target_place="/aim", as_of_place="/at"
    )
    assert (read.donations, read.donors) == (2034, 12_000)
    assert (read.target, read.moment) == (Money(5_000_000, "CNY"), NOON)


def test_without_a_moment_of_its_own_it_is_of_when_it_was_asked() -> None:
    assert of_page().moment == NOON
    assert of_json(donations_place="/none").donations is None


@pytest.mark.parametrize(
    ("said", "setting"),
    [
        ({"donations_before": "支持"}, "donations_before"),
        ({"donors_place": ".donors"}, "donors_place"),
        ({"target_before": "目标"}, "target_before"),  # in yuan, but 万 stands behind it
        ({"as_of_before": "更新于"}, "as_of_before"),
        ({"as_of_place": "p"}, "as_of_place"),  # two moments
    ],
)
def test_what_was_said_to_be_there_and_is_not_is_named(said: dict[str, str], setting: str) -> None:
    with pytest.raises(Misread) as caught:
        of_page(**said)
    assert caught.value.setting == setting


@pytest.mark.parametrize(
    "when",
    ["2026-09-07", "2026-13-07 10:00", "soon", None, [], "2026-09-07 10:00 2026-09-07 11:00"],
)
def test_a_moment_that_is_none_dates_no_figure(when: object) -> None:
    with pytest.raises(Misread) as caught:
        of_json({"sum": 5, "at": when}, as_of_place="/at")
    assert caught.value.setting == "as_of_place"


@pytest.mark.parametrize(
    ("when", "moment"),
    [
        ("2026-09-07T11:30:05Z", datetime(2026, 9, 7, 11, 30, 5, tzinfo=UTC)),
        ("2026-09-07 13:30+02:00", datetime(2026, 9, 7, 11, 30, tzinfo=UTC)),
        ("2026/9/7 19:30", datetime(2026, 9, 7, 11, 30, tzinfo=UTC)),
        ("1788782400000", NOON),
        ("2026-09-07 20:04", NOON),  # a clock a little ahead
    ],
)
def test_moments_are_read_as_they_are_written(when: str, moment: datetime) -> None:
    assert of_json({"sum": 5, "at": when}, as_of_place="/at").moment == moment


def test_a_figure_of_tomorrow_is_not_believed() -> None:
    with pytest.raises(Unreadable, match="future"):
        of_json({"sum": 5, "at": "2026-09-08 20:00"}, as_of_place="/at")


def test_what_was_kept_before_reads_as_it_did_and_is_kept_the_same() -> None:
    before = {"address": ADDRESS, "place": "", "attribute": "", "before": "已筹", "after": "",
              "written": "1,234.56", "unit": "major", "currency": "CNY", "name": ""}  # fmt: skip
    assert How.told(before, PAGE).as_json() == before
    assert not registry.dated("generic", before)
    assert registry.dated("generic", before | {"as_of_before": "截至"})
    with pytest.raises(Misread) as caught:
        How.told(before | {"place": "/sum", "donors_place": "donors"}, JSON)
    assert caught.value.setting == "donors_place"


PARTS = st.text(max_size=5) | st.sampled_from(["", "/a", "/0", "p", "1", "截至"])
SAID = st.fixed_dictionaries(
    {"address": st.just(ADDRESS), "place": st.just("/a")},
    optional={f"{name}_{part}": PARTS for name in ALSO for part in ("place", "before")},
)


@given(document=VALUES, said=SAID)
def test_nothing_escapes_the_family(document: object, said: dict[str, str]) -> None:
    for way, body in ((JSON, json.dumps({"a": 5, "b": document})), (PAGE, f"<p>{document} 5</p>")):
        place = said["place"] if way == JSON else ""
        try:
            read = generic_pages.read(answer(body), way, said | {"place": place})
        except PlatformError:
            continue
        assert read.moment <= NOON
        assert (read.donations or 0) >= 0
