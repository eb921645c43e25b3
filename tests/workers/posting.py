"""A mailing in the hands of the post, and how its letters stand."""

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.delivery import Delivery
from campaigns.model.mailing import Mailing
from tests import make


def states(mailing: Mailing) -> list[str]:
    db.session.rollback()
    rows = select(Delivery.state).where(Delivery.mailing_id == mailing.id).order_by(Delivery.id)
    return [str(state) for state in db.session.scalars(rows)]


def queue(number: int) -> Mailing:
    make.our_organisation()
    mailing = make.mailing()
    for place in range(number):
        make.delivery(f"donor-{place}@example.org", of=mailing)
    return mailing
