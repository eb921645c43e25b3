"""Whatever donors choose and whenever, each reads every update once: as a letter or in a digest."""

from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import select

from campaigns import digests
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery
from campaigns.model.digest import DigestItem
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.update import Update
from tests import make
from tests.mailing import begin, follower

MONTHS, STEPS, DONORS, UPDATES = 3, 5, 3, 3
_years = count(2027)


class Oracle:
    """One donor at a time, as one would keep it on paper: what waits, and what was read where."""

    def __init__(self, donors: list[Donor]) -> None:
        self.monthly = {one.id: False for one in donors}
        self.agreed = {one.id: True for one in donors}
        self.waits: dict[int, set[int]] = {one.id: set() for one in donors}
        self.letters: dict[int, set[int]] = {one.id: set() for one in donors}
        self.digests: dict[int, list[set[int]]] = {one.id: [] for one in donors}

    def mail(self, update: int) -> None:
        for one in self.monthly:
            read = self.letters[one].union(*self.digests[one])
            if not self.agreed[one]:
                continue
            if not self.monthly[one]:
                self.letters[one].add(update)
            elif update not in read:
                self.waits[one].add(update)

    def month_ends(self) -> None:
        for one, waits in self.waits.items():
            told = waits - self.letters[one] if self.agreed[one] else set()
            self.digests[one] += [told] if told else []
            waits.clear()


@hypothesis.settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(seed=st.integers(0, 2**32))
def test_each_update_is_read_once_whatever_is_chosen(app: Flask, seed: int) -> None:
    random, year = Random(seed), next(_years)  # noqa: S311 - it makes examples, no secrets
    about = make.campaign(f"campaign-{year}")
    updates = [make.update(about) for _ in range(UPDATES)]
    donors = [follower(updates[0]) for _ in range(DONORS)]
    oracle = Oracle(donors)
    for month in range(1, MONTHS + 1):
        start = datetime(year, month, 2, tzinfo=UTC)
        for step in range(STEPS):
            _happen(random, oracle, donors, updates, start + timedelta(days=5 * step))
        oracle.month_ends()
        for _ in range(2):
            digests.write_due(datetime(year, month + 1, 12, tzinfo=UTC))
            db.session.commit()
    for one in donors:
        assert _read_in_digests(one) == oracle.digests[one.id]
        assert _read_as_letters(one) == oracle.letters[one.id]


def _happen(
    random: Random, oracle: Oracle, donors: list[Donor], updates: list[Update], at: datetime
) -> None:
    one = random.choice(donors)
    match random.choice(["mail", "mail", "choose", "say"]):
        case "choose":
            one.monthly = oracle.monthly[one.id] = not one.monthly
        case "say":
            given = oracle.agreed[one.id] = not oracle.agreed[one.id]
            make.consent(one, db.session.get(Campaign, updates[0].campaign_id), given=given)
        case _:
            update = random.choice(updates)
            oracle.mail(update.id)
            make.mailing(update, state=MailingState.SCHEDULED, scheduled_at=at, started_at=None)
            begin(at)


def _read_in_digests(donor: Donor) -> list[set[int]]:
    found = select(DigestItem.delivery_id, DigestItem.update_id).where(
        DigestItem.donor_id == donor.id, DigestItem.delivery_id.is_not(None)
    )
    by: dict[int | None, set[int]] = {}
    for delivery_id, update_id in db.session.execute(found.order_by(DigestItem.delivery_id)):
        by.setdefault(delivery_id, set()).add(update_id)
    return list(by.values())


def _read_as_letters(donor: Donor) -> set[int]:
    got = select(Mailing.update_id).join(Delivery, Delivery.mailing_id == Mailing.id)
    return set(db.session.scalars(got.where(Delivery.donor_id == donor.id)))


@pytest.fixture(autouse=True)
def _ours(app: Flask) -> None:
    make.our_organisation()
