"""Reconciliation in the browser: what differs, why, and what may differ."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.explanation import Explanation
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Role
from tests import make
from tests.reported import booked
from tests.web.staff.conftest import Desk

NOW = datetime.now(UTC)


@pytest.fixture
def listing(app: Flask) -> Listing:
    row = make.listing(rule=Rule.ITEMISED)
    make.report(row, 12_300, datetime.now(UTC) - timedelta(days=6))
    return row


def test_a_gap_is_shown_with_its_age_and_on_the_first_page(
    treasurer: Desk, listing: Listing
) -> None:
    page = treasurer.get("/staff/reconciliation").text
    assert "¥123.00" in page
    assert "open for 6 days" in page
    assert f"/staff/reconciliation/{listing.id}" in treasurer.get("/staff").text


def test_what_is_missing_is_a_link_away_from_being_booked(
    treasurer: Desk, listing: Listing
) -> None:
    page = treasurer.get(f"/staff/reconciliation/{listing.id}").text
    link = re.search(r'href="(/staff/by-hand[^"]+)"', page)
    assert link
    form = treasurer.get(link[1].replace("&amp;", "&")).text
    assert 'value="123.00"' in form
    assert f'<option selected value="{listing.id}">' in form
    assert treasurer.get('/staff/by-hand?amount="><script>&listing=x').status_code == 200


def test_an_explained_gap_is_asked_about_no_more(treasurer: Desk, listing: Listing) -> None:
    path = f"/staff/reconciliation/{listing.id}"
    assert treasurer.post(f"{path}/explain", gap="123.00", note=" ").status_code == 400
    treasurer.post(f"{path}/explain", gap="123.00", note="Cash box of the gala")
    explanation = db.session.scalars(select(Explanation)).one()
    assert (explanation.gap_minor, explanation.staff_id) == (12_300, treasurer.staff.id)
    assert "Cash box of the gala" in treasurer.get("/staff/reconciliation").text
    assert path not in treasurer.get("/staff").text


@pytest.mark.parametrize("gap", ["99.00", "", "much", "-123.00"])
def test_another_gap_than_the_one_that_is_there_is_not_explained(
    treasurer: Desk, listing: Listing, gap: str
) -> None:
    answer = treasurer.post(f"/staff/reconciliation/{listing.id}/explain", gap=gap, note="why")
    assert answer.status_code == 302
    assert db.session.scalars(select(Explanation)).all() == []
    assert "another one by now" in treasurer.get("/staff").text


def test_a_tolerance_is_kept_with_its_reason(treasurer: Desk, listing: Listing) -> None:
    path = f"/staff/reconciliation/{listing.id}/tolerance"
    treasurer.post(path, compared="y", amount="200", days="7", reason="bills are late")
    assert (listing.tolerance_minor, listing.tolerance_days) == (20_000, 7)
    treasurer.post(path, amount="200", days="7", reason="gifts come by export")
    assert listing.tolerance_minor is None
    assert "not compared" in treasurer.get("/staff/reconciliation").text
    assert len(db.session.scalars(select(AuditRecord)).all()) == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"days": "91"}, "days"), ({"days": "-1"}, "days"), ({"reason": " "}, "reason"),
     ({"amount": "much"}, "amount")],
)  # fmt: skip
def test_what_cannot_be_tolerated_is_said_beside_the_field(
    treasurer: Desk, listing: Listing, fields: dict[str, str], field: str
) -> None:
    sent = {"compared": "y", "amount": "1", "days": "3", "reason": "why"} | fields
    answer = treasurer.post(f"/staff/reconciliation/{listing.id}/tolerance", **sent)
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert listing.tolerance_days == 3


@pytest.mark.parametrize("until", ["", "soon", "2026-99-99", "0001-01-01", "9999-12-31"])
def test_days_that_were_never_compared_are_todays(
    treasurer: Desk, listing: Listing, until: str
) -> None:
    page = treasurer.get(f"/staff/reconciliation/{listing.id}?until={until}")
    assert page.status_code == 200
    assert "¥123.00" in page.text


def test_earlier_days_are_turned_to(treasurer: Desk, listing: Listing) -> None:
    until = (NOW - timedelta(days=60)).date().isoformat()
    page = treasurer.get(f"/staff/reconciliation/{listing.id}?until={until}").text
    assert 'rel="prev"' in page
    assert 'rel="next"' in page


@pytest.mark.parametrize("role", [Role.FUNDRAISER, Role.EDITOR, Role.APPROVER])
def test_who_sees_no_ledger_sees_no_gap(
    desk: Callable[..., Desk], listing: Listing, role: Role
) -> None:
    sitting = desk(role)
    assert sitting.get(f"/staff/reconciliation/{listing.id}").status_code == 403
    assert sitting.get("/staff/reconciliation/999999").status_code == 403
    assert "/staff/reconciliation" not in sitting.get("/staff").text
    assert "/staff/reconciliation" not in sitting.get(f"/staff/listings/{listing.id}").text


def silent(listing: Listing) -> None:
    """Its reports grew two hours ago, and nothing came."""
    for minutes, raised in ((200, 12_300), (190, 12_300), (120, 20_000)):
        make.report(listing, raised, NOW - timedelta(minutes=minutes))


def test_missed_notices_are_marked_and_lead_to_their_endpoint(
    desk: Callable[..., Desk], treasurer: Desk
) -> None:
    listing = make.listing()
    endpoint = make.endpoint(
        "lianquan", listing=listing, created_at=NOW - timedelta(days=1), heard_at=NOW
    )
    silent(listing)
    administrator = desk(Role.ADMINISTRATOR)
    first = administrator.get("/staff").text
    assert "grew by at least ¥77.00" in first
    assert f'href="/staff/webhooks/{endpoint.id}"' in first
    assert f'href="/staff/reconciliation/{listing.id}"' in treasurer.get("/staff").text
    assert "no notice since" in treasurer.get("/staff/reconciliation").text
    page = administrator.get(f"/staff/reconciliation/{listing.id}").text
    assert "no notice since" in page
    assert "Endpoint lianquan" in page


def test_a_missing_file_is_called_so_and_leads_to_the_imports(treasurer: Desk) -> None:
    listing = make.listing(tolerance_days=0)
    booked(listing, "123.00 CNY", NOW - timedelta(days=1))
    silent(listing)
    assert 'href="/staff/imports"' in treasurer.get("/staff").text
    page = treasurer.get(f"/staff/reconciliation/{listing.id}").text
    assert "no file since" in page
    assert "Import a file" in page
