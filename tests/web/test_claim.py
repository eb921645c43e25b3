"""Claiming a gift without an account: number and address, letter, button, the gift's page."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import suppression, wordings
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing, Rule
from campaigns.web import claim
from tests import make
from tests.claimed import FORM, NUMBER, ask, gift, given_by, link
from tests.statements import counted


@pytest.fixture
def campaign(client: FlaskClient) -> Campaign:
    make.organisation()
    return make.campaign("after-school")


@pytest.fixture
def listing(campaign: Campaign) -> Listing:
    return make.listing(campaign, rule=Rule.ITEMISED)


@pytest.fixture
def given(listing: Listing) -> Entry:
    return gift(listing)


def asked(client: FlaskClient, number: str = NUMBER, ago: timedelta = timedelta()) -> str:
    ask(client, number)
    return link(ago)


def letters() -> list[Delivery]:
    return list(db.session.scalars(select(Delivery).order_by(Delivery.id)))


def giver(of: Entry) -> str | None:
    row = db.session.get(Gift, of.id)
    return row.donor.address if row and row.donor else None


def test_the_campaign_s_page_leads_to_the_form(client: FlaskClient, campaign: Campaign) -> None:
    assert f'href="{FORM}"' in client.get("/en/c/after-school").text
    assert "Number of your gift" in client.get(FORM).text


def test_a_printed_code_fills_in_the_number(client: FlaskClient, campaign: Campaign) -> None:
    page = client.get(FORM + "?number=G12-0123456789")
    assert 'value="G12-0123456789"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "alert(1)" not in client.get(FORM, query_string={"number": "<b>alert(1)"}).text


def test_who_asks_gets_a_letter_and_owns_nothing_yet(client: FlaskClient, given: Entry) -> None:
    answer = ask(client)
    assert (answer.status_code, answer.location) == (303, FORM + "/sent")
    [letter] = letters()
    assert (letter.letter, letter.purpose) == (LetterKind.CONFIRM, Purpose.SERVICE)
    assert giver(given) is None
    assert "look into your mail" in client.get(FORM + "/sent").text


def test_a_number_s_answer_and_work_are_the_same_whatever_it_leads_to(
    client: FlaskClient, listing: Listing
) -> None:
    gift(listing)
    given_by(gift(listing, "2026112200002"), "somebody@example.org")
    make.donor("ada@example.org")
    answers, work = [], []
    for number in ("no-such-number", NUMBER, "2026112200002"):
        with counted() as statements:
            answers.append(ask(client, number))
        work.append(statements)
    assert len({(answer.status_code, answer.data) for answer in answers}) == 1
    assert len({tuple(answer.headers) for answer in answers}) == 1
    assert work[0] == work[1] == work[2]


@pytest.mark.parametrize("number", ["", "12", "x" * 65, "a\r\nb<script>", "=1+1;DROP"])
def test_what_is_no_number_is_said_beside_its_field(
    client: FlaskClient, campaign: Campaign, number: str
) -> None:
    answer = ask(client, number)
    assert answer.status_code == 422
    assert "Write the whole number" in answer.text
    assert letters() == []


def test_a_foreign_page_cannot_make_somebody_ask(client: FlaskClient, given: Entry) -> None:
    headers = {"Origin": "https://elsewhere.example.org"}
    data = {"number": NUMBER, "email": "ada@example.org"}
    assert client.post(FORM, data=data, headers=headers).status_code == 403
    assert letters() == []


def test_guessing_is_slowed_by_client(client: FlaskClient, campaign: Campaign) -> None:
    most = claim.PER_CLIENT[0]
    answers = [ask(client, f"guess-{n}", f"ada{n}@example.org") for n in range(most + 1)]
    assert [answer.status_code for answer in answers] == [303] * most + [429]


def test_guessing_is_slowed_by_address_and_by_number_without_a_word(
    client: FlaskClient, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "PER_CLIENT", (100, timedelta(hours=1)))
    most = claim.PER_ADDRESS[0]
    answers = [ask(client, f"guess-{n}") for n in range(most + 1)]
    answers += [ask(client, NUMBER, f"ada{n}@example.org") for n in range(most + 1)]
    assert {answer.status_code for answer in answers} == {303}
    assert len(letters()) == 2 * most


def test_opening_the_link_asks_and_changes_nothing(client: FlaskClient, given: Entry) -> None:
    page = client.get(asked(client))
    assert page.status_code == 200
    assert "Is the gift to “After school” yours?" in page.text
    assert giver(given) is None


def test_the_button_makes_the_gift_theirs_and_they_follow(
    client: FlaskClient, given: Entry, campaign: Campaign
) -> None:
    at = asked(client)
    answer = client.post(at)
    assert (answer.status_code, answer.location) == (303, at)
    assert giver(given) == "ada@example.org"
    [consent] = db.session.scalars(select(Consent))
    assert (consent.purpose, consent.campaign_id) == (Purpose.UPDATES, campaign.id)
    assert (consent.source, consent.wording, consent.locale) == (
        ConsentSource.FORM,
        "claim-1",
        "en",
    )
    page = client.get(at).text
    assert "CN¥66.00" in page or "¥66.00" in page
    assert "How your gift is shown" in page


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_what_is_kept_of_the_wording_is_what_the_page_says(
    client: FlaskClient, given: Entry, locale: str
) -> None:
    at = asked(client)
    letters()[0].locale = locale
    words, page = wordings.of(wordings.CLAIM, locale), client.get(at).text
    assert words is not None
    assert words.text in page
    assert f">{words.button}</button>" in page


def test_the_second_press_changes_nothing_and_the_link_stays_the_way_to_the_gift(
    client: FlaskClient, given: Entry
) -> None:
    at = asked(client, ago=timedelta(days=1))
    client.post(at)
    donor = db.session.scalars(select(Donor)).one()
    make.consent(donor, db.session.get_one(Campaign, given.campaign_id), given=False)
    assert client.post(at).status_code == 303
    assert not suppression.consents(donor.id, Purpose.UPDATES, given.campaign_id)
    letters()[0].settled_at = make.NOON - timedelta(days=400)
    assert client.get(at).status_code == 200


def test_a_link_to_confirm_works_for_two_days(client: FlaskClient, given: Entry) -> None:
    at = asked(client, ago=timedelta(days=2, minutes=1))
    for answer in (client.get(at), client.post(at)):
        assert answer.status_code == 410
        assert FORM in answer.text
    assert giver(given) is None


def test_a_gift_that_was_claimed_is_nobody_else_s(client: FlaskClient, given: Entry) -> None:
    client.post(asked(client))
    ask(client, NUMBER, "eve@example.org")
    at = link()
    for answer in (client.get(at), client.post(at)):
        assert answer.status_code == 410
        assert "claimed before" in answer.text
        assert "hi@example.org" in answer.text
    assert giver(given) == "ada@example.org"


def test_who_gave_with_an_address_claims_with_it_and_nobody_else_does(
    client: FlaskClient, given: Entry
) -> None:
    given_by(given, "ada@example.org", public_name="Ada L.", show_name=True)
    assert client.post(asked(client)).status_code == 303
    ask(client, NUMBER, "eve@example.org")
    assert client.post(link()).status_code == 410


def test_a_closed_campaign_s_gift_is_claimed_without_following(
    client: FlaskClient, given: Entry, campaign: Campaign
) -> None:
    campaign.state = CampaignState.CLOSED
    at = asked(client)
    assert "When there is news" not in client.get(at).text
    assert client.post(at).status_code == 303
    assert giver(given) == "ada@example.org"
    assert db.session.scalars(select(Consent)).all() == []


@pytest.mark.parametrize("token", ["unknown", "%00", "x" * 4000, "%E4%BD%A0"])
def test_an_unknown_link_is_explained(client: FlaskClient, campaign: Campaign, token: str) -> None:
    for answer in (
        client.get(f"/gift/{token}"),
        client.post(f"/gift/{token}"),
        client.post(f"/gift/{token}/words", data={"shown": "no"}),
    ):
        assert answer.status_code in (400, 410)


def test_a_letter_s_link_does_only_what_the_letter_says(client: FlaskClient, given: Entry) -> None:
    at = asked(client)
    follow = at.replace("/gift/", "/follow/confirm/")
    assert client.post(follow).status_code == 410
    data, headers = {"email": "ada@example.org"}, {"Origin": "http://localhost"}
    client.post("/en/c/after-school/follow", data=data, headers=headers)
    assert client.post(link()).status_code == 410
    assert giver(given) is None
