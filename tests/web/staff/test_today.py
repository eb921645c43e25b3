"""The first page says what waits for this person, and nothing that is not theirs to see."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from campaigns import imports, mailings, needs, reporting
from campaigns.db import db
from campaigns.model.campaign import CampaignState
from campaigns.model.delivery import DeliveryState
from campaigns.model.listing import Asking, Told
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.notice import Notice, Verdict
from campaigns.model.report import Origin
from campaigns.model.staff import Role, Staff
from campaigns.money import Money
from campaigns.platforms.base import Reading
from tests import bill, make
from tests.bill import Paid
from tests.make import NOON
from tests.web.staff.conftest import Desk


def waiting(*roles: Role) -> list[str]:
    return [need.what.value for need in needs.of(make.staff(None, *roles), NOON)]


def held_figure() -> None:
    listing, now = make.listing(), datetime.now(UTC)
    for amount, ago in (("45300.50", 60), ("31020.00", 5)):
        moment = now - timedelta(minutes=ago)
        reporting.record(listing, Reading(Money.of(amount, "CNY"), moment), now)
    db.session.commit()


def in_review(author: Staff) -> Mailing:
    update = make.update()
    mailing = mailings.draft(update, {"campaign": update.campaign_id}, author, NOON)
    mailings.submit(mailing, author, NOON)
    db.session.commit()
    return mailing


def test_a_held_figure_waits_for_those_who_judge(app: object) -> None:
    held_figure()
    assert waiting(Role.TREASURER) == ["held"]
    assert waiting(Role.EDITOR) == []


def test_the_page_says_what_fell_and_leads_to_the_verdict(desk: Callable[..., Desk]) -> None:
    held_figure()
    page = desk(Role.TREASURER).get("/staff").text
    assert "from ¥45,300.50 to ¥31,020.00" in page
    assert "/staff/listings/" in page
    assert "31,020" not in desk(Role.EDITOR).get("/staff").text


def test_a_mailing_waits_for_others_than_its_author(app: object) -> None:
    author = make.staff(None, Role.APPROVER)
    in_review(author)
    assert waiting(Role.APPROVER) == ["to_approve"]
    assert waiting(Role.EDITOR) == []
    assert needs.of(author, NOON) == []


@pytest.mark.parametrize("state", [MailingState.MISSED, MailingState.PAUSED])
def test_a_mailing_that_stopped_waits_for_those_who_send(app: object, state: MailingState) -> None:
    make.mailing(state=state)
    assert waiting(Role.EDITOR) == [state.value]
    assert waiting(Role.TREASURER) == []


def test_unknown_letters_wait_to_be_settled(desk: Callable[..., Desk]) -> None:
    mailing = make.mailing()
    for _ in range(2):
        make.delivery(of=mailing, state=DeliveryState.UNKNOWN)
    page = desk(Role.EDITOR).get("/staff").text
    assert "Of 2 letters nobody knows" in page
    assert f"/staff/mailings/{mailing.id}/letters?state=unknown" in page


def test_notices_that_nobody_could_book_wait_for_the_treasurer(app: object) -> None:
    endpoint = make.endpoint(campaign=make.campaign())
    for number, verdict in enumerate((Verdict.BOOKED, Verdict.UNMATCHED, Verdict.WAITING)):
        db.session.add(
            Notice(
                endpoint_id=endpoint.id,
                event_id=str(number),
                body_hash="0" * 64,
                headers={},
                received_at=NOON,
                verdict=verdict,
            )
        )
    db.session.commit()
    assert waiting(Role.TREASURER) == ["notices"]
    assert waiting(Role.FUNDRAISER) == []


def test_a_file_to_review_waits_for_the_treasurer(desk: Callable[..., Desk]) -> None:
    one = bill.read(bill.bill([Paid(1)]), make.listing())
    assert waiting(Role.TREASURER) == ["to_review"]
    assert waiting(Role.EDITOR) == []
    page = desk(Role.TREASURER).get("/staff").text
    assert "The file <b>bill.csv</b> was read." in page
    assert f'href="/staff/imports/{one.id}"' in page


def test_several_files_are_one_line_and_lead_to_their_list(desk: Callable[..., Desk]) -> None:
    for _ in range(2):
        bill.read(b"no bill")
    assert waiting(Role.TREASURER) == ["unreadable"]
    page = desk(Role.TREASURER).get("/staff").text
    assert "2 files could not be read." in page
    assert 'class="button" href="/staff/imports"' in page


def test_an_import_that_stands_still_is_told_and_one_at_work_is_not(app: object) -> None:
    one = bill.read(bill.bill([Paid(1)]), make.listing())
    imports.commit(one, NOON - timedelta(minutes=10), None)
    db.session.commit()
    assert waiting(Role.TREASURER) == []
    one.moved_at = NOON - timedelta(minutes=16)
    db.session.commit()
    assert waiting(Role.TREASURER) == ["stuck"]


def test_a_silent_platform_waits_until_its_figure_is_final(app: object) -> None:
    campaign = make.campaign()
    make.listing(campaign, asking=Asking.REFUSED)
    make.listing(campaign, failures=5)
    make.listing(campaign, told=Told.STALE)
    assert sorted(waiting(Role.FUNDRAISER)) == ["broken", "refused", "stale"]
    campaign.state, campaign.ended_at = CampaignState.ENDED, NOON - timedelta(days=29)
    assert len(waiting(Role.FUNDRAISER)) == 3
    campaign.ended_at = NOON - timedelta(days=31)
    assert waiting(Role.FUNDRAISER) == []


def test_a_silent_platform_is_told_with_the_way_to_its_listing(desk: Callable[..., Desk]) -> None:
    listing = make.listing(told=Told.STALE)
    page = desk(Role.FUNDRAISER).get("/staff").text
    assert "No newer figure of <b>After school</b> has come" in page
    assert f"/staff/listings/{listing.id}" in page


def test_figures_that_are_due_by_hand_are_one_line_that_leads_to_their_page(
    desk: Callable[..., Desk],
) -> None:
    sitting, ago = desk(Role.FUNDRAISER), datetime.now(UTC) - timedelta(days=2)
    make.report(make.listing(asking=Asking.BY_HAND), 100_000, ago)
    said = "The figure of <b>After school</b> on Tencent Charity is due."
    assert said in sitting.get("/staff").text
    refused = make.listing(asking=Asking.REFUSED, asked_at=ago)
    make.report(refused, 100_000, ago)
    page = sitting.get("/staff").text
    assert "2 figures are due." in page
    assert 'href="/staff/figures"' in page
    local = f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m-%dT%H:%M}"
    sitting.post("/staff/figures", moment=local, **{f"raised-{refused.id}": "1001"})
    assert said in sitting.get("/staff").text


def test_a_refusal_stands_there_until_somebody_enters_a_figure(app: object) -> None:
    refused = make.listing(asking=Asking.REFUSED)
    make.report(refused, 100_000, NOON)
    assert waiting(Role.FUNDRAISER) == ["refused"]
    make.report(refused, 100_100, NOON, origin=Origin.BY_HAND)
    assert waiting(Role.FUNDRAISER) == []


def test_the_menu_counts_what_waits_and_shows_what_one_may_open(
    desk: Callable[..., Desk],
) -> None:
    held_figure()
    treasurer, editor = desk(Role.TREASURER), desk(Role.EDITOR)
    assert 'Today <span class="badge">1</span>' in treasurer.get("/staff/me").text
    assert "/staff/ledger" in treasurer.get("/staff/me").text
    assert "/staff/ledger" not in editor.get("/staff/me").text


def test_what_goes_out_is_counted(desk: Callable[..., Desk]) -> None:
    mailing = make.mailing()
    make.delivery(of=mailing, state=DeliveryState.SENT)
    make.delivery(of=mailing)
    page = desk(Role.EDITOR).get("/staff").text
    assert "1 of 2" in page
    assert "1 queued · 1 sent" in page


def test_nothing_waiting_is_said_too(desk: Callable[..., Desk]) -> None:
    assert "Nothing waits for you." in desk(Role.EDITOR).get("/staff").text
