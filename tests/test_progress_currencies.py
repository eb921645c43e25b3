"""Other currencies in a campaign's figure: at the rate of their day, or apart."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from campaigns import progress
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing, Rule
from campaigns.model.rate import Rate
from tests import make
from tests.make import NOON
from tests.reported import booked, figure, raised, report

pytestmark = pytest.mark.usefixtures("app")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def rate(day: date, base: str, quote: str, value: str) -> None:
    db.session.add(Rate(day=day, base=base, quote=quote, rate=Decimal(value), source="test"))
    db.session.commit()


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign(target_minor=10_000_00)


@pytest.fixture
def itemised(campaign: Campaign) -> Listing:
    return make.listing(campaign, rule=Rule.ITEMISED)


def test_other_currencies_convert_at_the_rate_of_their_day(
    campaign: Campaign, itemised: Listing
) -> None:
    rate(NOON.date(), "USD", "CNY", "7.10")
    rate(NOON.date() + DAY, "USD", "CNY", "7.20")
    booked(itemised, "100.00 CNY")
    booked(itemised, "10.00 USD")
    booked(itemised, "10.00 USD", NOON + DAY)
    found = progress.of(campaign, NOON + DAY)
    assert (str(found.raised), found.apart) == ("243.00 CNY", ())
    shown = found.listings[0]
    assert (str(shown.raised), str(shown.converted)) == ("100.00 CNY", "243.00 CNY")


def test_without_a_rate_amounts_stand_apart(campaign: Campaign, itemised: Listing) -> None:
    rate(NOON.date(), "USD", "CNY", "7.10")
    booked(itemised, "100.00 CNY")
    booked(itemised, "10.00 USD")
    booked(itemised, "20.00 USD", NOON + DAY)
    booked(itemised, "5.00 EUR", NOON + DAY)
    found = progress.of(campaign, NOON + DAY)
    assert str(found.raised) == "171.00 CNY"
    assert tuple(map(str, found.apart)) == ("5.00 EUR", "20.00 USD")


def test_a_report_converts_at_the_rate_of_its_moments_day(campaign: Campaign) -> None:
    abroad = make.listing(campaign, currency="USD")
    report(abroad, "100.00 USD")
    assert tuple(map(str, progress.of(campaign, NOON).apart)) == ("100.00 USD",)
    rate(NOON.date(), "USD", "CNY", "7.105")
    assert raised(campaign) == "710.50 CNY"
    assert str(figure(abroad).raised) == "100.00 USD"
