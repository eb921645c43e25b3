"""Reported: a round's reports are written at once, each as it was judged."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from campaigns import reported
from campaigns.db import db
from campaigns.model.report import Origin, Report, ReportState
from tests import make
from tests.make import NOON

# What only a later verdict or letter fills in.
LATER = {"decided_by", "decided_at", "told_at"}


def test_a_report_that_is_written_with_others_is_written_whole(app: Flask) -> None:
    given = {
        "listing_id": make.listing().id,
        "moment": NOON,
        "received_at": NOON + timedelta(microseconds=1),
        "raised_minor": 10**14,
        "matched_minor": 1,
        "currency": "CNY",
        "donations": 7,
        "origin": Origin.BY_HAND,
        "state": ReportState.QUARANTINED,
        "lags": True,
        "reason": "The figure fell: “\\u0041” \N{MONEY BAG}",
        "staff_id": make.staff().id,
    }
    db.session.add(Report(**given))
    reported.store()
    reported.store()
    db.session.commit()
    row = db.session.scalars(select(Report)).one()
    assert {name: getattr(row, name) for name in given} == given
    columns = {attribute.key for attribute in Report.__mapper__.column_attrs}
    assert columns - set(given) == LATER | {"id"}


def test_what_was_left_out_of_a_report_is_as_if_it_had_been_flushed(app: Flask) -> None:
    listing = make.listing()
    few = {"listing_id": listing.id, "moment": NOON, "received_at": NOON, "currency": "CNY"}
    db.session.add(Report(**few, state=ReportState.REJECTED))
    reported.store()
    db.session.add(Report(**few, state=ReportState.REJECTED))
    db.session.commit()
    alike = [
        [getattr(row, attribute.key) for attribute in Report.__mapper__.column_attrs][1:]
        for row in db.session.scalars(select(Report))
    ]
    assert alike[0] == alike[1]
