"""The commands that add campaigns and listings."""

import pytest
from flask import Flask
from sqlalchemy import text

from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.listing import Listing
from tests import make

PAGE = "https://gongyi.qq.com/succor/detail.htm?id=224563"
NEW = ("add-campaign", "--slug", "desks", "--title", "书桌", "--currency", "CNY")


def run(app: Flask, *words: str) -> tuple[int, str]:
    said = app.test_cli_runner().invoke(args=list(words))
    return said.exit_code, said.output


def test_a_campaign_is_a_draft_unless_said_otherwise(app: Flask) -> None:
    assert run(app, *NEW, "--target", "1000.00") == (0, "Campaign desks is draft.\n")
    campaign = db.session.query(Campaign).one()
    assert (str(campaign.target), campaign.text("zh-Hans").title) == ("1000.00 CNY", "书桌")


def test_a_campaign_can_be_live_at_once_and_without_a_target(app: Flask) -> None:
    run(app, *NEW, "--live")
    campaign = db.session.query(Campaign).one()
    assert (campaign.state, campaign.target) == (CampaignState.LIVE, None)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--slug", "Desks!"), "small letters"),
        (("--title", " "), "title"),
        (("--currency", "XYZ"), "currency"),
        (("--target", "1.001"), "decimals"),
        (("--target", "0"), "more than nothing"),
        (("--target", ""), "not an amount"),
    ],
)
def test_a_mistake_is_one_sentence_and_adds_nothing(
    app: Flask, more: tuple[str, str], said: str
) -> None:
    code, output = run(app, *NEW, *more)
    assert code == 1
    assert said in output
    assert db.session.query(Campaign).count() == 0


def test_the_second_time_is_refused(app: Flask) -> None:
    run(app, *NEW)
    assert run(app, *NEW)[0] == 1
    assert db.session.query(Campaign).count() == 1


def test_a_listing_is_added_by_its_address_once(app: Flask) -> None:
    make.campaign("desks")
    code, output = run(app, "add-listing", "desks", PAGE)
    listing = db.session.query(Listing).one()
    assert (code, output) == (0, f"Listing {listing.id} on tencent: 224563.\n")
    assert run(app, "add-listing", "desks", PAGE)[0] == 1


def test_a_listing_needs_a_campaign_and_a_platform_that_there_are(app: Flask) -> None:
    make.campaign("desks")
    assert run(app, "add-listing", "chairs", PAGE) == (1, "Error: There is no campaign chairs.\n")
    code, output = run(app, "add-listing", "desks", "https://gongyi.qq.com/")
    assert code == 1
    assert "platforms" in output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add-webhook", "desks", "--listing", "abc"), "not a valid integer"),
        (("add-webhook", "desks", "--listing", "9" * 30), "not in the range"),
        (("add-staff", "ada@example.org", "--role", "emperor"), "emperor"),
        (("add-campaign", "--slug", "desks"), "Missing option"),
        (("poll", "--later"), "No such option"),
    ],
)
def test_a_command_misused_says_so_in_a_sentence(
    app: Flask, words: tuple[str, ...], said: str
) -> None:
    code, output = run(app, *words)
    assert (code, output.count("\n")) == (1, 1)
    assert said in output


def test_a_database_that_is_not_ready_is_a_sentence(app: Flask) -> None:
    db.session.execute(text("ALTER TABLE campaigns RENAME TO elsewhere"))
    code, output = run(app, *NEW)
    assert (code, output.count("\n")) == (1, 1)
    assert "doctor" in output
