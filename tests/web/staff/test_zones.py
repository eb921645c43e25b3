"""Time zones are chosen from one list, in which one's own is chosen already."""

import re
from collections.abc import Callable

import pytest

from campaigns.model.staff import Role
from campaigns.web.staff.zones import zones
from tests.web.staff.conftest import Desk


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Port-au-Prince"])
def test_each_zone_stands_there_once_and_ones_own_is_chosen(
    desk: Callable[..., Desk], zone: str
) -> None:
    page = desk(Role.EDITOR, timezone=zone).get("/staff/me").text
    select = page[page.index('name="timezone"') :].partition("</select>")[0]
    assert re.findall(r'value="([^"]+)"', select) == list(zones())
    assert re.findall(r'<option selected value="([^"]+)"', select) == [zone]


@pytest.mark.parametrize("zone", ["", "Nowhere/Else", 'Asia/Shanghai">'])
def test_what_is_no_zone_is_refused(desk: Callable[..., Desk], zone: str) -> None:
    answer = desk(Role.EDITOR).post("/staff/me", name="Lin", locale="en", timezone=zone)
    assert answer.status_code == 400
    assert "Choose one of the list." in answer.text
