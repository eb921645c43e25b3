"""What one gets, chosen by the link of a letter."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from campaigns import suppression, wordings
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.suppression import SuppressionCause
from campaigns.web import preferences
from tests import make
from tests.reading import OURS, fresh_link, link, newest, post

ADA = "ada@example.org"


@pytest.fixture
def letter(app: Flask) -> Delivery:
    """An update of a campaign that Ada follows."""
    make.organisation()
    return make.delivery(ADA, of=make.mailing(make.update(make.campaign("after-school"))))


@pytest.fixture
def ada(letter: Delivery) -> Donor:
    assert letter.donor is not None
    return letter.donor


def gets(donor: Donor, purpose: Purpose, campaign: Campaign | None = None) -> bool:
    db.session.expire_all()
    return suppression.consents(donor.id, purpose, campaign.id if campaign else None)


def consents() -> int:
    return db.session.scalar(select(func.count(Consent.id))) or 0


def test_the_page_shows_what_one_gets_and_opening_it_changes_nothing(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    before, page = consents(), client.get(link(letter))
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    assert "a***@example.org" in page.text
    assert ADA not in page.text
    assert f'value="{letter.campaign_id}" checked' in page.text
    assert 'name="newsletter" type="checkbox" value="y">' in page.text
    assert consents() == before


def test_each_choice_is_kept_as_a_consent_in_its_words(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    other = make.campaign("night-bus")
    at = link(letter)
    shown = [letter.campaign_id, other.id]
    answer = post(client, at, shown=shown, campaign=[other.id], newsletter="y", language="en")
    assert "Your choice is kept" in answer.text
    assert gets(ada, Purpose.NEWSLETTER)
    assert gets(ada, Purpose.UPDATES, other)
    assert not gets(ada, Purpose.UPDATES, db.session.get_one(Campaign, letter.campaign_id))
    assert not gets(ada, Purpose.RECEIPTS)
    given = db.session.scalars(select(Consent).where(Consent.delivery_id == letter.id)).all()
    assert {one.source for one in given} == {ConsentSource.LETTER}
    assert {one.wording for one in given if one.given} == {wordings.PREFERENCES}


def test_the_same_choice_again_changes_nothing(client: FlaskClient, letter: Delivery) -> None:
    at = link(letter)
    form: dict[str, object] = {"shown": [letter.campaign_id], "newsletter": "y", "language": "en"}
    post(client, at, **form)
    before = consents()
    post(client, at, **form)
    assert consents() == before


def test_of_a_campaign_that_was_not_shown_nothing_is_said(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    post(client, link(letter), receipts="y", language="en")
    assert gets(ada, Purpose.UPDATES, db.session.get_one(Campaign, letter.campaign_id))


def test_the_language_is_that_of_letters_and_page_from_then_on(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    at = link(letter)
    assert '<html lang="zh-Hans">' in post(client, at, language="zh-Hans", receipts="y").text
    assert '<html lang="zh-Hans">' in client.get(at).text
    post(client, at, language="xx")
    assert ada.locale == "zh-Hans"


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_what_is_kept_of_the_wording_is_what_the_page_says(
    client: FlaskClient, letter: Delivery, ada: Donor, locale: str
) -> None:
    ada.locale = locale
    words, page = wordings.of(wordings.PREFERENCES, locale), client.get(link(letter)).text
    assert words is not None
    assert words.text in page
    assert f">{words.button}</button>" in page


def test_drafts_and_ended_campaigns_of_others_are_not_offered(
    client: FlaskClient, letter: Delivery
) -> None:
    followed = db.session.get_one(Campaign, letter.campaign_id)
    followed.state = CampaignState.ENDED
    for state in (CampaignState.DRAFT, CampaignState.ENDED):
        make.campaign(f"other-{state}", state=state)
    assert client.get(link(letter)).text.count('name="campaign"') == 1


def test_leaving_everything_stays_possible_with_any_letter(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    answer = post(client, link(letter, ago=timedelta(days=400)) + "/leave")
    assert "We will not write to you any more" in answer.text
    assert suppression.forbids(ada.address_hash or "", Purpose.NEWSLETTER)


@pytest.mark.parametrize("days", [0, 91])
def test_with_an_old_letter_or_one_older_than_leaving_nothing_is_chosen(
    client: FlaskClient, letter: Delivery, ada: Donor, days: int
) -> None:
    at = link(letter, ago=timedelta(days=days))
    if not days:
        post(client, at + "/leave")
    before = consents()
    page = client.get(at).text
    assert "Write me a fresh link" in page
    assert 'name="newsletter"' not in page
    post(client, at, newsletter="y", language="en")
    assert consents() == before


def test_a_fresh_letter_brings_back_who_left_for_what_they_choose(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    suppression.leave_everything(letter, datetime.now(UTC) - timedelta(hours=1))
    db.session.commit()
    post(client, fresh_link(client, letter), newsletter="y", language="en")
    assert gets(ada, Purpose.NEWSLETTER)
    assert not gets(ada, Purpose.RECEIPTS)
    assert not suppression.forbids(ada.address_hash or "", Purpose.NEWSLETTER)


def test_a_fresh_letter_goes_to_the_address_itself_three_times_a_day_at_most(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    at = link(letter)
    answers = {post(client, at + "/letter").status_code for _ in range(5)}
    assert answers == {200}
    written = select(Delivery).where(Delivery.letter == LetterKind.CONFIRM)
    letters = db.session.scalars(written).all()
    assert len(letters) == preferences.PER_PERSON[0]
    assert {(one.donor_id, one.purpose) for one in letters} == {(ada.id, Purpose.SERVICE)}


def test_a_merged_person_chooses_for_all_their_rows(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    person = make.donor("ada@home.example")
    make.consent(person)
    ada.merged_into = person.id
    post(client, link(letter), shown=[letter.campaign_id], language="zh-Hans")
    assert not gets(person, Purpose.NEWSLETTER)
    assert not gets(ada, Purpose.UPDATES, db.session.get_one(Campaign, letter.campaign_id))
    assert person.locale == "zh-Hans"


def test_who_gets_nothing_since_letters_bounce_is_told(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    suppression.suppress(ada.address_hash or "", SuppressionCause.BOUNCED, make.NOON)
    assert "letters to it came back" in client.get(link(letter)).text


def test_foreign_pages_change_nothing(client: FlaskClient, letter: Delivery) -> None:
    at, before = link(letter), consents()
    for path in (at, at + "/leave", at + "/letter", at + "/names", at + "/erase"):
        answer = client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert consents() == before
    assert newest().id == letter.id


@pytest.mark.parametrize("token", ["unknown", "x" * 4000, "%E4%BD%A0"])
def test_an_unknown_link_leads_nowhere(client: FlaskClient, token: str) -> None:
    make.organisation()
    for path in (f"/preferences/{token}", f"/preferences/{token}/data"):
        assert client.get(path).status_code == 404
    assert client.post(f"/preferences/{token}", headers=OURS).status_code == 404


def test_links_to_confirm_or_to_set_a_password_lead_to_no_preferences(client: FlaskClient) -> None:
    make.organisation()
    make.campaign("after-school")
    client.post("/en/c/after-school/follow", data={"email": ADA}, headers=OURS)
    assert client.get(link(newest())).status_code == 404


def test_a_link_to_preferences_confirms_nothing(client: FlaskClient, letter: Delivery) -> None:
    at = fresh_link(client, letter).replace("/preferences/", "/follow/confirm/")
    before = consents()
    assert client.post(at).status_code == 410
    assert consents() == before


def test_the_page_for_leaving_leads_to_more_choices(client: FlaskClient, letter: Delivery) -> None:
    at = link(letter)
    assert f'href="{at}"' in client.get(at.replace("/preferences/", "/unsubscribe/")).text


def test_one_letter_a_month_is_chosen_and_taken_back(
    client: FlaskClient, letter: Delivery, ada: Donor
) -> None:
    at = link(letter)
    assert 'value="each" checked' in client.get(at).text
    for rhythm, monthly in (("monthly", True), ("neither", True), ("each", False)):
        page = post(client, at, rhythm=rhythm, language="en").text
        assert ada.monthly is monthly
        assert f'value="{"monthly" if monthly else "each"}" checked' in page
