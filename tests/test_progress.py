"""The figure that people see: reports, entries, matches, rates, and the moments it was true at."""

from datetime import timedelta

import pytest
from flask import Flask

from campaigns import progress
from campaigns.db import db
from campaigns.freshness import Freshness
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.notice import Notice, Verdict
from campaigns.model.report import ReportState
from campaigns.money import Money
from campaigns.progress import Progress
from tests import make
from tests.make import NOON
from tests.reported import booked, figure, report
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("app")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign(target_minor=10_000_00)


@pytest.fixture
def reported(campaign: Campaign) -> Listing:
    return make.listing(campaign)


@pytest.fixture
def itemised(campaign: Campaign) -> Listing:
    return make.listing(campaign, rule=Rule.ITEMISED)


def test_a_reported_figure_is_the_last_accepted_report(
    campaign: Campaign, reported: Listing
) -> None:
    report(reported, "500.00 CNY", NOON, donations=7)
    report(reported, "400.00 CNY", NOON - HOUR)
    report(reported, "600.00 CNY", NOON + HOUR, state=ReportState.REJECTED)
    found = progress.of(campaign, NOON + HOUR)
    assert (str(found.raised), found.donations) == ("500.00 CNY", 7)
    assert found.as_of == (NOON, NOON)


def test_matched_money_that_a_report_states_counts_and_is_shown_apart() -> None:
    listing = make.listing()
    report(listing, "100.00 CNY", matched_minor=2_000)
    booked(listing, "5.00 CNY", NOON + HOUR, "match")
    found = progress.of(db.session.get_one(Campaign, listing.campaign_id), NOON + HOUR)
    assert (found.raised, found.matched) == (Money.parse("125.00 CNY"), Money.parse("25.00 CNY"))


def test_entries_after_the_reports_moment_are_added(campaign: Campaign, reported: Listing) -> None:
    report(reported, "500.00 CNY", NOON, donations=7)
    booked(reported, "1.00 CNY", NOON - DAY)
    booked(reported, "2.00 CNY", NOON)
    booked(reported, "4.00 CNY", NOON + timedelta(seconds=1))
    booked(reported, "8.00 CNY", NOON + 11 * HOUR)
    booked(reported, "16.00 CNY", NOON + 13 * HOUR)
    booked(reported, "32.00 CNY", NOON + 3 * DAY)
    found = progress.of(campaign, NOON + 4 * DAY)
    assert (str(found.raised), found.donations) == ("560.00 CNY", 11)
    assert found.as_of == (NOON, NOON)


def test_an_itemised_figure_is_the_sum_of_its_entries(
    campaign: Campaign, itemised: Listing
) -> None:
    report(itemised, "9999.00 CNY")
    booked(itemised, "10.00 CNY")
    booked(itemised, "20.00 CNY", NOON + DAY)
    booked(itemised, "5.00 CNY", NOON + DAY, "refund")
    booked(itemised, "2.00 CNY", NOON + DAY, "chargeback")
    booked(itemised, "1.00 CNY", NOON + DAY, "fee")
    booked(itemised, "9.00 CNY", NOON + DAY, "payout")
    found = progress.of(campaign, NOON + 2 * DAY)
    assert (str(found.raised), found.donations) == ("23.00 CNY", 2)


def test_a_reported_listing_without_a_report_shows_its_entries(reported: Listing) -> None:
    booked(reported, "10.00 CNY", NOON - HOUR)
    shown = figure(reported)
    assert (str(shown.raised), shown.as_of) == ("10.00 CNY", NOON - HOUR)


def test_nothing_known_is_no_figure_and_not_zero(campaign: Campaign, reported: Listing) -> None:
    shown = figure(reported)
    assert (shown.raised, shown.as_of, shown.freshness) == (None, None, Freshness.NONE_YET)
    assert progress.of(campaign, NOON).as_of is None


def test_a_held_report_leaves_the_last_good_figure(reported: Listing) -> None:
    report(reported, "500.00 CNY")
    held = report(reported, "400.00 CNY", NOON + HOUR, state=ReportState.QUARANTINED)
    shown = figure(reported, NOON + HOUR)
    assert (str(shown.raised), shown.as_of, shown.held) == ("500.00 CNY", NOON, held)


def test_a_held_report_that_was_overtaken_is_forgotten(reported: Listing) -> None:
    report(reported, "400.00 CNY", NOON - HOUR, state=ReportState.QUARANTINED)
    report(reported, "500.00 CNY")
    assert figure(reported).held is None


def test_matched_money_is_part_of_raised_and_shown_apart(
    campaign: Campaign, itemised: Listing, reported: Listing
) -> None:
    booked(itemised, "10.00 CNY")
    booked(itemised, "3.00 CNY", kind="match")
    report(reported, "100.00 CNY")
    booked(reported, "20.00 CNY", NOON - DAY, "match")
    found = progress.of(campaign, NOON)
    assert (found.raised.amount, found.matched.amount) == ("113.00", "23.00")
    assert {part.matched.amount for part in found.listings} == {"3.00", "20.00"}


def test_a_campaigns_moments_span_those_of_its_listings(campaign: Campaign) -> None:
    for hours in (1, 2, 5):
        report(make.listing(campaign), "100.00 CNY", NOON - hours * HOUR)
    found = progress.of(campaign, NOON)
    assert (found.raised.amount, found.as_of) == ("300.00", (NOON - 5 * HOUR, NOON - HOUR))


