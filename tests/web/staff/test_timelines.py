"""Staff learn that the data were set back, and what waits for them, until one of them confirms."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import doctor, standstill, timelines
from campaigns.db import db
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.staff import Role
from campaigns.model.timeline import Timeline, TimelineCause
from tests import make
from tests.partner import body, partner
from tests.web.staff.conftest import Desk


def set_back() -> None:
    make.mailing()
    now = datetime.now(UTC)
    cause = TimelineCause.RESTORED
    standstill.stop(db.session.connection(), cause, now - timedelta(days=1), now)
    db.session.commit()


def test_the_first_page_tells_those_who_send_until_one_confirms(desk: Callable[..., Desk]) -> None:
    set_back()
    editor = desk(Role.EDITOR)
    assert "a backup was laid back" in editor.get("/staff").text
    assert "a backup was laid back" not in desk(Role.TREASURER).get("/staff").text
    timeline = db.session.scalars(select(Timeline)).one()
    page = editor.get(f"/staff/timelines/{timeline.id}")
    assert "It is looked after" in page.text
    assert editor.post(f"/staff/timelines/{timeline.id}").status_code == 302
    assert "a backup was laid back" not in editor.get("/staff").text
    assert timeline.confirmed_by == editor.staff.id
    assert "It is looked after" not in editor.get(f"/staff/timelines/{timeline.id}").text


def test_the_second_to_confirm_changes_nothing(desk: Callable[..., Desk]) -> None:
    set_back()
    first, second = desk(Role.EDITOR), desk(Role.EDITOR)
    timeline = db.session.scalars(select(Timeline)).one()
    for sitting in (first, second):
        sitting.post(f"/staff/timelines/{timeline.id}")
    assert timeline.confirmed_by == first.staff.id


def test_the_doctor_tells_of_it(desk: Callable[..., Desk]) -> None:
    set_back()
    found = [one for one in doctor.examine(datetime.now(UTC)) if one.part == "history"]
    assert [one.warning for one in found] == [True]


def test_who_may_have_been_thanked_before_is_not_thanked_by_itself(client: FlaskClient) -> None:
    """The donation comes again, and its letter may be among those that nobody knows of."""
    sender, ada = partner(make.listing()), {"name": "Ada", "email": "ada@example.org"}
    set_back()
    for _ in range(2):
        assert sender.post(client, body(external_id="LQ-1", donor=ada)).status_code == 200
    assert thanks() == [DeliveryState.UNKNOWN]
    new = body(external_id="LQ-2", donor=ada, at=datetime.now(UTC) + timedelta(seconds=1))
    assert sender.post(client, new).status_code == 200
    assert thanks() == [DeliveryState.UNKNOWN, DeliveryState.QUEUED]


def test_once_confirmed_thanks_go_out_again(client: FlaskClient) -> None:
    sender, ada = partner(make.listing()), {"name": "Ada", "email": "ada@example.org"}
    set_back()
    timelines.confirm(standstill.unconfirmed()[0], None, datetime.now(UTC))
    assert sender.post(client, body(donor=ada)).status_code == 200
    assert thanks() == [DeliveryState.QUEUED]


def thanks() -> list[DeliveryState]:
    rows = select(Delivery.state).where(Delivery.letter == LetterKind.THANKS).order_by(Delivery.id)
    return list(db.session.scalars(rows))
