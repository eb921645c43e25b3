"""What every provider of mail tells: taken once, whoever posts it, and refused without a trace."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st

from campaigns import mailhooks, suppression
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mail_hook import MailHook
from campaigns.model.returned import Return, Stray
from tests import make
from tests.claiming import state
from tests.make import NOON
from tests.web.mailhooks import mailgun, postmark, ses
from tests.web.mailhooks.conftest import Send

SUPPRESS = [hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@dataclass(frozen=True)
class Case:
    """How tests speak for a provider: names of events, fields that they vary, and who posts."""

    posts: ModuleType
    secret: str
    complaint: str
    delivered: str
    other: str
    auth: tuple[str, str] | None = None


CASES = {
    "mailgun": Case(mailgun, mailgun.KEY, "complained", "delivered", "opened"),
    "postmark": Case(postmark, postmark.KEY, "SpamComplaint", "Delivery", "Open", postmark.AUTH),
    "ses": Case(ses, ses.TOPIC, "Complaint", "Delivery", "Open"),
}
Tell = Callable[..., int]


@pytest.fixture(params=sorted(mailhooks.PROVIDERS))
def provider(request: pytest.FixtureRequest, app: Flask) -> str:
    name = str(request.param)
    mailhooks.setup(name, name, CASES[name].secret, NOON)
    app.extensions["published"].kept = {ses.CERTIFICATE: ses.key(ses.SIGNER)[1]}.__getitem__
    return name


@pytest.fixture
def letter(provider: str) -> Delivery:
    return make.delivery("ada@example.org", state=DeliveryState.UNKNOWN)


@pytest.fixture
def tell(provider: str, send: Send) -> Tell:
    """Post an event as the provider does."""
    case = CASES[provider]

    def told(data: object, **more: Any) -> int:
        return send(case.posts.post(data, **more), name=provider, auth=case.auth)

    return told


def test_a_failure_for_good_settles_and_suppresses(
    tell: Tell, provider: str, letter: Delivery
) -> None:
    assert tell(CASES[provider].posts.event(letter)) == 200
    assert state(letter) == "bounced"
    assert suppression.forbids(letter.address_hash, Purpose.SERVICE)
    [row] = db.session.query(Return)
    assert (row.door, row.status, row.meaning) == (f"hook:{provider}", "5.1.1", "hard")
    assert row.answer.endswith("550 5.1.1 no such user a***@example.org")
    assert db.session.query(MailHook).one().heard_at == NOON


def test_a_complaint_suppresses(tell: Tell, provider: str, letter: Delivery) -> None:
    case = CASES[provider]
    assert tell(case.posts.event(letter, case.complaint)) == 200
    assert state(letter) == "complained"
    assert suppression.forbids(letter.address_hash, Purpose.UPDATES)


def test_an_arrival_settles_what_was_unknown(tell: Tell, provider: str, letter: Delivery) -> None:
    case = CASES[provider]
    assert tell(case.posts.event(letter, case.delivered)) == 200
    assert state(letter) == "sent"
    assert not suppression.forbids(letter.address_hash, Purpose.SERVICE)


def test_other_events_leave_no_trace(tell: Tell, provider: str, letter: Delivery) -> None:
    case = CASES[provider]
    assert tell(case.posts.event(letter, case.other)) == 200
    assert db.session.query(Return).count() == 0
    assert state(letter) == "unknown"


def test_the_same_event_counts_once(tell: Tell, provider: str, letter: Delivery) -> None:
    for _ in range(2):
        assert tell(CASES[provider].posts.event(letter)) == 200
    assert db.session.query(Return).count() == 1


def test_what_the_provider_did_not_send_is_refused_and_counted(
    send: Send, provider: str, letter: Delivery
) -> None:
    for body in (b"{}", b'{"Type": "Notification", "signature": [], "RecordType": 1}'):
        assert send(body, name=provider) in (401, 403)
    assert [stray.reason for stray in db.session.query(Stray)] == ["BadSignature"]
    assert db.session.query(Return).count() == 0


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"\xff", b"7"], ids=range(4))
def test_what_is_no_object_is_refused(send: Send, provider: str, body: bytes) -> None:
    assert send(body, name=provider, auth=CASES[provider].auth) in (400, 401, 403, 406)


@hypothesis.settings(
    max_examples=15, derandomize=True, database=None, deadline=None, suppress_health_check=SUPPRESS
)
@hypothesis.given(data=JSON, inside=st.dictionaries(st.sampled_from(
    ["event", "severity", "reason", "delivery-status", "message", "id", "bounce", "mail",
     "notificationType", "RecordType", "Type", "Details", "Metadata", "ID"]), JSON))  # fmt: skip
def test_whatever_the_provider_says_upsets_nobody(
    tell: Tell, provider: str, letter: Delivery, data: object, inside: dict[str, object]
) -> None:
    case = CASES[provider]
    for some in (data, case.posts.event(letter) | inside):
        more = {"token": f"{hash(str(some)):050d}"} if provider == "mailgun" else {}
        assert tell(some, **more) in (200, 400, 403, 406)


def test_every_secret_has_its_form(provider: str) -> None:
    known = mailhooks.PROVIDERS[provider]
    assert known.SECRET.fullmatch(CASES[provider].secret)
    assert not known.SECRET.fullmatch("")
    assert known.LABEL
