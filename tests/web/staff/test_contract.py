"""The contract of a listing and giving festivals, as staff set them in the browser."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.festival import Festival
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests import make
from tests.web.staff.conftest import Desk

FIELDS = {
    "period": "10",
    "grace": "11",
    "opens": "",
    "closes": "",
    "zone": "",
    "days_after": "30",
    "jump_factor": "10",
}
FESTIVAL = {
    "name": "99 Giving Day",
    "starts": "2099-09-07T00:00",
    "ends": "2099-09-10T00:00",
    "period": "2",
}


@pytest.fixture
def listing(app: object) -> Listing:
    return make.listing()


@pytest.fixture
def fundraiser(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.FUNDRAISER, timezone="Asia/Shanghai")


def sent(who: Desk, listing: Listing, **fields: str) -> int:
    return who.post(f"/staff/listings/{listing.id}/contract", **FIELDS | fields).status_code


def test_a_contract_is_kept_as_it_was_typed(fundraiser: Desk, listing: Listing) -> None:
    typed = {"period": "0.5", "grace": "１０", "opens": "22:00", "closes": "06:30"}
    more = {"zone": "Europe/Berlin", "days_after": "0", "jump_factor": "", "accept_falls": "y"}
    assert sent(fundraiser, listing, **typed, **more) == 302
    assert (listing.period_seconds, listing.grace_seconds) == (30, 600)
    assert (listing.opens_at, listing.closes_at, listing.zone) == (1320, 390, "Europe/Berlin")
    assert (listing.asked_days_after, listing.jump_factor) == (0, None)
    assert listing.accept_falls is True
    page = fundraiser.get(f"/staff/listings/{listing.id}").text
    assert "asked every 30 seconds, from 22:00 to 06:30 (Europe/Berlin)" in page
    assert "final at once" in page
    assert "a fall that the next report does not confirm" in page
    assert 'value="0.5"' in page
    assert 'value="22:00"' in page


def test_what_a_form_shows_and_sends_back_changes_nothing(
    fundraiser: Desk, listing: Listing
) -> None:
    for seconds in (10, 15, 20, 25, 59, 61, 150, 3600):
        listing.period_seconds = seconds
        page = fundraiser.get(f"/staff/listings/{listing.id}/contract").text
        shown = page.partition('name="period"')[2].partition('value="')[2].partition('"')[0]
        sent(fundraiser, listing, period=shown)
        assert listing.period_seconds == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": ""},
        {"period": "often"},
        {"period": "0.1"},
        {"period": "10081"},
        {"grace": "-1"},
        {"opens": "09:00"},
        {"opens": "25:00", "closes": "10:00"},
        {"zone": "Mars/Olympus"},
        {"days_after": ""},
        {"days_after": "366"},
        {"jump_factor": "1"},
        {"jump_factor": "much"},
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    fundraiser: Desk, listing: Listing, wrong: dict[str, str]
) -> None:
    answer = fundraiser.post(f"/staff/listings/{listing.id}/contract", **FIELDS | wrong)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert (listing.period_seconds, listing.jump_factor) == (600, 10)


def test_the_same_hour_twice_means_day_and_night(fundraiser: Desk, listing: Listing) -> None:
    assert sent(fundraiser, listing, opens="08:00", closes="08:00") == 302
    assert (listing.opens_at, listing.closes_at) == (None, None)


def test_who_may_not_change_it_reads_it(desk: Callable[..., Desk], listing: Listing) -> None:
    editor = desk(Role.EDITOR)
    page = editor.get(f"/staff/listings/{listing.id}").text
    assert "asked every 10 minutes" in page
    assert "/contract" not in page
    assert sent(editor, listing, period="5") == 403


def test_a_festival_is_kept_in_the_persons_zone_changed_and_deleted(fundraiser: Desk) -> None:
    assert fundraiser.post("/staff/festivals", **FESTIVAL).status_code == 302
    festival = db.session.scalars(select(Festival)).one()
    assert festival.starts_at == datetime(2099, 9, 6, 16, tzinfo=UTC)
    page = fundraiser.get("/staff/festivals").text
    assert "asked every 2 minutes" in page
    assert "to come" in page
    path = f"/staff/festivals/{festival.id}"
    assert 'value="2099-09-07T00:00"' in fundraiser.get(path).text
    assert fundraiser.post(path, **FESTIVAL | {"period": "1"}).status_code == 302
    assert festival.period_seconds == 60
    assert fundraiser.post(f"{path}/delete").status_code == 302
    assert "No festival yet" in fundraiser.get("/staff/festivals").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"starts": "tomorrow"},
        {"ends": "2099-09-07T00:00"},
        {"starts": "2001-01-01T00:00", "ends": "2001-01-02T00:00"},
        {"period": "0"},
        {"period": ""},
    ],
)
def test_a_festival_that_cannot_be_is_refused(fundraiser: Desk, wrong: dict[str, str]) -> None:
    answer = fundraiser.post("/staff/festivals", **FESTIVAL | wrong)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert db.session.scalars(select(Festival)).all() == []


def test_what_lasts_and_what_is_over_is_said(fundraiser: Desk) -> None:
    now = datetime.now(UTC)
    for days in (-2, 0):
        begins = now + timedelta(days=days) - timedelta(hours=1)
        ends = begins + timedelta(days=1)
        db.session.add(Festival(name="x", starts_at=begins, ends_at=ends, period_seconds=60))
    page = fundraiser.get("/staff/festivals").text
    assert "under way" in page
    assert "over" in page
