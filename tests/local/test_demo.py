"""The demo: what a newcomer finds, and that it never touches anything that was there before."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from campaigns import progress
from campaigns.db import db
from campaigns.local import demo
from campaigns.local.script import Script
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Role, Staff
from campaigns.money import Money
from tests import make
from tests.make import NOON


@pytest.fixture
def loaded(app: Flask, tmp_path: Path) -> Path:
    """The demo in the database; the folder that holds its files."""
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, instance_dir=tmp_path)
    demo.load(NOON)
    db.session.commit()
    app.extensions["settings"] = before
    return tmp_path


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
    assert len(found.listings) == 3
    assert found.raised == Money.sum(
        (one.converted for one in found.listings if one.converted), "CNY"
    )
    assert found.matched == Money.parse("8800.00 CNY")


def test_a_mailing_waits_for_approval_and_one_leaves_in_two_minutes(loaded: Path) -> None:
    found = {one.state: one for one in db.session.scalars(select(Mailing))}
    assert set(found) == {MailingState.IN_REVIEW, MailingState.SCHEDULED}
    assert found[MailingState.SCHEDULED].scheduled_at == NOON + timedelta(minutes=2)


def test_there_is_a_login_for_each_role(loaded: Path) -> None:
    held = {role.role for staff in db.session.scalars(select(Staff)) for role in staff.roles}
    assert held == set(Role)
    assert "administrator@demo.example" in (loaded / demo.LOGINS).read_text(encoding="utf-8")


def test_what_holds_secrets_is_readable_by_its_owner_only(loaded: Path) -> None:
    for path in loaded.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_totals_of_the_stand_ins_grow_and_never_fall(loaded: Path) -> None:
    script = Script.read(loaded)
    start = script.directions.started
    amounts = [script.tencent(start + second, demo.TENCENT_ID)[0].minor for second in range(200)]
    assert amounts == sorted(amounts)
    assert amounts[-1] > amounts[0] == script.directions.tencent_raised


def test_what_the_foundation_says_is_what_it_posted(loaded: Path) -> None:
    script = Script.read(loaded)
    before, _ = script.foundation()
    posted = [Money.of(script.donation(number)["data"]["amount"], "CNY") for number in range(1, 30)]
    script.given = 29
    assert script.foundation()[0] == before + Money.sum(posted, "CNY")


def test_the_demo_refuses_a_filled_database(app: Flask) -> None:
    make.organisation()
    with pytest.raises(demo.NotEmpty):
        demo.load(NOON)
    assert db.session.scalar(select(func.count(Organisation.id))) == 1


@pytest.mark.parametrize("page", ["/", "/c/after-school", "/en/c/after-school", "/c/documentary"])
def test_every_page_says_that_it_is_a_demo(loaded: Path, client: FlaskClient, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    assert "demo" in answer.text.lower() or "演示" in answer.text
