"""Letters as a process of the post takes them and says what became of them."""

from datetime import datetime

from sqlalchemy import select

from campaigns import claims, leases, outcomes
from campaigns.db import db
from campaigns.mail.transport import Outcome, State
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Attempt, Claim, Delivery, LetterKind
from tests import make
from tests.make import NOON

SENT = Outcome(State.SENT, 250, "kept")
LATER = Outcome(State.DEFERRED, 451, "4.7.1 come back later")
NEVER = Outcome(State.FAILED, 550, "5.7.1 no")
SILENT = Outcome(State.UNKNOWN, None, "no answer to the dot")


def take(by: str = "me", limit: int = 10, now: datetime = NOON) -> list[Claim]:
    leases.beat(by, now)
    return claims.claim(by, limit, now)


def end(claim: Claim, outcome: Outcome | None, now: datetime = NOON) -> None:
    outcomes.record([outcomes.Result(claim, outcome, "relay:25", now)], now)


def state(of: Delivery) -> str:
    db.session.refresh(of)
    return str(of.state)


def attempts(of: Delivery) -> list[tuple[str, int | None]]:
    rows = select(Attempt).where(Attempt.delivery_id == of.id).order_by(Attempt.id)
    return [(str(attempt.outcome), attempt.code) for attempt in db.session.scalars(rows)]


def thank_you() -> Delivery:
    letter = make.delivery()
    letter.letter, letter.mailing_id, letter.occasion = LetterKind.THANKS, None, "entry:7"
    letter.purpose = Purpose.RECEIPTS
    db.session.commit()
    return letter
