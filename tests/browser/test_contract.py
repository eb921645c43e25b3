"""How fresh figures should be, set without a mouse."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.festival import Festival
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests import make
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import logged_in, press, reach, write


def test_a_contract_and_a_festival_are_set_by_keyboard_alone(
    opened: Open, service: Service
) -> None:
    with service.app.app_context():
        id = make.listing(external_id="contract").id
        db.session.remove()
    page = logged_in(opened, service, Role.FUNDRAISER)
    page.goto(f"/staff/listings/{id}")
    reach(page, page.get_by_text("Change this", exact=True))
    page.keyboard.press("Enter")
    write(page, "Minutes between two questions", "5")
    reach(page, page.get_by_label("Believe a fall that the next report confirms"))
    page.keyboard.press("Space")
    press(page, page.get_by_role("button", name="Keep the contract"))
    expect(page.get_by_text("asked every 5 minutes").first).to_be_visible()
    page.goto("/staff/campaigns")
    press(page, page.get_by_role("link", name="Giving festivals"))
    write(page, "What it is called", "99 Giving Day")
    for label, days in (("Begins", 1), ("Ends", 3)):
        reach(page, page.get_by_label(label, exact=True))
        day = datetime.now(UTC) + timedelta(days=days)
        page.keyboard.type(f"{day:%m%d%Y}")
        page.keyboard.press("Tab")
        page.keyboard.type("0900AM")
    write(page, "Minutes between two questions", "2")
    press(page, page.get_by_role("button", name="Keep the festival"))
    expect(page.get_by_text("asked every 2 minutes").first).to_be_visible()
    with service.app.app_context():
        listing = db.session.get_one(Listing, id)
        assert (listing.period_seconds, listing.accept_falls) == (300, True)
        assert db.session.scalars(select(Festival.period_seconds)).all() == [120]
        db.session.remove()
