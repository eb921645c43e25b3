"""Permissions: every staff page demands one, and the table MAY decides who passes."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from campaigns.model.staff import MAY, Permission, Role
from campaigns.web.staff.door import OPEN
from tests.web.staff.conftest import Desk


def staff_rules(app: Flask) -> Iterator[Rule]:
    rules = (rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/staff"))
    return (rule for rule in rules if not rule.alias)


def demanded(app: Flask, rule: Rule) -> Permission | None:
    return getattr(app.view_functions[rule.endpoint], "permission", None)


def address(rule: Rule) -> str:
    """The rule's path with something in each of its gaps."""
    values: dict[str, object] = dict.fromkeys(rule.arguments, 1) | {"to": "cancel"}
    _, url = rule.build(values, append_unknown=False) or ("", "")
    return url


def test_every_staff_page_demands_a_permission_but_the_few_that_let_one_in(app: Flask) -> None:
    for rule in staff_rules(app):
        permission = demanded(app, rule)
        assert (permission is None) == (rule.endpoint in OPEN), rule
        assert permission is None or isinstance(permission, Permission)


def test_every_open_page_exists(app: Flask) -> None:
    assert {rule.endpoint for rule in staff_rules(app)} >= OPEN


def test_who_is_not_logged_in_sees_nothing(app: Flask, client: FlaskClient) -> None:
    for rule in staff_rules(app):
        if rule.endpoint not in OPEN and "GET" in (rule.methods or ()):
            answer = client.get(address(rule))
            assert answer.status_code == 302, rule
            assert (answer.location or "").startswith("/staff/login?next=/staff"), rule


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_what_the_table_says_and_nothing_else(
    app: Flask, desk: Callable[..., Desk], role: Role
) -> None:
    sitting = desk(role)
    for rule in staff_rules(app):
        if rule.endpoint in OPEN:
            continue
        permission = demanded(app, rule)
        visit = sitting.get if "GET" in (rule.methods or ()) else sitting.post
        refused = visit(address(rule)).status_code == 403
        assert refused == (permission not in MAY[role]), (rule, permission)


def test_somebody_who_left_reaches_nothing(desk: Callable[..., Desk]) -> None:
    sitting = desk(Role.ADMINISTRATOR)
    sitting.staff.active = False
    assert sitting.get("/staff/me").status_code == 302
