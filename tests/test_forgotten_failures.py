"""Questions that brought no figure are forgotten in time, but for each listing's last."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import thinning
from campaigns.db import db
from campaigns.model.answer import RawAnswer
from campaigns.model.listing import Listing, PollFailure
from tests import make
from tests.make import NOON
from workers import tidy

OLD, YOUNG = NOON - timedelta(days=93), NOON - timedelta(days=91)


def failed(of: Listing, *moments: datetime) -> list[int]:
    rows = [
        PollFailure(listing_id=of.id, at=at, condition="Unreachable", reason="") for at in moments
    ]
    db.session.add_all(rows)
    db.session.commit()
    return [row.id for row in rows]


def left() -> list[int]:
    return list(db.session.scalars(select(PollFailure.id).order_by(PollFailure.id)))


def test_after_three_months_a_failure_is_forgotten(app: Flask) -> None:
    _, young, youngest = failed(make.listing(), OLD, YOUNG, NOON)
    thinning.forget_failures(NOON)
    assert left() == [young, youngest]


def test_the_last_of_each_listing_stays_whatever_its_age(app: Flask) -> None:
    refused, other = failed(make.listing(), OLD, OLD)[1], failed(make.listing(), OLD)[0]
    thinning.forget_failures(NOON)
    assert left() == [refused, other]


def test_what_was_answered_then_goes_with_it(app: Flask) -> None:
    listing = make.listing()
    old, young = failed(listing, OLD, YOUNG)
    for failure, at in ((old, OLD), (young, YOUNG)):
        said = RawAnswer(url="", status=500, headers={}, body=b"", size=0, at=at)
        said.listing_id, said.failure_id = listing.id, failure
        db.session.add(said)
    thinning.forget_failures(NOON)
    assert db.session.scalars(select(RawAnswer.failure_id)).all() == [young]


def test_a_sweep_forgets_however_many_there_are(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning, "BATCH", 2)
    *_, last = failed(make.listing(), *[datetime.now(UTC) - timedelta(days=93)] * 6)
    tidy.sweep()
    assert left() == [last]
