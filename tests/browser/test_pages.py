"""Public pages in a real browser: they fit, they are quiet, they work without JavaScript."""

import pytest

from tests.browser.conftest import Open

PAGES = ("/", "/c/after-school", "/c/community-2019", "/c/new", "/c/after-school/updates/1",
         "/c/after-school/updates", "/c/after-school/follow", "/newsletter", "/unsubscribe/unknown",
         "/preferences/unknown", "/follow/confirm/unknown")  # fmt: skip
BOTH = [*PAGES, *(f"/en{path}" for path in PAGES[:8])]


@pytest.mark.parametrize("path", BOTH)
def test_a_page_fits_its_window_and_fingers_find_every_control(opened: Open, path: str) -> None:
    page = opened(path, 390, has_touch=True)
    for control in page.locator("button:visible, input:visible, a.button:visible").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44, control.evaluate("it => it.outerHTML")
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
