"""What a text says of its campaign: filled when it is approved, and never undated."""

from datetime import timedelta

import pytest

from campaigns import archive, blocks, mailings, text
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.mailing import Mailing
from campaigns.model.update import Update, UpdateText
from tests import make
from tests.mailing import approved
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
EVERY = "{{ campaign.progress }}\n\n{{ campaign.figures }}\n\n{{ campaign.milestones }}"


def raising(minor: int = 15_000_000) -> Campaign:
    """A campaign for ¥300,000 with a report of an hour before noon."""
    campaign = make.campaign()
    make.report(make.listing(campaign), minor, NOON - timedelta(hours=1))
    return campaign


def written(campaign: Campaign, body: str, title: str = "News") -> Update:
    update = make.update(campaign)
    update.texts = [UpdateText(locale="en", title=title, body=body)]
    db.session.commit()
    return update


def filled(campaign: Campaign, body: str = EVERY, locale: str = "en") -> str:
    return blocks.Live(campaign, NOON).body(body, locale)


def frozen(mailing: Mailing) -> str:
    return mailing.text("en", "en").body


def test_the_bar_is_a_table_and_a_line_of_signs() -> None:
    bar = filled(raising(), "{{ campaign.progress }}")
    assert 'bgcolor="#2a7452" width="50%"' in text.html(bar)
    assert "▓" * 10 + "░" * 10 in text.plain(bar)
    assert "¥150,000.00 of ¥300,000 raised (50%)" in text.plain(bar)


@pytest.mark.parametrize("block", EVERY.split("\n\n"))
@pytest.mark.parametrize(("locale", "when"), [("en", "22 November"), ("zh-Hans", "11 月 22 日")])
def test_no_block_is_undated(block: str, locale: str, when: str) -> None:
    assert when in text.plain(filled(raising(), block, locale))


def test_a_block_says_so_while_there_is_no_figure() -> None:
    campaign = make.campaign()
    make.listing(campaign)
    assert text.plain(filled(campaign)).count("no figure yet") == 4


def test_milestones_say_what_is_reached_and_what_is_missing() -> None:
    plain = text.plain(filled(raising(), "{{ campaign.milestones }}"))
    assert "50% of the target: reached" in plain
    assert "90% of the target: ¥120,000.00 to go" in plain


@pytest.mark.parametrize(("minor", "cells"), [(0, 1), (1, 1), (29_999_999, 2), (45_000_000, 1)])
def test_a_bar_is_full_only_at_its_target(minor: int, cells: int) -> None:
    bar = text.html(filled(raising(minor), "{{ campaign.progress }}"))
    assert bar.count("<td") == cells
    assert ('class="rest"' in bar) is (minor < 30_000_000)


def test_a_campaign_without_target_has_no_bar() -> None:
    campaign = raising()
    campaign.target_minor = None
    plain = text.plain(filled(campaign))
    assert "▓" not in plain
    assert "¥150,000.00 raised" in plain


def test_what_was_approved_stays_while_figures_go_on() -> None:
    campaign = raising()
    mailing = approved(written(campaign, "{{ campaign.progress }}"))
    make.report(campaign.listings[0], 29_000_000, NOON + timedelta(hours=1))
    assert "¥150,000.00" in frozen(mailing)
    assert "{{" not in frozen(mailing)


def test_another_approval_fills_anew() -> None:
    campaign = raising()
    mailing = approved(written(campaign, "{{ campaign.progress }}"))
    make.report(campaign.listings[0], 29_000_000, NOON + timedelta(hours=1))
    mailings.change_segment(mailing, {"campaign": campaign.id}, None, NOON)
    mailings.approve(mailing, None, NOON + timedelta(hours=2))
    assert "¥290,000.00" in frozen(mailing)


def test_a_hostile_name_of_a_listing_is_inert() -> None:
    campaign = raising()
    campaign.listings[0].platform = "generic"
    campaign.listings[0].how = {"name": "<script>x</script> **{{ donor.name }}** [a](javascript:b)"}
    rich = text.html(filled(campaign))
    assert "<script" not in rich
    assert "<strong>" not in rich
    assert "href" not in rich
    assert "{{ donor.name }}" in text.plain(filled(campaign))


def test_a_title_of_a_campaign_is_words_and_no_markdown() -> None:
    campaign = raising()
    campaign.text("en").title = "*After* {{ donor.name }} <b>"
    assert text.plain(filled(campaign, "About {{ campaign.title }}.")) == (
        "About *After* {{ donor.name }} <b>."
    )


def test_the_public_reads_what_stands_for_a_name() -> None:
    update = written(
        raising(), 'Dear {{ donor.name | default("**you**") }}.\n\n{{ campaign.progress }}',
        "For {{ donor.name }}",
    )  # fmt: skip
    update.published_at = NOON
    told = archive.told([update], "en", NOON)[0]
    assert told.title == "For friend"
    assert text.plain(told.body).startswith("Dear **you**.")
    assert "¥150,000.00 of" in told.body
