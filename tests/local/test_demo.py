"""The demo: what a newcomer finds, and that it never touches anything that was there before.

Longer than other files, since it loads the demo once for all of it.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import (
    imports,
    keeping,
    letterbook,
    likeness,
    progress,
    reconciliation,
    reviewing,
    rounds,
    segments,
    stored,
    suppression,
    thanks,
)
from campaigns.db import db
from campaigns.letter_reasons import Reason
from campaigns.local import demo, demo_bill, demo_listings
from campaigns.local import script as scripts
from campaigns.local.script import Directions, Script
from campaigns.mail.status import Meaning
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import Purpose
from campaigns.model.contact_import import ContactImport
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.digest import DigestItem
from campaigns.model.drafted import Drafted, Occasion
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.imported import ImportState, RowVerdict
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.notice import Notice, Verdict
from campaigns.model.organisation import Organisation, ThanksRule
from campaigns.model.returned import Return
from campaigns.model.staff import Role, Staff
from campaigns.model.update import Update
from campaigns.money import Money
from campaigns.platforms import bills
from config import settings
from tests import make
from tests.conftest import empty_database, migrated, without_disk
from tests.mailing import begin
from tests.make import NOON
from workers.imports import work_on


@pytest.fixture(scope="module")
def shown(dialect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app on a database of its own with the demo, whose files are in its instance directory."""
    home = tmp_path_factory.mktemp("demo")
    with (
        without_disk(tmp_path_factory.mktemp("rows")) as place,
        empty_database(dialect, place) as url,
        migrated(url, home) as app,
    ):
        with app.app_context():
            demo.load(NOON)
            db.session.commit()
        yield app


@pytest.fixture
def loaded(shown: Flask) -> Iterator[Path]:
    """The demo as it was loaded, to look at; the folder that holds its files."""
    with shown.app_context():
        yield settings().instance_dir
        db.session.remove()


@pytest.fixture
def played(app: Flask, tmp_path: Path) -> Path:
    """The demo to go on with."""
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, instance_dir=tmp_path)
    demo.load(NOON)
    db.session.commit()
    app.extensions["settings"] = before
    return tmp_path


@pytest.fixture
def script() -> Script:
    return Script(
        Directions(
            address="127.0.0.1:8001",
            title="放学以后",
            tencent_id=demo_listings.TENCENT_ID,
            alipay_id=demo_listings.ALIPAY_ID,
            endpoint=demo_listings.ENDPOINT,
            secret="whsec_" + "A" * 32,
            campaign_ref="http://127.0.0.1:8001/feed.json",
            started=NOON.timestamp(),
            tencent_raised=10_521_000,
            tencent_donations=1_482,
            alipay_raised=4_530_050,
            alipay_donors=512,
            foundation_raised=1_000_000,
            foundation_donations=30,
        )
    )


def raised(slug: str) -> Money:
    campaign = db.session.scalars(select(Campaign).where(Campaign.slug == slug)).one()
    return progress.of(campaign, NOON).raised


def test_the_history_has_the_figures_of_the_facts(loaded: Path) -> None:
    facts = json.loads(demo.FACTS.read_text(encoding="utf-8"))["campaigns"]
    found = [raised(slug) for slug in ("documentary", "school-fees", "community-services")]
    assert found == [Money.of(str(fact["raised"]), "USD") for fact in facts]


def test_one_campaign_is_live_and_its_figure_adds_up(loaded: Path) -> None:
    live = db.session.scalars(select(Campaign).where(Campaign.state == CampaignState.LIVE)).one()
    found = progress.of(live, NOON)
    assert len(found.listings) == 6
    assert found.raised == Money.sum(
        (one.converted for one in found.listings if one.converted), "CNY"
    )
    assert found.matched == Money.parse("11800.00 CNY")


