"""Whatever happens between gift and evening, a gift is thanked for once or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import select

from campaigns import claims, correcting, gifts, leases, ledger, outcomes, thanks
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.mail.transport import Outcome, State
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Claim
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.listing import Listing, Rule
from campaigns.model.organisation import Organisation, ThanksRule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Giver, Key, Kind, Movement
from tests import make
from tests.make import NOON

LEAST = 500
GIFTS, DONORS = range(6), 2
# Gifts 0, 2 and 4 are the first donor's, the others the second's; 4 and 5 are small.
AMOUNTS = (1000, 2000, 500, 700, 499, 1)

steps = st.one_of(
    st.tuples(st.just("give"), st.sampled_from(GIFTS)),
    st.tuples(st.just("take back"), st.sampled_from(GIFTS)),
    st.tuples(st.just("refund"), st.sampled_from(GIFTS)),
    st.tuples(st.just("decline"), st.integers(0, DONORS - 1)),
    st.tuples(st.just("rule"), st.sampled_from(list(ThanksRule))),
    st.tuples(st.just("wait"), st.integers(1, 20)),
    st.tuples(st.just("post"), st.sampled_from(["sent", "later", "unknown"])),
)


@dataclass
class Oracle:
    """What a person would expect, written down beside what is done."""

    listing: Listing
    endpoint: WebhookEndpoint
    ours: Organisation
    staff: Staff
    now: datetime = NOON
    rule: ThanksRule = ThanksRule.AT_ONCE
    entries: dict[int, int] = field(default_factory=dict)
    owed: set[int] = field(default_factory=set)
    back: set[int] = field(default_factory=set)
    declined: set[int] = field(default_factory=set)
    # Of which letter a gift was, and the letters that are neither to be sent again nor refused.
    thanked: dict[int, int] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)

    def give(self, gift: int) -> None:
        keys = (Key("trade", str(gift)),)
        money = Money(AMOUNTS[gift], "CNY")
        occurred_at = NOON + timedelta(seconds=gift)
        booking = Booking(
            listing=self.listing, kind=EntryKind.DONATION, amount=money, occurred_at=occurred_at,
            source="shop", keys=keys, door=Door.WEBHOOK,
        )  # fmt: skip
        if gift in self.back and self.entries[gift] in self._reversed():
            return  # it waits for a person
        entry_id = ledger.book(booking, self.now).entry_id
        giver = Giver(email=f"donor{gift % DONORS}@example.org")
        movement = Movement(Kind.DONATION, money, occurred_at, keys, donor=giver)
        gifts.keep(entry_id, self.listing.campaign_id, movement, self.endpoint, self.now)
        if gift not in self.entries and self.rule is not ThanksRule.NONE:
            self.owed |= {gift} if AMOUNTS[gift] >= LEAST else set()
        self.entries[gift] = entry_id

    def take_back(self, gift: int) -> None:
        if gift in self.entries and self.entries[gift] not in self._reversed():
            entry = db.session.get_one(Entry, self.entries[gift])
            correcting.take_back(entry, "wrong", self.now, self.staff)
            self.back.add(gift)

    def refund(self, gift: int) -> None:
        if gift not in self.entries or gift in self.back:
            return
        booking = Booking(
            listing=self.listing, kind=EntryKind.REFUND, amount=Money(AMOUNTS[gift], "CNY"),
            occurred_at=self.now, source="shop", keys=(Key("refund", str(gift)),),
            door=Door.WEBHOOK, regards=f"trade:{gift}",
        )  # fmt: skip
        ledger.book(booking, self.now)
        self.back.add(gift)

    def decline(self, number: int) -> None:
        donor = db.session.scalar(select(Donor).where(Donor.address == _address(number)))
        if donor is not None:
            db.session.add(
                Consent(
                    donor_id=donor.id, purpose=Purpose.RECEIPTS, given=False, at=self.now,
                    source=ConsentSource.LETTER, wording="", locale="en",
                )
            )  # fmt: skip
            db.session.flush()
            self.declined.add(number)

    def change(self, rule: ThanksRule) -> None:
        self.rule = self.ours.thanks = rule
        db.session.flush()

    def post(self, becomes: str) -> None:
        """Claim what is due; each letter claimed names what may be thanked for, and nothing else
        that another letter named."""
        leases.beat("me", self.now)
        for claim in claims.claim("me", 50, self.now):
            for gift in self._named(claim):
                assert self.thanked.setdefault(gift, claim.id) == claim.id
                assert gift in self.owed - self.back
                assert gift % DONORS not in self.declined
            assert claim.id not in self.over
            if becomes != "later":
                self.over.add(claim.id)
            outcomes.record(
                [outcomes.Result(claim, _OUTCOMES[becomes], "relay", self.now)], self.now
            )

    def expected(self) -> set[int]:
        """What must have been thanked for once everything has been sent that could be."""
        return {gift for gift in self.owed - self.back if gift % DONORS not in self.declined}

    def _named(self, claim: Claim) -> list[int]:
        numbers = {entry_id: gift for gift, entry_id in self.entries.items()}
        if claim.entry_id is not None:
            return [numbers[claim.entry_id]]
        found = [numbers[entry.id] for entry in thanks.named(claim.id)]
        assert found
        return found

    def _reversed(self) -> set[int | None]:
        return set(db.session.scalars(select(Entry.reverses).where(Entry.reverses.is_not(None))))


_OUTCOMES = {
    "sent": Outcome(State.SENT, 250, "kept"),
    "later": Outcome(State.DEFERRED, 451, "later"),
    "unknown": Outcome(State.UNKNOWN, None, "silent"),
}


@pytest.fixture
def start(app: Flask) -> tuple[Listing, WebhookEndpoint, Organisation, Staff]:
    ours = make.organisation(thanks_from_minor=LEAST)
    listing = make.listing(rule=Rule.ITEMISED)
    return listing, make.endpoint(listing=listing), ours, make.staff()


@hypothesis.given(st.lists(steps, max_size=25))
@hypothesis.settings(
    max_examples=30,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_each_gift_is_thanked_for_once_or_not_at_all(
    start: tuple[Listing, WebhookEndpoint, Organisation, Staff],
    history: list[tuple[str, object]],
) -> None:
    db.session.rollback()  # what the last example did; nothing here is committed
    oracle = Oracle(*start)
    for what, about in history:
        _DEEDS[what](oracle, about)
    for _ in range(3):
        oracle.now += timedelta(days=1)
        oracle.post("sent")
    assert oracle.expected() <= set(oracle.thanked)


def _wait(oracle: Oracle, hours: int) -> None:
    oracle.now += timedelta(hours=hours)


def _address(number: int) -> str:
    return f"donor{number}@example.org"


_DEEDS: dict[str, Callable[[Oracle, Any], None]] = {
    "give": Oracle.give,
    "take back": Oracle.take_back,
    "refund": Oracle.refund,
    "decline": Oracle.decline,
    "rule": Oracle.change,
    "post": Oracle.post,
    "wait": _wait,
}
