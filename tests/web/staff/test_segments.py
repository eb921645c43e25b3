"""Segments in the browser: built, counted, kept, given to mailings, seen by whom they concern."""

from collections.abc import Callable

import pytest
from flask import Flask

from campaigns import keeping, mailings
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.mailing import Mailing
from campaigns.model.segment import Conditions, Definition, Segment
from campaigns.model.staff import Role
from campaigns.model.update import Update
from tests import make
from tests.make import NOON
from tests.web.staff.conftest import Desk

TAGGED = {"include-tags": "press", "include-role": "", "exclude-role": ""} | {
    f"{half}-currency": "CNY" for half in ("include", "exclude")
}


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR)


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    make.organisation()
    return make.campaign("spring")


@pytest.fixture
def mailing(campaign: Campaign) -> Mailing:
    update: Update = make.update(campaign)
    row = mailings.draft(update, {"campaign": campaign.id}, make.staff(), NOON)
    db.session.commit()
    return row


def kept(name: str = "Press", **conditions: object) -> Segment:
    about = Definition(Conditions(**conditions or {"tags": ("press",)}))  # type: ignore[arg-type]
    segment = keeping.keep(name, about, make.staff(), NOON)
    db.session.commit()
    return segment


def test_a_segment_is_built_kept_and_told_in_words(editor: Desk, campaign: Campaign) -> None:
    asked = TAGGED | {
        "name": " Press,  big ",
        "include-campaigns": str(campaign.id),
        "include-size_from": "1,000.50",
        "include-last_to": "2026-06-30",
        "exclude-places": "深圳，广州",
    }
    page = editor.post("/staff/segments/new", **asked)
    assert page.status_code == 302
    segment = db.session.query(Segment).one()
    assert segment.name == "Press, big"
    assert segment.definition == {
        "include": {
            "campaigns": [campaign.id],
            "currency": "CNY",
            "size": [100050, None],
            "last": [None, "2026-06-30"],
            "tags": ["press"],
        },
        "exclude": {"places": ["深圳", "广州"]},
    }
    told = editor.get(page.location).text
    for word in ("After school", "from ¥1,000.50", "up to 30 June", "深圳 · 广州", "press"):
        assert word in told, word
    again = editor.get(f"/staff/segments/{segment.id}/edit").text
    assert 'value="1,000.50"' in again or 'value="1000.50"' in again


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("include-size_from", "much"),
        ("include-first_from", "yesterday"),
        ("include-count_from", "-1"),
        ("include-lapsed", "999999999"),
        ("exclude-tags", "x" * 41),
        ("include-currency", "XXX"),
        ("name", "n" * 121),
        ("name", ""),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(
    editor: Desk, campaign: Campaign, field: str, typed: str
) -> None:
    answer = editor.post("/staff/segments/new", **TAGGED | {"name": "Press", field: typed})
    assert answer.status_code == 400
    assert f"{field}-error" in answer.text
    assert db.session.query(Segment).count() == 0


def test_bounds_in_the_wrong_order_are_refused(editor: Desk, campaign: Campaign) -> None:
    wrong = {"include-count_from": "3", "include-count_to": "2", "name": "Press"}
    answer = editor.post("/staff/segments/new", **TAGGED | wrong)
    assert (answer.status_code, "include-count_to-error" in answer.text) == (400, True)


def test_the_form_is_counted_as_it_is_filled_in(
    desk: Callable[..., Desk], editor: Desk, campaign: Campaign
) -> None:
    ada = make.donor(name="Ada Lovelace", place="深圳")
    make.consent(ada)
    make.donor(name="Bo", place="深圳")
    make.donor(place="Berlin")
    asked = TAGGED | {"include-tags": "", "include-places": "深圳"}
    counted = editor.post("/staff/segments/count", **asked).text
    assert "2 people" in counted
    assert "<b>1</b>" in counted
    assert "Ada" not in counted
    assert (
        editor.post("/staff/segments/count", **asked | {"include-lapsed": "x"}).status_code == 400
    )
    both = desk(Role.EDITOR, Role.TREASURER)
    assert "Ada Lovelace" in both.post("/staff/segments/count", **asked).text
    without_script = both.post("/staff/segments/new", **asked, do="count", name="")
    assert (without_script.status_code, "Ada Lovelace" in without_script.text) == (200, True)


def test_a_mailing_is_given_a_segment_and_keeps_its_definition(
    editor: Desk, mailing: Mailing
) -> None:
    segment = kept()
    editor.post(f"/staff/segments/for/{mailing.id}", segment=segment.id)
    meant = {"include": {"tags": ["press"]}, "exclude": {}}
    assert db.session.get_one(Mailing, mailing.id).segment == meant
    editor.post(f"/staff/segments/{segment.id}/edit", **TAGGED | {"include-tags": "x", "name": "x"})
    editor.post(f"/staff/segments/{segment.id}/drop")
    assert keeping.every() == []
    assert db.session.get_one(Mailing, mailing.id).segment == meant
    page = editor.get(f"/staff/mailings/{mailing.id}").text
    assert "press" in page


def test_an_approved_mailing_that_is_given_other_readers_is_approved_again(
    editor: Desk, mailing: Mailing
) -> None:
    mailings.submit(mailing, None, NOON)
    mailings.approve(mailing, None, NOON)
    db.session.commit()
    asked = TAGGED | {"mailing": str(mailing.id), "name": ""}
    answer = editor.post("/staff/segments/new", **asked)
    assert "approved again" in editor.get(answer.location).text
    assert str(db.session.get_one(Mailing, mailing.id).state) == "in_review"


def test_a_mailing_is_drafted_for_a_segment(editor: Desk, campaign: Campaign) -> None:
    update, segment = make.update(campaign), kept()
    for number in (str(segment.id), "", "77"):
        editor.post(f"/staff/updates/{update.id}/mailings", segment=number)
    usual = {"campaign": campaign.id}
    drafted = db.session.query(Mailing).order_by(Mailing.id)
    assert [one.segment for one in drafted] == [segment.definition, usual, usual]


def test_two_segments_do_not_share_a_name(editor: Desk, campaign: Campaign) -> None:
    kept("Press")
    answer = editor.post("/staff/segments/new", **TAGGED, name="Press")
    assert (answer.status_code, "Another segment has this name." in answer.text) == (400, True)


def test_who_may_not_write_builds_nothing(desk: Callable[..., Desk], mailing: Mailing) -> None:
    treasurer, segment = desk(Role.TREASURER), kept()
    assert treasurer.get(f"/staff/segments/{segment.id}").status_code == 200
    for path in ("new", "count", f"{segment.id}/edit", f"{segment.id}/drop", f"for/{mailing.id}"):
        assert treasurer.post(f"/staff/segments/{path}", **TAGGED).status_code == 403
