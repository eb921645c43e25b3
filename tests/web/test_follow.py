"""Following a campaign without an account: form, letter, button."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from campaigns import suppression
from campaigns.crypto import new_token, token_hash
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.suppression import Suppression, SuppressionCause
from campaigns.web import follow
from tests import make

FORM = "/en/c/after-school/follow"


@pytest.fixture
def campaign(client: FlaskClient) -> Campaign:
    make.organisation()
    return make.campaign("after-school")


def ask(client: FlaskClient, email: str = "ada@example.org", path: str = FORM) -> TestResponse:
    return client.post(path, data={"email": email}, headers={"Origin": "http://localhost"})


def letters() -> list[Delivery]:
    return list(db.session.scalars(select(Delivery).order_by(Delivery.id)))


def sent(letter: Delivery, ago: timedelta = timedelta()) -> str:
    """The address in the letter's button, as if it had gone out some time ago."""
    token = new_token()
    letter.token_hash = token_hash(token)
    letter.state = DeliveryState.SENT
    letter.settled_at = datetime.now(UTC) - ago
    db.session.commit()
    return f"/follow/confirm/{token}"


def asked(client: FlaskClient, ago: timedelta = timedelta()) -> str:
    ask(client)
    return sent(letters()[-1], ago)


def follows(campaign: Campaign, address: str = "ada@example.org") -> bool:
    donor = db.session.scalars(select(Donor).where(Donor.address == address)).one()
    return suppression.consents(donor.id, Purpose.UPDATES, campaign.id)


def test_who_asks_gets_one_letter_in_the_page_s_language(
    client: FlaskClient, campaign: Campaign
) -> None:
    answer = ask(client, "Ada@Example.org ")
    assert (answer.status_code, answer.location) == (303, FORM)
    [letter] = letters()
    assert (letter.letter, letter.purpose) == (LetterKind.CONFIRM, Purpose.SERVICE)
    assert (letter.locale, letter.campaign_id) == ("en", campaign.id)
    assert not follows(campaign)
    assert "look into your mail" in client.get(FORM).text


def test_the_answer_is_the_same_for_known_and_unknown_addresses(
    client: FlaskClient, campaign: Campaign
) -> None:
    make.consent(make.donor("known@example.org"), campaign)
    known, unknown = ask(client, "known@example.org"), ask(client, "new@example.org")
    assert known.status_code == unknown.status_code
    assert known.data == unknown.data
    assert list(known.headers) == list(unknown.headers)
    assert len(letters()) == 2


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a\r\nBcc: b@example.org", "x" * 5000])
def test_what_is_no_address_is_said_beside_its_field(
    client: FlaskClient, campaign: Campaign, email: str
) -> None:
    answer = ask(client, email)
    assert answer.status_code == 422
    assert "Write the whole address" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert letters() == []


def test_a_foreign_page_cannot_make_somebody_ask(client: FlaskClient, campaign: Campaign) -> None:
    headers = {"Origin": "https://elsewhere.example.org"}
    answer = client.post(FORM, data={"email": "ada@example.org"}, headers=headers)
    assert answer.status_code == 403
    assert letters() == []


def test_a_form_as_large_as_a_book_is_refused(client: FlaskClient, campaign: Campaign) -> None:
    assert ask(client, "x" * 20_000).status_code == 413


def test_a_mailbox_is_not_filled_by_strangers(client: FlaskClient, campaign: Campaign) -> None:
    answers = [ask(client) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {303}
    assert len(letters()) == follow.PER_ADDRESS[0]


def test_who_asks_for_many_addresses_is_slowed(client: FlaskClient, campaign: Campaign) -> None:
    limit = follow.PER_CLIENT[0]
    answers = [ask(client, f"donor-{number}@example.org") for number in range(limit + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {303}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len(letters()) == limit


@pytest.mark.parametrize(("state", "status"), [("draft", 404), ("closed", 410), ("ended", 303)])
def test_only_campaigns_that_still_tell_something_can_be_followed(
    client: FlaskClient, campaign: Campaign, state: str, status: int
) -> None:
    campaign.state = CampaignState(state)
    assert ask(client).status_code == status


def test_opening_the_link_asks_and_changes_nothing(client: FlaskClient, campaign: Campaign) -> None:
    link = asked(client)
    page = client.get(link)
    assert page.status_code == 200
    assert "Follow “After school”?" in page.text
    assert not follows(campaign)


def test_the_button_confirms_with_wording_language_and_time(
    client: FlaskClient, campaign: Campaign
) -> None:
    answer = client.post(asked(client))
    assert answer.status_code == 200
    assert "You follow “After school” now" in answer.text
    [consent] = db.session.scalars(select(Consent))
    assert consent.given
    assert (consent.campaign_id, consent.purpose) == (campaign.id, Purpose.UPDATES)
    assert (consent.source, consent.wording, consent.locale) == (
        ConsentSource.FORM,
        "follow-1",
        "en",
    )
    assert consent.at - datetime.now(UTC) < timedelta(minutes=1)


def test_the_second_press_says_the_same_and_changes_nothing(
    client: FlaskClient, campaign: Campaign
) -> None:
    link = asked(client)
    assert client.post(link).text == client.post(link).text
    assert db.session.scalar(select(func.count(Consent.id))) == 1


def test_a_link_works_for_two_days(client: FlaskClient, campaign: Campaign) -> None:
    link = asked(client, ago=timedelta(days=2, minutes=1))
    for answer in (client.get(link), client.post(link)):
        assert answer.status_code == 410
        assert "no longer valid" in answer.text
        assert "/en/c/after-school#follow" in answer.text
    assert not follows(campaign)


def test_a_link_older_than_its_reader_s_leaving_does_not_bring_them_back(
    client: FlaskClient, campaign: Campaign
) -> None:
    link = asked(client)
    client.post(link)
    donor = db.session.get_one(Donor, letters()[0].donor_id)
    make.consent(donor, campaign, given=False, at=datetime.now(UTC))
    assert client.post(link).status_code == 410
    assert not follows(campaign)


def test_asking_again_lifts_leaving_everything_but_no_bounce(
    client: FlaskClient, campaign: Campaign
) -> None:
    donor = make.donor("ada@example.org")
    for cause in (SuppressionCause.LEFT, SuppressionCause.BOUNCED):
        suppression.suppress(donor.address_hash or "", cause, make.NOON - timedelta(days=400))
    client.post(asked(client))
    assert [row.cause for row in db.session.scalars(select(Suppression))] == [
        SuppressionCause.BOUNCED
    ]


@pytest.mark.parametrize("token", ["unknown", "%00", "x" * 4000, "%E4%BD%A0"])
def test_an_unknown_link_is_explained(client: FlaskClient, campaign: Campaign, token: str) -> None:
    for answer in (client.get(f"/follow/confirm/{token}"), client.post(f"/follow/confirm/{token}")):
        assert answer.status_code in (400, 410)


def test_the_link_of_another_letter_confirms_nothing(
    client: FlaskClient, campaign: Campaign
) -> None:
    link = sent(make.delivery("ada@example.org", of=make.mailing(make.update(campaign))))
    consents = db.session.scalar(select(func.count(Consent.id)))
    assert client.post(link).status_code == 410
    assert db.session.scalar(select(func.count(Consent.id))) == consents


def test_the_page_speaks_the_letter_s_language(client: FlaskClient, campaign: Campaign) -> None:
    ask(client, path="/c/after-school/follow")
    page = client.get(sent(letters()[0]))
    assert '<html lang="zh-Hans">' in page.text
    assert "放学以后" in page.text