def test_the_treasurer_entered_a_box_a_transfer_and_a_match(loaded: Path) -> None:
    by_hand = select(Entry.kind, Entry.stage, Entry.donations).where(Entry.door == Door.HAND)
    assert [tuple(row) for row in db.session.execute(by_hand.order_by(Entry.id))] == [
        (EntryKind.DONATION, None, 37),
        (EntryKind.DONATION, None, 1),
        (EntryKind.MATCH, MatchStage.ANNOUNCED, 0),
        (EntryKind.MATCH, MatchStage.ANNOUNCED, 0),
        (EntryKind.MATCH, MatchStage.CONFIRMED, 0),
        (EntryKind.DONATION, None, 1),
        (EntryKind.DONATION, None, 1),
    ]


def test_two_figures_wait_to_be_entered_by_hand(loaded: Path, script: Script) -> None:
    due = rounds.due(NOON)
    assert [stop.listing.called for stop in due] == ["微公益", "联劝网"]
    for stop in due:
        read = script.by_hand(NOON.timestamp(), "/" + stop.listing.url.split("/", 3)[3])
        assert read is not None
        assert stop.last is not None
        assert stop.last.raised is not None
        assert stop.last.raised < read


def test_payment_providers_have_posted(loaded: Path) -> None:
    kept = db.session.execute(
        select(WebhookEndpoint.scheme, Notice.verdict).join_from(Notice, WebhookEndpoint)
    )
    verdicts: dict[str, list[Verdict]] = {}
    for scheme, verdict in kept:
        verdicts.setdefault(scheme, []).append(verdict)
    assert sorted(verdicts["alipay"]) == [Verdict.BOOKED] * 5 + [Verdict.UNMATCHED]
    assert sorted(verdicts["wechatpay"]) == [Verdict.BOOKED] * 3 + [Verdict.NOTHING]
    direct = select(func.sum(Entry.amount_minor)).where(Entry.source.startswith("alipay:"))
    assert db.session.scalar(direct) == 6_600 + 20_000 + 5_000 - 2_000 + 10_000


def test_a_bill_to_hand_in_has_rows_of_several_verdicts(played: Path) -> None:
    file = played / demo_bill.FILE
    with file.open("rb") as content:
        profile = bills.recognise(content)
        kept = stored.keep(content, NOON)
    one = imports.add(kept, file.name, imports.Reading(profile or ""), NOON, None)
    db.session.commit()
    work_on(one.id)
    db.session.refresh(one)
    found = reviewing.counts(one)
    assert one.state is ImportState.REVIEW
    assert one.footer is not None
    assert one.footer["agree"] is True
    assert {verdict: rows for verdict, rows in found.by_verdict.items() if rows} == {
        RowVerdict.NEW: 7,
        RowVerdict.BOOKED: 4,
        RowVerdict.DIFFERS: 1,
        RowVerdict.NOT_A_DONATION: 1,
    }
    assert (found.planned, found.unplaced) == (6, 1)


def test_a_gap_and_a_double_wait_for_the_treasurer(loaded: Path) -> None:
    (gap,) = reconciliation.overdue(NOON)
    assert (gap.last.gap, gap.age(NOON.date())) == (Money.parse("-8800.00 CNY"), 1)
    (pair,) = likeness.alike()
    assert pair[0].name == pair[1].name


def test_a_mailing_waits_for_approval_and_one_leaves_in_two_minutes(loaded: Path) -> None:
    found = {one.state: one for one in db.session.scalars(select(Mailing))}
    assert set(found) == {MailingState.IN_REVIEW, MailingState.SCHEDULED, MailingState.SENT}
    assert found[MailingState.SCHEDULED].scheduled_at == NOON + timedelta(minutes=2)


def test_what_leaves_in_two_minutes_stands_on_the_page_from_then_on(played: Path) -> None:
    def published() -> int:
        return db.session.scalar(select(func.count(Update.published_at))) or 0

    assert published() == 3
    begin(NOON + timedelta(minutes=2))
    assert published() == 4


def test_there_is_a_login_for_each_role(loaded: Path) -> None:
    held = {role.role for staff in db.session.scalars(select(Staff)) for role in staff.roles}
    assert held == set(Role)
    assert "administrator@demo.example" in (loaded / demo.LOGINS).read_text(encoding="utf-8")


