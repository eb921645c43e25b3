"""The curve on a campaign's page and in its data: lines, names, target, and the table behind it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns.curve import Curve, Line, Point
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing, Rule
from campaigns.model.report import Origin, ReportState
from campaigns.money import Money
from campaigns.web import chart
from tests import make
from tests.compared import book
from tests.web.test_public import ENGLISH

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
FIRST = date(2026, 11, 1)


def curved(*lines: Sequence[int | None], by_hand: tuple[int, int] | None = None) -> Curve:
    """A curve of lines in yuan; `by_hand` is the line and the place of a figure staff entered."""
    days = tuple(FIRST + number * DAY for number in range(len(lines[0])))

    def point(line: int, place: int, yuan: int) -> Point:
        return Point(days[place], NOW, Money(yuan * 100, "CNY"), (line, place) == by_hand)

    drawn = tuple(
        Line(
            Listing(),
            tuple(point(n, place, yuan) for place, yuan in enumerate(line) if yuan is not None),
        )
        for n, line in enumerate(lines)
    )
    sums = (sum(line[place] or 0 for line in lines) for place in range(len(days)))
    total = tuple(Money(yuan * 100, "CNY") for yuan in sums)
    return Curve(ZoneInfo("Asia/Shanghai"), 1, days, drawn, total)


def drawn(of: Curve, target: int | None = None) -> chart.Chart:
    names = [(f"Platform {number}", number + 1) for number in range(len(of.lines))]
    aim = None if target is None else Money(target * 100, "CNY")
    found = chart.drawn(of, names, "Together", aim, "China Time")
    assert found is not None
    return found


def test_a_line_goes_up_in_steps_from_zero() -> None:
    found = drawn(curved([0, 50, 50, 100]))
    assert [line.path for line in found.lines] == ["M0 214H250V120H750V26H1000"]


def test_a_line_begins_on_the_day_of_its_first_figure() -> None:
    together, one, other = drawn(curved([10, 10, 10, 10], [None, None, 30, 90])).lines
    assert other.path.startswith("M500 ")
    assert other.began == (FIRST + 2 * DAY, Money(3_000, "CNY"))
    assert (together.name, together.look, one.look) == ("Together", "whole", "series-1")
    assert together.ended == (FIRST + 3 * DAY, Money(10_000, "CNY"))


def test_a_target_that_is_far_above_is_not_drawn() -> None:
    near, far = drawn(curved([0, 100]), 400), drawn(curved([0, 100]), 401)
    assert (near.target_y, far.target_y) == (chart.CEILING, None)
    assert near.lines[0].path.endswith("V167H1000")
    assert far.lines[0].path.endswith("V26H1000")
    assert drawn(curved([0, 100]), 50).target_y == 120


@pytest.mark.parametrize(
    ("top", "amounts"),
    [
        (300_000, [100_000, 200_000, 300_000]),
        (186_420, [50_000, 100_000, 150_000]),
        (4, [1, 2, 3, 4]),
        (1_000, [500, 1_000]),
    ],
)
def test_hairlines_stand_at_round_amounts(top: int, amounts: list[int]) -> None:
    assert [tick.amount.minor // 100 for tick in drawn(curved([0, top])).ticks] == amounts


def test_no_two_names_stand_on_each_other() -> None:
    ends = [[0, yuan] for yuan in (100, 100, 101, 3, 2, 1, 0)]
    places = sorted(line.name_y for line in drawn(curved(*ends)).lines)
    assert all(
        below - above >= chart.APART for above, below in zip(places, places[1:], strict=False)
    )
    assert places[0] > 0
    assert places[-1] <= chart.FLOOR


def test_a_long_name_is_cut_in_the_picture_and_whole_in_the_table() -> None:
    curve, name = curved([0, 10]), "The Foundation of Very Many Good People in Shanghai"
    found = chart.drawn(curve, [(name, 1)], "Together", None, "China Time")
    assert found is not None
    assert found.lines[0].label == "The Foundation of Very Ma…"
    assert found.strip <= chart.LONGEST_NAME + 16
    assert found.columns == [(name, "num")]


def test_the_table_has_as_many_rows_as_one_reads_the_newest_first() -> None:
    rows = drawn(curved(list(range(200)))).rows
    assert len(rows) <= chart.MOST_ROWS
    assert (rows[0].day, rows[0].total) == (FIRST + 199 * DAY, None)


def test_where_nothing_was_raised_nothing_is_drawn() -> None:
    assert chart.drawn(curved([0, 0], [None, -5]), [("a", 1), ("b", 2)], "all", None, "z") is None


def test_a_figure_below_zero_lies_on_the_ground() -> None:
    assert "V214H" in drawn(curved([10, -5, 10])).lines[0].path


def test_what_staff_entered_is_a_ring_on_its_day() -> None:
    found = drawn(curved([0, 50, 100], by_hand=(0, 1)))
    assert found.by_hand
    assert found.lines[0].by_hand == "M500 120h0"
    assert not drawn(curved([0, 50, 100])).by_hand


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    """Three days of a listing that was asked, and one that adds up its gifts."""
    make.organisation()
    campaign = make.campaign("after-school")
    asked = make.listing(campaign)
    for days, raised in ((2, 9_000_000), (1, 9_100_000), (0, 10_521_000)):
        origin = Origin.BY_HAND if days == 1 else Origin.ASKED
        make.report(asked, raised, NOW - days * DAY, origin=origin)
    make.report(asked, 77_777_00, NOW - DAY, state=ReportState.QUARANTINED)
    direct = make.listing(campaign, platform="alipay", rule=Rule.ITEMISED)
    book(direct, 1_234, NOW - DAY)
    return campaign


def test_the_page_draws_it_and_says_it_in_words(client: FlaskClient, campaign: Campaign) -> None:
    page = client.get(ENGLISH).text
    assert "Raised over time" in page
    assert "figures as of" in page
    assert "China Time" in page
    assert "Tencent Charity: ¥90,000.00 on" in page
    assert "Together: ¥90,000.00 on" in page
    assert "○ was entered by staff." in page
    assert '<th scope="row"><time datetime="' in page
    assert "¥106,444.00" in page  # 105,210.00 and 1,234.00
    assert "77,777" not in page


def test_the_data_has_every_point(client: FlaskClient, campaign: Campaign) -> None:
    found = client.get("/c/after-school.json").json
    assert found is not None
    asked, direct = found["curve"]["lines"]
    assert (found["curve"]["zone"], found["curve"]["every_days"]) == ("Asia/Shanghai", 1)
    assert [point["raised"] for point in asked["points"]] == ["90000.00", "91000.00", "105210.00"]
    assert [point["by_hand"] for point in asked["points"]] == [False, True, False]
    assert asked["points"][-1]["as_of"] == found["listings"][0]["as_of"]
    assert direct["platform"] == "alipay"
    assert found["curve"]["total"][-1]["raised"] == found["raised"]


def test_a_campaign_of_one_day_has_no_curve(client: FlaskClient) -> None:
    make.organisation()
    make.report(make.listing(make.campaign("after-school")), 100, NOW)
    assert "Raised over time" not in client.get(ENGLISH).text
    found = client.get("/c/after-school.json").json
    assert found is not None
    assert found["curve"] is None


def test_what_a_platform_is_called_is_inert(client: FlaskClient, campaign: Campaign) -> None:
    listing = make.listing(campaign, platform="generic", how={"name": "<script>1</script>"})
    make.report(listing, 100, NOW)
    db.session.commit()
    assert "<script>1" not in client.get(ENGLISH).text
