"""Many listings' figures on one page: each judged by itself, kept once, and none lost."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import figures
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import CampaignState
from campaigns.model.listing import Asking, Listing
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.staff import Role
from campaigns.web.staff.figures_by_hand import OPEN
from tests import make
from tests.web.staff.conftest import Desk

PATH = "/staff/figures"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
Sit = Callable[..., Desk]


@pytest.fixture
def listings(app: Flask) -> list[Listing]:
    """Ten listings by hand in two campaigns, each with a figure of the day before yesterday."""
    found = []
    for campaign in (make.campaign(), make.campaign()):
        for _ in range(5):
            listing = make.listing(campaign, asking=Asking.BY_HAND)
            make.report(listing, 1_000_000, NOW - 2 * DAY)
            found.append(listing)
    return found


def minute(ago: timedelta = timedelta()) -> str:
    """A moment as the field of a member of staff in Shanghai has it."""
    return (datetime.now(UTC) - ago + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")


def send(sitting: Desk, figures: dict[str, str], moment: str | None = None, **more: str) -> str:
    answer = sitting.post(PATH, moment=moment or minute(), shown="", **figures, **more)
    assert answer.status_code in (200, 400)
    return answer.text


def entered(listing: Listing) -> list[Report]:
    by_hand = Report.listing_id == listing.id, Report.origin == Origin.BY_HAND
    return list(db.session.scalars(select(Report).where(*by_hand).order_by(Report.id)))


def row(page: str, listing: Listing) -> str:
    """What the page says of a listing, without its tags."""
    found = re.search(rf'<li id="listing-{listing.id}">(.*?)</li>', page, re.S)
    assert found, page
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def field(page: str, listing: Listing) -> str:
    found = re.search(rf'<input id="raised-{listing.id}"[^>]*>', page)
    assert found, page
    return found[0]


def test_ten_figures_are_kept_by_one_press(desk: Sit, listings: list[Listing]) -> None:
    sitting = desk(Role.FUNDRAISER)
    page = send(sitting, {f"raised-{one.id}": f"{10_100 + one.id}" for one in listings})
    assert "10 figures are kept." in page
    for listing in listings:
        (report,) = entered(listing)
        assert (report.state, report.staff_id) == (ReportState.ACCEPTED, sitting.staff.id)
        assert figures.published(listing) == report.raised


def test_what_is_left_empty_stays_as_it_is(desk: Sit, listings: list[Listing]) -> None:
    page = send(desk(Role.TREASURER), {f"raised-{listings[3].id}": "10,500", "raised-": "7"})
    assert "One figure is kept." in page
    assert [len(entered(one)) for one in listings] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "typed",
    ["10,234.50", "¥10,234.50", "１０，２３４．５０", "1.02345万", "10234.5 元", " 10234.5 "],
)
def test_figures_are_read_as_people_write_them(
    desk: Sit, listings: list[Listing], typed: str
) -> None:
    send(desk(Role.TREASURER), {f"raised-{listings[0].id}": typed})
    assert entered(listings[0])[0].raised_minor == 1_023_450


def test_one_that_cannot_be_read_stays_in_its_field_and_stops_no_other(
    desk: Sit, listings: list[Listing]
) -> None:
    bad, good, *_ = listings
    sitting = desk(Role.TREASURER)
    answer = sitting.post(
        PATH, moment=minute(), **{f"raised-{bad.id}": "10,0", f"raised-{good.id}": "10100"}
    )
    assert answer.status_code == 400
    assert "Write an amount in CNY, such as 1234.50." in row(answer.text, bad)
    assert 'value="10,0"' in field(answer.text, bad)
    assert " autofocus" in field(answer.text, bad)
    assert 'value=""' in field(answer.text, good)
    assert (len(entered(bad)), len(entered(good))) == (0, 1)


def test_a_figure_that_falls_is_held_and_the_page_says_why(
    desk: Sit, listings: list[Listing]
) -> None:
    fallen = listings[4]
    page = send(desk(Role.TREASURER), {f"raised-{fallen.id}": "9000"})
    assert "being checked" in row(page, fallen)
    assert "The figure fell from ¥10,000.00 to ¥9,000.00. Decide" in row(page, fallen)
    assert entered(fallen)[0].state is ReportState.QUARANTINED
    assert str(figures.published(fallen)) == "10000.00 CNY"


def test_sent_twice_it_is_kept_once(desk: Sit, listings: list[Listing]) -> None:
    sitting, moment = desk(Role.FUNDRAISER), minute()
    typed = {f"raised-{listings[0].id}": "10100", f"raised-{listings[1].id}": "900"}
    send(sitting, typed, moment)
    again = send(sitting, typed, moment)
    assert "known already" in row(again, listings[0])
    assert [len(entered(one)) for one in listings[:2]] == [1, 1]
    said = select(AuditRecord).where(AuditRecord.action == "entered report")
    assert len(db.session.scalars(said).all()) == 2


def test_sent_again_after_a_newer_one_it_is_not_kept_as_an_older_one(
    desk: Sit, listings: list[Listing]
) -> None:
    sitting, earlier = desk(Role.FUNDRAISER), minute(timedelta(minutes=20))
    send(sitting, {f"raised-{listings[0].id}": "10100"}, earlier)
    send(sitting, {f"raised-{listings[0].id}": "10200"})
    send(sitting, {f"raised-{listings[0].id}": "10100"}, earlier)
    assert len(entered(listings[0])) == 2


def test_a_moment_to_come_keeps_nothing_and_loses_nothing(
    desk: Sit, listings: list[Listing]
) -> None:
    page = send(desk(Role.TREASURER), {f"raised-{listings[0].id}": "10100"}, minute(-2 * DAY))
    assert "This moment has not come yet." in page
    assert 'value="10100"' in field(page, listings[0])
    assert entered(listings[0]) == []


def test_a_page_left_open_overnight_does_not_date_figures_of_yesterday(
    desk: Sit, listings: list[Listing]
) -> None:
    old = minute(OPEN + timedelta(minutes=2))
    sitting, typed = desk(Role.TREASURER), {f"raised-{listings[0].id}": "10100"}
    answer = sitting.post(PATH, moment=old, shown=f"{old}:00", **typed)
    assert "The page stood open for a while" in answer.text
    assert 'value="10100"' in field(answer.text, listings[0])
    assert entered(listings[0]) == []
    # Whoever writes a moment means it.
    send(sitting, typed, old)
    assert len(entered(listings[0])) == 1


def test_donations_are_kept_where_they_are_written(desk: Sit, listings: list[Listing]) -> None:
    one, other, *_ = listings
    page = send(
        desk(Role.TREASURER),
        {f"raised-{one.id}": "10100", f"donations-{one.id}": "1,204",
         f"raised-{other.id}": "10100", f"donations-{other.id}": "many"},
    )  # fmt: skip
    assert entered(one)[0].donations == 1204
    assert entered(other) == []
    assert "Write a whole number, such as 30." in page


def test_the_round_is_of_what_staff_have_to_read(desk: Sit) -> None:
    campaign = make.campaign()
    asked = make.listing(campaign)
    broken = make.listing(campaign, failures=3)
    refused = make.listing(campaign, asking=Asking.REFUSED)
    final = make.listing(campaign, asking=Asking.ENDED)
    direct = make.listing(campaign, asking=Asking.BY_HAND, url="", platform="offline")
    draft = make.listing(make.campaign(state=CampaignState.DRAFT), asking=Asking.BY_HAND)
    page = desk(Role.FUNDRAISER).get(PATH).text
    there = [one for one in (asked, broken, refused, final, direct, draft)
             if f'id="listing-{one.id}"' in page]  # fmt: skip
    assert there == [broken, refused]


def test_what_is_due_stands_first_with_its_last_figure_and_the_way_to_its_page(
    desk: Sit, app: Flask
) -> None:
    fresh = make.listing(asking=Asking.BY_HAND)
    make.report(fresh, 1_000_000, NOW - timedelta(hours=1))
    due = make.listing(asking=Asking.BY_HAND)
    make.report(due, 2_000_000, NOW - 2 * DAY)
    page = desk(Role.TREASURER).get(PATH).text
    assert page.index(f'id="listing-{due.id}"') < page.index(f'id="listing-{fresh.id}"')
    assert "due ¥20,000.00, as of" in row(page, due)
    assert "due" not in row(page, fresh)
    assert f'href="{due.url}" target="_blank" rel="noopener noreferrer"' in page


def test_a_listing_that_left_the_round_meanwhile_is_kept_too(desk: Sit, app: Flask) -> None:
    back = make.listing()
    make.report(back, 1_000_000, NOW - DAY)
    send(desk(Role.TREASURER), {f"raised-{back.id}": "10100"})
    assert len(entered(back)) == 1


def test_who_may_not_enter_figures_gets_nothing(desk: Sit, listings: list[Listing]) -> None:
    sitting = desk(Role.EDITOR)
    assert sitting.get(PATH).status_code == 403
    answer = sitting.post(PATH, moment=minute(), **{f"raised-{listings[0].id}": "10100"})
    assert answer.status_code == 403
    assert entered(listings[0]) == []


def test_with_nothing_to_read_the_page_says_so(desk: Sit) -> None:
    assert "Nothing is read by hand" in desk(Role.TREASURER).get(PATH).text