def test_what_holds_secrets_is_readable_by_its_owner_only(loaded: Path) -> None:
    for path in loaded.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_totals_of_the_stand_ins_grow_and_never_fall(script: Script) -> None:
    start = script.directions.started
    amounts = [
        script.tencent(start + second, demo_listings.TENCENT_ID)[0].minor for second in range(200)
    ]
    assert amounts == sorted(amounts)
    assert amounts[-1] > amounts[0] == script.directions.tencent_raised


def test_what_the_foundation_says_is_what_it_posted(script: Script) -> None:
    before, _ = script.foundation()
    posted = [Money.of(script.donation(number)["data"]["amount"], "CNY") for number in range(1, 30)]
    script.given = 29
    assert script.foundation()[0] == before + Money.sum(posted, "CNY")


def test_the_stand_ins_go_on_where_they_left_off(script: Script, tmp_path: Path) -> None:
    script.given = 7
    script.write(tmp_path)
    again = Script.read(tmp_path)
    assert (again.given, again.directions) == (7, script.directions)
    assert (tmp_path / scripts.NAME).stat().st_mode & 0o077 == 0


def test_the_demo_refuses_a_filled_database(app: Flask) -> None:
    make.organisation()
    with pytest.raises(demo.NotEmpty):
        demo.load(NOON)
    assert db.session.scalar(select(func.count(Organisation.id))) == 1


def test_every_page_says_that_it_is_a_demo(shown: Flask, loaded: Path) -> None:
    client = shown.test_client()
    for page in ("/", "/c/after-school", "/c/documentary"):
        assert "演示" in client.get(page).text
    assert "demo" in client.get("/en/c/after-school").text


def test_a_letter_to_a_mistyped_address_came_back(loaded: Path) -> None:
    [row] = db.session.scalars(select(Return).where(Return.meaning == Meaning.HARD))
    assert (row.meaning, row.status) == (Meaning.HARD, "5.1.1")
    assert row.delivery.state is DeliveryState.BOUNCED
    assert suppression.forbids(row.delivery.address_hash, Purpose.SERVICE)


def test_what_the_campaigns_owe_is_drafted_and_waits(loaded: Path) -> None:
    found = select(Campaign.slug, Drafted.occasion, Drafted.number).join_from(Drafted, Campaign)
    assert sorted(tuple(row) for row in db.session.execute(found)) == [
        ("after-school", Occasion.MILESTONE, 50),
        ("documentary", Occasion.CLOSING, 0),
    ]


def test_two_gifts_of_a_day_wait_in_one_letter_of_thanks(loaded: Path) -> None:
    letter = db.session.scalars(select(Delivery).where(Delivery.due_at > NOON)).one()
    assert [one.amount_minor for one in thanks.named(letter.id)] == [5_000, 3_000]
    assert letter.due_at - NOON <= timedelta(minutes=2)
    ours = db.session.scalars(select(Organisation).where(Organisation.ours)).one()
    assert ours.thanks is ThanksRule.AT_ONCE


def test_of_the_mailing_of_twelve_days_ago_some_letters_did_not_arrive(loaded: Path) -> None:
    [sent] = db.session.scalars(select(Mailing).where(Mailing.state == MailingState.SENT))
    became = {(state, reason): number for state, reason, number in letterbook.counts(sent)}
    assert became == {
        ("sent", None): 7,
        ("failed", Reason.FULL): 1,
        ("failed", Reason.POLICY): 1,
        ("bounced", Reason.DID_NOT_ARRIVE): 1,
        ("suppressed", Reason.NO_CONSENT): 1,
    }
    assert sent.skipped == {"digest": 1}
    waits = db.session.scalars(select(DigestItem)).one()
    assert (waits.mailing_id, waits.delivery_id) == (sent.id, None)


def test_there_are_segments_a_list_of_contacts_a_claimed_gift_and_an_issue(
    shown: Flask, loaded: Path
) -> None:
    reached = [
        segments.reach(one.definition, Purpose.NEWSLETTER, None, NOON).people
        for one in keeping.every()
    ]
    assert sorted(reached) == [2, 3]
    [file] = db.session.scalars(select(ContactImport))
    assert file.counts == {"new": 4}
    [claim] = db.session.scalars(select(GiftClaim))
    assert claim.stands
    assert "这一季，我们做了什么" in shown.test_client().get("/newsletter/1").text
