"""The page of a claimed gift: how it is shown, and what became of the money."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Listing, Rule
from tests import make
from tests.claimed import NUMBER, claimed, gift


@pytest.fixture
def listing(client: FlaskClient) -> Listing:
    make.organisation()
    return make.listing(make.campaign("after-school"), rule=Rule.ITEMISED)


@pytest.fixture
def given(listing: Listing) -> Entry:
    return gift(listing)


def test_words_that_came_with_a_gift_are_no_claimant_s_to_read(
    client: FlaskClient, given: Entry
) -> None:
    row = Gift(entry_id=given.id, public_name="Grace H.", message="For my mother")
    db.session.add(row)
    at = claimed(client)
    page = client.get(at).text
    assert "Grace" not in page
    assert "mother" not in page
    words(client, at, shown="no")
    assert db.session.get_one(Gift, given.id).message == "For my mother"


def words(client: FlaskClient, at: str, **form: str) -> TestResponse:
    return client.post(f"{at}/words", data=form)


def test_the_name_is_shown_at_once_and_the_message_once_staff_allow_it(
    client: FlaskClient, given: Entry
) -> None:
    at = claimed(client)
    words(client, at, shown="name", name=" Ada  L. ", message="Keep on!")
    public = client.get("/en/c/after-school").text
    assert "Ada L." in public
    assert "Keep on!" not in public
    assert "waits to be read" in client.get(at).text
    words(client, at, shown="no", name="Ada L.", message="Keep on!")
    assert "Ada L." not in client.get("/en/c/after-school").text


def test_what_staff_hid_stays_hidden_however_often_it_is_written_anew(
    client: FlaskClient, given: Entry
) -> None:
    at = claimed(client)
    words(client, at, shown="name", name="Rude", message="Rude")
    db.session.get_one(Gift, given.id).moderation = Moderation.HIDDEN
    words(client, at, shown="name", name="Ruder", message="Ruder")
    assert "Rude" not in client.get("/en/c/after-school").text
    assert "not shown" in client.get(at).text


def test_what_is_no_name_is_said_beside_its_field(client: FlaskClient, given: Entry) -> None:
    at = claimed(client)
    for name in ("", "x" * 41, "www.buy.example", "call 13800138000"):
        answer = words(client, at, shown="name", name=name)
        assert answer.status_code == 422
        assert "A name of at most 40 characters, please" in answer.text
    assert not db.session.get_one(Gift, given.id).show_name


def test_the_page_tells_what_became_of_the_money(
    client: FlaskClient, given: Entry, listing: Listing
) -> None:
    make.update(db.session.get_one(Campaign, given.campaign_id), published_at=make.NOON)
    gift(listing, "out-1", kind=EntryKind.DISBURSEMENT, amount="40.00")
    gift(listing, "back-1", kind=EntryKind.REFUND, amount="6.00", regards=f"trade:{NUMBER}")
    at = claimed(client)
    page = client.get(at).text
    told = re.sub(r"<[^>]+>|\s+", " ", page)
    assert "40.00" in told
    assert re.search(r"Paid back to you:\s+\S*6\.00", told)
    assert "The first desks have arrived" in told
