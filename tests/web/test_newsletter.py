"""Signing up to the newsletter: form, letter, button; and the words that were agreed to."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns import suppression, wordings
from campaigns.crypto import new_token, token_hash
from campaigns.db import db
from campaigns.mail.transport import MemoryTransport
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.suppression import Suppression, SuppressionCause
from campaigns.web import follow
from tests import make
from workers.office import Office

FORM = "/en/newsletter"
ADA = "ada@example.org"
PAGES = {"en": "/en/newsletter", "zh-Hans": "/newsletter"}
CAMPAIGNS = {"en": "/en/c/after-school", "zh-Hans": "/c/after-school"}


@pytest.fixture(autouse=True)
def ours(client: FlaskClient) -> None:
    make.organisation()


def ask(client: FlaskClient, email: str = ADA, path: str = FORM, **headers: str) -> TestResponse:
    headers = {"Origin": "http://localhost"} | headers
    return client.post(path, data={"email": email}, headers=headers)


def letters() -> list[Delivery]:
    return list(db.session.scalars(select(Delivery).order_by(Delivery.id)))


def link(letter: Delivery, ago: timedelta = timedelta()) -> str:
    """The address in the letter's button, as if it had gone out some time ago."""
    token = new_token()
    letter.token_hash, letter.state = token_hash(token), DeliveryState.SENT
    letter.settled_at = datetime.now(UTC) - ago
    db.session.commit()
    return f"/follow/confirm/{token}"


def consents() -> list[Consent]:
    return list(db.session.scalars(select(Consent).order_by(Consent.id)))


def test_who_asks_gets_one_letter_and_is_agreed_to_nothing(client: FlaskClient) -> None:
    answer = ask(client)
    assert (answer.status_code, answer.location) == (303, "/en/newsletter/sent")
    assert "look into your mail" in client.get(answer.location).text
    [letter] = letters()
    assert (letter.letter, letter.purpose) == (LetterKind.CONFIRM, Purpose.SERVICE)
    assert (letter.locale, letter.campaign_id) == ("en", None)
    assert consents() == []


def test_the_answer_is_the_same_for_known_and_unknown_addresses(client: FlaskClient) -> None:
    make.consent(make.donor("known@example.org"))
    known, unknown = ask(client, "known@example.org"), ask(client, "new@example.org")
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data)
    assert list(known.headers) == list(unknown.headers)
    assert "Set-Cookie" not in known.headers
    assert len(letters()) == 2


def test_the_letter_asks_in_its_language_and_leads_to_the_button(client: FlaskClient) -> None:
    ask(client, path="/newsletter")
    memory = MemoryTransport()
    Office(memory).work()
    [kept] = memory.kept
    letter = message_from_bytes(kept.message, policy=policy.default)
    assert letter["Subject"] == "请确认：订阅我们的通讯"
    for part in letter.iter_parts():
        assert "/follow/confirm/" in part.get_content()
        assert "想用这个地址订阅我们的通讯" in part.get_content()


def test_opening_the_link_changes_nothing_and_the_button_confirms(client: FlaskClient) -> None:
    ask(client)
    at = link(letters()[0])
    assert "Get our newsletter?" in client.get(at).text
    assert consents() == []
    assert "You get our newsletter now" in client.post(at).text
    [consent] = consents()
    assert (consent.purpose, consent.campaign_id, consent.given) == (
        Purpose.NEWSLETTER,
        None,
        True,
    )
    assert (consent.source, consent.wording) == (ConsentSource.FORM, wordings.NEWSLETTER)
    assert (consent.locale, consent.delivery_id) == ("en", letters()[0].id)


def test_the_second_press_changes_nothing(client: FlaskClient) -> None:
    ask(client)
    at = link(letters()[0])
    assert client.post(at).text == client.post(at).text
    assert len(consents()) == 1


def test_a_link_works_for_two_days_and_then_leads_to_the_form(client: FlaskClient) -> None:
    ask(client)
    at = link(letters()[0], ago=timedelta(days=2, minutes=1))
    for answer in (client.get(at), client.post(at)):
        assert answer.status_code == 410
        assert 'href="/en/newsletter"' in answer.text
    assert consents() == []


def test_an_old_link_does_not_bring_back_who_left(client: FlaskClient) -> None:
    ask(client)
    at = link(letters()[0])
    client.post(at)
    donor = letters()[0].donor
    assert donor is not None
    make.consent(donor, given=False, at=datetime.now(UTC))
    assert client.post(at).status_code == 410
    assert not suppression.consents(donor.id, Purpose.NEWSLETTER, None)


def test_asking_again_lifts_leaving_everything_but_no_bounce(client: FlaskClient) -> None:
    donor = make.donor(ADA)
    for cause in (SuppressionCause.LEFT, SuppressionCause.BOUNCED):
        suppression.suppress(donor.address_hash or "", cause, make.NOON - timedelta(days=400))
    ask(client)
    client.post(link(letters()[0]))
    [left] = db.session.scalars(select(Suppression.cause))
    assert left is SuppressionCause.BOUNCED


def test_foreign_pages_bad_addresses_and_floods_are_refused(client: FlaskClient) -> None:
    assert ask(client, Origin="https://elsewhere.example.org").status_code == 403
    wrong = ask(client, "ada")
    assert wrong.status_code == 422
    assert "Write the whole address" in wrong.text
    assert letters() == []
    assert {ask(client).status_code for _ in range(5)} == {303}
    assert len(letters()) == follow.PER_ADDRESS[0]


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_what_is_kept_of_a_wording_is_what_its_page_says(client: FlaskClient, locale: str) -> None:
    """Whoever changes the words of a form adds a version to campaigns/wordings.py."""
    make.campaign("after-school")
    for version, page in ((wordings.NEWSLETTER, PAGES), (wordings.FOLLOW, CAMPAIGNS)):
        path = page[locale] + ("/follow" if page is CAMPAIGNS else "")
        ask(client, path=path)
        asked = client.get(link(letters()[-1])).text
        words = wordings.of(version, locale)
        assert words is not None
        assert words.text in asked
        assert f">{words.button}</button>" in asked


def test_every_wording_is_kept_in_both_languages() -> None:
    for version, languages in wordings.versions().items():
        assert set(languages) == {"en", "zh-Hans"}, version
        assert len(version) <= Consent.wording.type.length