def test_ended_listings_are_final_and_not_in_the_span(campaign: Campaign) -> None:
    ended = make.listing(campaign, asking=Asking.ENDED)
    report(ended, "100.00 CNY", NOON - 900 * DAY)
    report(make.listing(campaign), "100.00 CNY")
    found = progress.of(campaign, NOON)
    assert figure(ended).freshness is Freshness.FINAL
    assert (found.raised.amount, found.as_of) == ("200.00", (NOON, NOON))


def test_a_campaign_that_ended_is_dated_by_its_final_figures() -> None:
    campaign = make.campaign(currency="USD", state=CampaignState.ENDED, ended_at=NOON - 900 * DAY)
    report(make.listing(campaign), "44500.00 USD", NOON - 900 * DAY)
    found = progress.of(campaign, NOON)
    assert found.as_of == (NOON - 900 * DAY, NOON - 900 * DAY)
    assert found.listings[0].freshness is Freshness.FINAL


def test_an_itemised_figure_is_of_now_while_its_webhook_is_healthy(
    campaign: Campaign, itemised: Listing
) -> None:
    booked(itemised, "10.00 CNY", NOON - DAY)
    endpoint = make.endpoint(campaign=campaign)
    assert figure(itemised).as_of == NOON - DAY
    endpoint.heard_at = NOON - HOUR
    assert figure(itemised).as_of == NOON
    assert figure(itemised).freshness is Freshness.FRESH
    endpoint.active = False
    assert figure(itemised).as_of == NOON - DAY


def test_an_endpoint_vouches_no_longer_than_it_is_known_to_be_well(itemised: Listing) -> None:
    booked(itemised, "10.00 CNY", NOON - 9 * DAY)
    endpoint = make.endpoint(listing=itemised, heard_at=NOON - 8 * DAY)
    assert figure(itemised).as_of == NOON - 8 * DAY
    report(itemised, "10.00 CNY", NOON - DAY)
    assert figure(itemised).as_of == NOON
    endpoint.refused_at = NOON - HOUR
    assert figure(itemised).as_of == NOON - 8 * DAY
    endpoint.heard_at = NOON - HOUR / 2
    assert figure(itemised).as_of == NOON


def test_while_notices_are_missed_the_figure_is_of_its_newest_entry(itemised: Listing) -> None:
    booked(itemised, "10.00 CNY", NOON - 3 * HOUR)
    make.endpoint(listing=itemised, heard_at=NOON - 3 * HOUR, created_at=NOON - DAY)
    for minutes, raised in ((-150, 10), (-120, 10), (-60, 30)):
        report(itemised, f"{raised}.00 CNY", NOON + minutes * timedelta(minutes=1))
    assert figure(itemised, NOON - 0.75 * HOUR).as_of == NOON - 0.75 * HOUR
    assert figure(itemised).as_of == NOON - 3 * HOUR
    booked(itemised, "20.00 CNY", NOON - HOUR)
    assert figure(itemised).as_of == NOON


def test_a_notice_that_waits_dates_the_itemised_figure(itemised: Listing) -> None:
    booked(itemised, "10.00 CNY", NOON - DAY)
    endpoint = make.endpoint(listing=itemised, heard_at=NOON)
    waiting = Notice(
        endpoint_id=endpoint.id,
        event_id="1",
        body_hash="0",
        headers={},
        received_at=NOON - 2 * HOUR,
        verdict=Verdict.WAITING,
    )
    db.session.add(waiting)
    db.session.commit()
    assert figure(itemised).as_of == NOON - 2 * HOUR
    assert figure(itemised).freshness is Freshness.LATE


@pytest.mark.parametrize(
    ("amount", "percent"), [("9999.99", 99), ("10000.00", 100), ("25000.00", 250), ("0.01", 0)]
)
def test_percent_is_rounded_down(reported: Listing, amount: str, percent: int) -> None:
    report(reported, f"{amount} CNY")
    campaign = db.session.get_one(Campaign, reported.campaign_id)
    assert progress.of(campaign, NOON).percent == percent


def test_without_a_target_there_is_no_percent() -> None:
    assert progress.of(make.campaign(target_minor=None), NOON).percent is None


def test_many_campaigns_cost_as_many_statements_as_one(campaign: Campaign) -> None:
    others = [_varied(make.campaign()) for _ in range(5)]
    _varied(campaign)
    with counted() as one:
        progress.of(campaign, NOON)
    with counted() as six:
        found = progress.many([*others, campaign], NOON)
    assert [part.campaign for part in found] == [*others, campaign]
    assert len({part.raised for part in found}) == 1
    assert len(six) == len(one) <= 12


def _varied(campaign: Campaign) -> Campaign:
    report(make.listing(campaign), "100.00 CNY", NOON - HOUR)
    report(make.listing(campaign, currency="USD"), "100.00 USD", NOON - HOUR)
    for listing in campaign.listings:
        booked(listing, "5.00 CNY")
    booked(make.listing(campaign, rule=Rule.ITEMISED), "7.00 EUR")
    return campaign


def test_progress_names_what_it_is_made_of(campaign: Campaign, reported: Listing) -> None:
    report(reported, "500.00 CNY")
    found: Progress = progress.of(campaign, NOON)
    assert found.target == Money.parse("10000.00 CNY")
    assert [part.rule for part in found.listings] == [Rule.REPORTED]


def test_an_itemised_figure_does_not_wait_for_a_verdict(itemised: Listing) -> None:
    report(itemised, "400.00 CNY", state=ReportState.QUARANTINED)
    assert figure(itemised).held is None
