"""A text as its readers get it: in both languages, as any donor, as text, and as a test letter."""

from collections.abc import Callable

import pytest

from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.staff import Role
from campaigns.model.update import Update
from tests import make
from tests.web.staff.conftest import Desk


@pytest.fixture
def update(app: object) -> Update:
    found = make.update()
    found.text("en", "en").body = "Hi {{ donor.name | default('you') }}.\n\n{{ campaign.progress }}"
    db.session.commit()
    return found


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR)


def test_both_languages_stand_side_by_side(editor: Desk, update: Update) -> None:
    page = editor.get(f"/staff/updates/{update.id}/proof").text
    assert page.count("<iframe") == 2
    assert "The first desks have arrived" in page
    assert "第一批书桌到了" in page


def test_a_missing_translation_is_marked(editor: Desk, update: Update) -> None:
    update.texts = [update.text("en", "en")]
    db.session.commit()
    page = editor.get(f"/staff/updates/{update.id}/proof").text
    assert page.count("<iframe") == 1
    assert "Nobody has written this language" in page


def test_a_letter_is_shown_as_a_donor_of_choice_gets_it(
    desk: Callable[..., Desk], update: Update
) -> None:
    ada = make.donor(name="Ada <b>")
    make.consent(ada)
    admin = desk(Role.ADMINISTRATOR)
    for path, words in (("letter", "Hi Ada &lt;b&gt;."), ("text", "Hi Ada <b>.")):
        answer = admin.get(f"/staff/updates/{update.id}/{path}/en?donor={ada.id}")
        assert words in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "Hi you." in admin.get(f"/staff/updates/{update.id}/text/en").text


def test_who_may_not_see_donors_sees_none_here(editor: Desk, update: Update) -> None:
    ada = make.donor(name="Ada")
    shown = editor.get(f"/staff/updates/{update.id}/text/en?donor={ada.id}").text
    assert "Ada" not in shown


@pytest.mark.parametrize("donor", ["x", "9" * 30, "-1", "4711", ""])
def test_a_number_of_nobody_shows_it_to_nobody(
    desk: Callable[..., Desk], update: Update, donor: str
) -> None:
    shown = desk(Role.ADMINISTRATOR).get(f"/staff/updates/{update.id}/text/en?donor={donor}")
    assert "Hi you." in shown.text


def test_what_is_being_written_shows_as_it_will_look(editor: Desk, update: Update) -> None:
    body = "**Hi** {{ donor.name }} {{ nobody.home }} <script>x</script>"
    shown = editor.post(
        "/staff/updates/look", body=body, locale="en", campaign=str(update.campaign_id)
    )
    assert "<strong>Hi</strong> friend" in shown.text
    assert "is no field here" in shown.text
    assert "<script" not in shown.text


def test_a_test_letter_goes_to_oneself_in_each_language(editor: Desk, update: Update) -> None:
    editor.post(f"/staff/updates/{update.id}/test")
    sent = db.session.query(Delivery).all()
    assert {one.locale for one in sent} == {"en", "zh-Hans"}
    assert {(one.letter, one.staff_id, one.purpose) for one in sent} == {
        (LetterKind.TEST, editor.staff.id, Purpose.SERVICE)
    }


def test_tests_are_throttled(editor: Desk, update: Update) -> None:
    for _ in range(22):
        editor.post(f"/staff/updates/{update.id}/test")
    assert "many tests" in editor.get("/staff/updates").text


def test_findings_stand_beside_the_update(editor: Desk, update: Update) -> None:
    update.text("en", "en").body = "[tap]()"
    db.session.commit()
    assert "leads nowhere" in editor.get(f"/staff/updates/{update.id}").text
