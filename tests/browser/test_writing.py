"""Writing in a real browser: a text shows as it will look, and a picture goes where one writes."""

from pathlib import Path

from playwright.sync_api import expect

from campaigns.model.staff import Role
from tests.browser.conftest import Open, Service
from tests.browser.keyboard import logged_in
from tests.files.test_picture import drawing

# A busy machine takes its time to draw; nothing here waits longer than it must.
PATIENT = 20_000
BODY = "Hi {{ donor.name }}, **sixteen** desks.\n\n{{ campaign.progress }}"


def test_a_text_is_seen_while_it_is_written_and_as_its_readers_get_it(
    opened: Open, service: Service, tmp_path: Path
) -> None:
    page = logged_in(opened, service, Role.EDITOR)
    page.goto("/staff/updates/new")
    page.locator("#title_en").fill("Desks for {{ campaign.title }}")
    page.locator("#body_en").fill(BODY)
    seen = page.locator("[data-shows=body_en]")
    expect(seen.locator("strong")).to_have_text("sixteen", timeout=PATIENT)
    expect(seen).to_contain_text("Hi friend")
    (tmp_path / "desk.png").write_bytes(drawing(900, 500))
    page.locator("#insert-file").set_input_files(tmp_path / "desk.png")
    page.locator("#insert-alt").fill("A desk")
    page.get_by_role("button", name="Insert the picture").click()
    expect(seen.locator("img")).to_have_js_property("naturalWidth", 900, timeout=PATIENT)
    page.get_by_role("button", name="Keep and look at it").click()
    page.get_by_role("link", name="As its readers get it").click()
    letter = page.frame_locator("iframe").last
    expect(letter.locator("strong")).to_have_text("sixteen", timeout=PATIENT)
