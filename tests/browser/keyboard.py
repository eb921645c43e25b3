"""Somebody at a staff page who has no mouse."""

from pathlib import Path

from playwright.sync_api import FileChooser, Locator, Page, expect
from sqlalchemy import select

from campaigns import accounts
from campaigns.db import db
from campaigns.model.staff import Role, Staff
from tests import make
from tests.browser.conftest import Open, Service
from tests.make import NOON

PASSWORD = "four words of a phrase"
MOST_STOPS = 150


def reach(page: Page, control: Locator) -> None:
    """Go from stop to stop until the control has the focus, as one sees."""
    expect(control).to_be_visible()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if control.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"The keyboard does not reach {control}.")


def write(page: Page, label: str, text: str) -> None:
    """Into the field of this label, in place of what stands there."""
    reach(page, page.get_by_label(label, exact=True))
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def press(page: Page, control: Locator) -> None:
    """Enter on it, and wait for where it leads."""
    reach(page, control)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def hand_in(page: Page, field: Locator, file: Path) -> None:
    """Choose a file. The dialog is listened for before one goes to the field: the browser needs a
    while to hand it over."""
    chosen: list[FileChooser] = []
    page.on("filechooser", lambda dialog: chosen.append(dialog))
    reach(page, field)
    page.keyboard.press("Enter")
    for _ in range(150):
        if chosen:
            return chosen[0].set_files(file)
        page.wait_for_timeout(100)
    raise AssertionError("The keyboard opens no dialog for files.")


def logged_in(opened: Open, service: Service, *roles: Role, locale: str = "en") -> Page:
    """A new member of staff, in front of their first page."""
    with service.app.app_context():
        email = f"keys-{len(list(db.session.scalars(select(Staff.id))))}@example.org"
        staff = make.staff(email, *roles, locale=locale)
        accounts.set_password(staff, PASSWORD, NOON)
        db.session.commit()
    page = opened("/staff/login", locale=locale)
    page.locator("#email").fill(email)
    page.locator("#password").fill(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return page
