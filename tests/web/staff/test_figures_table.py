"""A table of figures: seen row by row, kept whole, and the one we hand out comes back as it was."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from campaigns.db import db
from campaigns.model.listing import Asking, Listing
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.staff import Role
from campaigns.web.staff.figure_rows import MOST
from tests import make
from tests.web.staff.conftest import Desk

PATH = "/staff/figures/table"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
Sit = Callable[..., Desk]


@pytest.fixture
def listing(app: Flask) -> Listing:
    listing = make.listing(make.campaign("after-school"), asking=Asking.BY_HAND)
    make.report(listing, 1_000_000, NOW - 9 * DAY)
    return listing


def minute() -> str:
    return (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")


def look(sitting: Desk, table: str, *, status: int = 200, **more: Any) -> str:
    """What the page says of a table."""
    given = {"moment": minute(), "shown": "", "table": table, "step": "look"} | more
    answer = sitting.post(PATH, **given)
    assert answer.status_code == status, answer.text
    return answer.text


def keep(sitting: Desk, table: str, **more: Any) -> None:
    look(sitting, table, status=302, step="do", **more)


def entered() -> list[tuple[int, int | None, ReportState]]:
    rows = db.session.scalars(
        select(Report).where(Report.origin == Origin.BY_HAND).order_by(Report.id)
    )
    return [(row.listing_id, row.raised_minor, row.state) for row in rows]


def row(page: str, number: int) -> str:
    found = re.search(rf'<tr id="row-{number}">(.*?)</tr>', page, re.S)
    assert found, page
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_every_row_has_its_verdict_before_any_is_kept(desk: Sit, listing: Listing) -> None:
    other = make.listing(asking=Asking.BY_HAND)
    table = f"listing,raised\n{listing.id},9000\n{other.id},2万\n"
    sitting = desk(Role.TREASURER)
    page = look(sitting, table)
    assert "is held The figure fell from ¥10,000.00 to ¥9,000.00." in row(page, 2)
    assert "is kept" in row(page, 3)
    assert entered() == []
    keep(sitting, table)
    assert entered() == [
        (listing.id, 900_000, ReportState.QUARANTINED),
        (other.id, 2_000_000, ReportState.ACCEPTED),
    ]


def test_handed_in_twice_it_is_kept_once(desk: Sit, listing: Listing) -> None:
    sitting, moment = desk(Role.FUNDRAISER), minute()
    table = f"listing,raised\n{listing.id},10100\n"
    keep(sitting, table, moment=moment)
    assert "known already" in row(look(sitting, table, moment=moment), 2)
    keep(sitting, table, moment=moment)
    assert len(entered()) == 1


WRONG = {
    "{id},ten": "Write an amount in CNY, such as 1234.50.",
    "{id},": None,
    "999,10100": "There is no listing of this number.",
    ",10100": "Write the listing's number, or its campaign and platform.",
    "{id},10100,2126-01-01 10:00": "A time must lie between 1990 and 2100",
    "{id},10100,2099-01-01 10:00": "This moment has not come yet.",
    "{id},10100,yesterday": "A time cannot be read",
    "{id},10100,,XYZ": "Use a currency's code, such as CNY or USD.",
    "{id},10100,,,another": "This listing is of another campaign or platform.",
    "{id},10100,,,,many": "Write a whole number, such as 30.",
}


@pytest.mark.parametrize("cells", WRONG)
def test_a_row_that_cannot_be_read_says_what_to_do(desk: Sit, listing: Listing, cells: str) -> None:
    said, heading = WRONG[cells], "listing,raised,moment,currency,campaign,donations\n"
    table = f"{heading}{listing.id},10200\n{cells.format(id=listing.id)}\n"
    sitting = desk(Role.TREASURER)
    page = look(sitting, table, status=200 if said is None else 400)
    if said is None:
        assert 'id="row-3"' not in page
        return
    assert f"wrong {said}" in row(page, 3).replace("&#39;", "'")
    look(sitting, table, status=400, step="do")
    assert entered() == []


def test_a_listing_goes_by_campaign_and_platform_too(desk: Sit, listing: Listing) -> None:
    sitting = desk(Role.TREASURER)
    heading = "campaign\tplatform\tpage\traised\n"
    keep(sitting, f"{heading}After-School\t腾讯公益\t\t10100\n")
    keep(sitting, f"{heading}after-school\ttencent\t{listing.external_id}\t10200\n")
    assert [one for one, *_ in entered()] == [listing.id] * 2
    assert "No listing of this campaign" in look(
        sitting, f"{heading}after-school\talipay\t\t1\n", status=400
    )
    make.listing(db.session.get_one(type(make.campaign()), listing.campaign_id))
    page = look(sitting, f"{heading}after-school\ttencent\t\t10300\n", status=400)
    assert "Several listings are" in page


def test_the_history_of_a_listing_is_taken_by_its_moments(desk: Sit, listing: Listing) -> None:
    days = [f"{NOW - days * DAY:%Y-%m-%d} 08:00" for days in (2, 4, 3)]
    figures = zip((10300, 10100, 10200), days, strict=True)
    table = "".join(f"{listing.id},{raised},{day}\n" for raised, day in figures)
    keep(desk(Role.TREASURER), f"listing,raised,as of\n{table}")
    assert [state for *_, state in entered()] == [ReportState.ACCEPTED] * 3


def test_a_figure_in_another_currency_is_held(desk: Sit, listing: Listing) -> None:
    keep(desk(Role.TREASURER), f"listing,raised,currency\n{listing.id},10100,USD\n")
    assert entered() == [(listing.id, 1_010_000, ReportState.QUARANTINED)]


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_our_own_table_is_filled_in_and_handed_in_again(
    desk: Sit, listing: Listing, locale: str
) -> None:
    other = make.listing(asking=Asking.REFUSED, external_id="2020111121175295224")
    sitting = desk(Role.TREASURER, locale=locale)
    answer = sitting.get(f"{PATH}/figures.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=figures-")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert {int(cells[0]) for cells in rows[1:]} == {listing.id, other.id}
    for cells in rows[1:]:
        cells[rows[0].index("已筹" if locale == "zh-Hans" else "Raised")] = "10100"
        cells[3] = "2.02011E+18"  # as a spreadsheet leaves long numbers
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    upload = (io.BytesIO(file.getvalue().encode("gb18030")), "figures.csv")
    keep(sitting, "", file=upload)
    assert {one for one, *_ in entered()} == {listing.id, other.id}


def test_our_own_table_is_inert(desk: Sit, listing: Listing) -> None:
    listing.url, listing.external_id = "https://example.org/1", "=1+1"
    db.session.commit()
    text = desk(Role.TREASURER).get(f"{PATH}/figures.csv").data.decode("utf-8-sig")
    assert "'=1+1" in text


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "Name the columns in the first row"),
        ("listing,colour\n1,red\n", "No column is called “colour”."),
        ("listing,moment\n1,2026-01-01\n", "The column “raised” must be there once."),
        ("listing,raised\n1,\n", "No row has a figure"),
        ("listing,raised\n" + "1,5\n" * (MOST + 1), f"At most {MOST} rows"),
        ("x" * 100_001, "At most 100000 characters."),
    ],
)
def test_what_is_no_table_says_what_to_do(
    desk: Sit, listing: Listing, table: str, said: str
) -> None:
    assert said in look(desk(Role.TREASURER), table, status=400)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"x" * (1024 * 1024 + 1), "Cut the table in two."), (b"\x80\xff\x00", "Save it as CSV.")],
)
def test_a_file_that_is_too_large_or_no_text_is_refused(
    desk: Sit, listing: Listing, content: bytes, said: str
) -> None:
    sitting = desk(Role.TREASURER)
    file = FileStorage(io.BytesIO(content), "figures.csv")
    fields = {"csrf_token": sitting.token, "moment": minute(), "table": "", "file": file}
    boundary, body = encode_multipart(fields)
    form = f"multipart/form-data; boundary={boundary}"
    answer = sitting.client.post(PATH, data=body, content_type=form)
    assert answer.status_code == 400
    assert said in answer.text


def test_what_a_row_says_is_inert(desk: Sit, listing: Listing) -> None:
    page = look(desk(Role.TREASURER), "listing,raised\n<script>,<b>\n", status=400)
    assert "<script>," not in page
    assert "&lt;b&gt;" in row(page, 2).replace("&amp;", "&")


def test_who_may_not_enter_figures_gets_nothing(desk: Sit, listing: Listing) -> None:
    sitting = desk(Role.APPROVER)
    assert sitting.get(PATH).status_code == 403
    assert sitting.get(f"{PATH}/figures.csv").status_code == 403
    look(sitting, f"listing,raised\n{listing.id},10100\n", status=403, step="do")
    assert entered() == []
