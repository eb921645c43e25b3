"""Organisation, colleagues, records, outbox, health: what administrators look after."""

from collections.abc import Callable
from pathlib import Path

import pytest

from campaigns import accounts
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Role, Staff
from config import settings
from tests import make
from tests.web.staff.conftest import Desk

ORGANISATION = {
    "name_zh": "协作者",
    "name_en": "Facilitators",
    "default_locale": "zh-Hans",
    "timezone": "Asia/Shanghai",
    "country": "cn",
    "sender": "Facilitators <updates@example.org>",
    "contact": "hi@example.org",
    "soft_limit": "3",
    "soft_days": "30",
    "quiet_from": "21:00",
    "quiet_until": "08:00",
    "quiet_days": "holidays",
    "thanks": "at_once",
    "thanks_at": "18:00",
    "thanks_from": "0",
    "thanks_currency": "CNY",
}
LETTER = b"""Subject: =?utf-8?b?5L2g5aW9?=\r\nTo: ada@example.org\r\nMIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r
Hello Ada\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>Hello</b><script>alert(1)</script>\r\n--b--\r
"""


@pytest.fixture
def administrator(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.ADMINISTRATOR)


@pytest.fixture
def outbox(app: object) -> Path:
    folder = settings().instance_dir / "outbox"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    return folder


def test_the_organisation_is_made_by_its_first_settings(administrator: Desk) -> None:
    assert administrator.post("/staff/organisation", **ORGANISATION).status_code == 302
    row = db.session.query(Organisation).one()
    assert (row.ours, row.country, row.sender) == (True, "CN", ORGANISATION["sender"])
    administrator.post("/staff/organisation", **ORGANISATION)
    assert db.session.query(AuditRecord).filter_by(action="change organisation").count() == 1


def test_when_nobody_is_written_to_is_a_setting(administrator: Desk) -> None:
    decided = {"quiet_from": "20:30", "quiet_until": "00:00", "quiet_days": "days_off"}
    administrator.post("/staff/organisation", **ORGANISATION | decided)
    row = db.session.query(Organisation).one()
    assert (row.quiet_from, row.quiet_until, row.quiet_days) == (20 * 60 + 30, 0, "days_off")
    page = administrator.get("/staff/organisation").text
    assert 'value="20:30"' in page
    assert 'value="00:00"' in page
    assert '<option selected value="days_off">' in page


def test_how_gifts_are_thanked_for_is_a_setting(administrator: Desk) -> None:
    decided = {
        "thanks": "gathered",
        "thanks_at": "19:30",
        "thanks_from": "5",
        "thanks_currency": "usd",
    }
    administrator.post("/staff/organisation", **ORGANISATION | decided)
    row = db.session.query(Organisation).one()
    assert (row.thanks, row.thanks_at) == ("gathered", 19 * 60 + 30)
    assert (row.thanks_from_minor, row.thanks_currency) == (500, "USD")
    page = administrator.get("/staff/organisation").text
    assert '<option selected value="gathered">' in page
    assert 'value="5.00"' in page


