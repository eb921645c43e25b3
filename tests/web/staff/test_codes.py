"""Codes that staff print: they lead donors to the form to claim a gift."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from campaigns import claimed_gifts
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from campaigns.web.staff.codes import Card
from tests import make
from tests.claimed import gift
from tests.web.staff.conftest import Desk

PNG, SVG = b"\x89PNG\r\n\x1a\n", b"<?xml"


def test_a_campaign_s_code_leads_to_its_form(listing: Listing, desk: Callable[..., Desk]) -> None:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    staff = desk(Role.EDITOR)
    assert (
        f"/staff/codes/campaigns/{campaign.id}" in staff.get(f"/staff/campaigns/{campaign.id}").text
    )
    page = staff.get(f"/staff/codes/campaigns/{campaign.id}").text
    assert f"http://localhost/c/{campaign.slug}/gift<" in page
    assert staff.client.get(f"/c/{campaign.slug}/gift").status_code == 200


def test_a_gift_s_code_fills_in_a_number_that_leads_to_it(
    listing: Listing, desk: Callable[..., Desk]
) -> None:
    entry = gift(listing)
    staff = desk(Role.TREASURER)
    assert f"/staff/codes/gifts/{entry.id}" in staff.get(f"/staff/ledger/{entry.id}").text
    assert claimed_gifts.code(entry.id) in staff.get(f"/staff/codes/gifts/{entry.id}").text
    card = Card(db.session.get_one(Campaign, entry.campaign_id), claimed_gifts.code(entry.id))
    [number] = parse_qs(urlsplit(card.address).query)["number"]
    assert [one.id for one in claimed_gifts.numbered(number)] == [entry.id]


@pytest.mark.parametrize(("format", "begins"), [("svg", SVG), ("png", PNG)])
def test_codes_are_pictures_to_keep(
    listing: Listing, desk: Callable[..., Desk], format: str, begins: bytes
) -> None:
    answer = desk(Role.EDITOR).get(f"/staff/codes/campaigns/{listing.campaign_id}.{format}")
    assert answer.data.startswith(begins)
    assert answer.headers["Content-Disposition"].endswith(f".{format}")


def test_there_is_no_code_for_what_nobody_can_claim(
    listing: Listing, desk: Callable[..., Desk]
) -> None:
    gathered, draft = gift(listing, donations=37), make.campaign(state=CampaignState.DRAFT)
    staff = desk(Role.TREASURER)
    for path in (f"gifts/{gathered.id}", "gifts/999", f"campaigns/{draft.id}"):
        assert staff.get(f"/staff/codes/{path}").status_code == 404
        assert staff.get(f"/staff/codes/{path}.svg").status_code == 404
