"""What a reminder of a report says: by when, that it is drafted, or that nothing is left to do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from campaigns import drafting
from campaigns.db import db
from campaigns.model.campaign import CampaignState
from campaigns.model.delivery import LetterKind
from campaigns.model.drafted import Drafted, Occasion
from tests import make
from tests.composed import bodies, claim, letter
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
DAY = timedelta(days=1)


def drafted(occasion: Occasion, ago: int) -> Drafted:
    """A report's draft: the last one came, or the campaign ended, so many days before noon."""
    make.organisation()
    began = NOON - ago * DAY
    if occasion is Occasion.CLOSING:
        make.campaign(state=CampaignState.ENDED, ended_at=began)
    else:
        make.update(make.campaign(report_every_days=30), published_at=began)
    drafting.draft(drafting.due(NOON), NOON)
    return db.session.scalars(select(Drafted)).one()


def told(row: Drafted, locale: str = "en") -> tuple[str, str]:
    """The subject, and the text in one line."""
    occasion = f"alert:{row.occasion.value}:{row.id}:7"
    found = letter(replace(claim(LetterKind.ALERT), occasion=occasion, locale=locale))
    plain, _ = bodies(found)
    return str(found["Subject"]), " ".join(plain.split())


def test_it_says_by_when_and_leads_to_the_draft() -> None:
    row = drafted(Occasion.REPORT, 23)
    subject, text = told(row)
    assert subject == "A report is due: “After school”"
    assert "We promised the donors of “After school” a report by 29 November." in text
    assert f"/staff/updates/{row.update_id}" in text
    subject, text = told(row, "zh-Hans")
    assert subject == "该写报告了：“放学以后”"
    assert "在 11 月 29 日前报告一次" in text


def test_one_that_is_late_says_so() -> None:
    _, text = told(drafted(Occasion.REPORT, 33))
    assert "was due on 19 November." in text


def test_so_does_that_of_a_closing_report() -> None:
    row = drafted(Occasion.CLOSING, 5)
    subject, text = told(row)
    assert subject == "The closing report is due: “After school”"
    assert "expect a closing report by 17 December." in text
    assert told(row, "zh-Hans")[0] == "该写结项报告了：“放学以后”"


@pytest.mark.parametrize("occasion", [Occasion.REPORT, Occasion.CLOSING])
def test_once_it_is_public_there_is_nothing_to_do(occasion: Occasion) -> None:
    row = drafted(occasion, 25)
    assert row.update is not None
    row.update.published_at = NOON
    db.session.commit()
    _, text = told(row)
    assert "has been seen to since. There is nothing you need to do." in text