def test_no_record_holds_an_address(administrator: Desk) -> None:
    administrator.post("/staff/organisation", **ORGANISATION)
    administrator.post("/staff/people", email="new@example.org", roles=["editor"])
    assert db.session.query(AuditRecord).count() > 1
    assert not any("@" in str(record.changes) for record in db.session.query(AuditRecord))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sender", "nobody"),
        ("sender", "A\r\nBcc: b@example.org <a@example.org>"),
        ("contact", "x@"),
        ("website", "javascript:alert(1)"),
        ("timezone", "Asia/Peking"),
        ("country", "China"),
        ("country", "XX"),
        ("quiet_from", "9 pm"),
        ("quiet_until", ""),
        ("quiet_days", "mondays"),
        ("default_locale", "fr"),
        ("thanks", "twice"),
        ("thanks_at", "six"),
        ("thanks_from", "-1"),
        ("thanks_from", "0.001"),
        ("thanks_currency", "XYZ"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(administrator: Desk, field: str, value: str) -> None:
    answer = administrator.post("/staff/organisation", **ORGANISATION | {field: value})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert db.session.query(Organisation).count() == 0


def test_a_partner_can_be_chosen_on_a_campaign(administrator: Desk) -> None:
    administrator.post("/staff/organisation/partners", name_en="United Foundation", name_zh="")
    assert "United Foundation" in administrator.get("/staff/campaigns/new").text


def test_a_colleague_is_added_and_gets_a_link_by_letter(administrator: Desk) -> None:
    administrator.post("/staff/people", email="New@Example.org", roles=["editor", "approver"])
    new = db.session.query(Staff).filter_by(email="new@example.org").one()
    assert {held.role for held in new.roles} == {Role.EDITOR, Role.APPROVER}
    assert db.session.query(Delivery).one().letter is LetterKind.RESET
    again = administrator.post("/staff/people", email="new@example.org", roles=["editor"])
    assert again.status_code == 400


@pytest.mark.parametrize("roles", [[], ["owner"]])
def test_a_colleague_needs_a_role_that_there_is(administrator: Desk, roles: list[str]) -> None:
    answer = administrator.post("/staff/people", email="new@example.org", roles=roles)
    assert answer.status_code == 400
    assert db.session.query(Staff).count() == 1


def test_a_colleague_who_left_is_logged_out(administrator: Desk, desk: Callable[..., Desk]) -> None:
    leaving = desk(Role.EDITOR)
    administrator.post(f"/staff/people/{leaving.staff.id}", roles=["editor"])
    assert leaving.get("/staff").status_code == 302
    leaving.staff.active = True
    assert leaving.get("/staff").status_code == 302


def test_the_last_administrator_stays(administrator: Desk) -> None:
    path = f"/staff/people/{administrator.staff.id}"
    assert administrator.post(path, roles=["editor"], active="y").status_code == 400
    assert administrator.post(path, roles=["administrator"]).status_code == 400
    assert administrator.get("/staff/people").status_code == 200
    assert accounts.administrators() == 1


def test_what_was_changed_is_listed_with_who_did_it(administrator: Desk) -> None:
    administrator.post("/staff/organisation", **ORGANISATION)
    page = administrator.get("/staff/records").text
    assert "changed the organisation" in page
    assert "Lin" in page


def test_letters_of_the_outbox_can_be_read_and_run_nothing(
    administrator: Desk, outbox: Path
) -> None:
    (outbox / "1.eml").write_bytes(LETTER)
    assert "你好" in administrator.get("/staff/outbox").text
    assert "Hello Ada" in administrator.get("/staff/outbox/1.eml").text
    html = administrator.get("/staff/outbox/1.eml/html")
    assert html.headers["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize("name", ["..%2fsecret.eml", "%2e%2e", "x.txt", "none.eml", "link.eml"])
def test_nothing_but_letters_is_read(administrator: Desk, outbox: Path, name: str) -> None:
    (outbox.parent / "secret.eml").write_bytes(b"secret")
    (outbox / "link.eml").symlink_to(outbox.parent / "secret.eml")
    answer = administrator.get(f"/staff/outbox/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_health_is_shown_while_parts_ail(administrator: Desk) -> None:
    answer = administrator.get("/staff/health")
    assert answer.status_code == 200
    assert "What the doctor found" in answer.text


def test_an_endpoints_secret_is_shown_once(administrator: Desk) -> None:
    campaign = make.campaign()
    made = administrator.post(
        "/staff/webhooks", name="United", scheme="standard", bounds=f"campaign-{campaign.id}"
    )
    assert "whsec_" in made.text
    assert "http://localhost/webhooks/united" in made.text
    assert "whsec_" not in administrator.get("/staff/webhooks").text


@pytest.mark.parametrize(
    ("field", "value"), [("name", "-"), ("secret", "whsec_short"), ("bounds", "campaign-999")]
)
def test_an_endpoint_that_cannot_be_is_refused(administrator: Desk, field: str, value: str) -> None:
    fields = {"name": "united", "scheme": "standard", "bounds": f"campaign-{make.campaign().id}"}
    answer = administrator.post("/staff/webhooks", **fields | {field: value})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text


def test_an_endpoint_is_rotated_paused_and_resumed(administrator: Desk) -> None:
    campaign = make.campaign()
    fields = {"name": "united", "scheme": "standard", "bounds": f"campaign-{campaign.id}"}
    administrator.post("/staff/webhooks", **fields)
    path = f"/staff/webhooks/{db.session.query(WebhookEndpoint).one().id}"
    assert "whsec_" in administrator.post(f"{path}/rotate").text
    administrator.post(f"{path}/pause")
    assert "paused" in administrator.get("/staff/webhooks").text
    administrator.post(f"{path}/resume")
    assert "takes posts again" in administrator.get("/staff/webhooks").text


def test_the_pieces_are_shown_in_all_their_states(desk: Callable[..., Desk]) -> None:
    assert desk(Role.EDITOR).get("/staff/design").status_code == 200


def test_ones_own_language_and_zone_count_from_the_next_page(desk: Callable[..., Desk]) -> None:
    who = desk(Role.EDITOR)
    who.post("/staff/me", name="小文", locale="zh-Hans", timezone="Europe/Berlin")
    assert "现在需要你处理的" in who.get("/staff").text
    assert who.staff.timezone == "Europe/Berlin"
    assert who.post("/staff/me", name="", locale="fr", timezone="Mars/Base").status_code == 400
