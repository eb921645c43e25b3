"""Tags and places: what staff keep beside a donor to select them by."""

import pytest
from flask import Flask

from campaigns import tagging
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.donor import Donor
from campaigns.model.staff import Role, Staff
from tests import make
from tests.make import NOON


@pytest.fixture
def lin(app: Flask) -> Staff:
    return make.staff(None, Role.TREASURER)


@pytest.fixture
def ada(app: Flask) -> Donor:
    return make.donor("ada@example.org")


def test_tags_are_read_without_capitals_once_each_and_in_any_commas() -> None:
    assert tagging.read(" Volunteer，志愿者、volunteer;\nＢoard  2026,, ") == (
        "board 2026",
        "volunteer",
        "志愿者",
    )


@pytest.mark.parametrize("text", ["x" * 41, ",".join(str(number) for number in range(31))])
def test_what_is_too_much_for_a_tag_is_refused(app: Flask, text: str) -> None:
    with pytest.raises(tagging.BadTag):
        tagging.read(text)


def test_what_is_kept_replaces_what_was(ada: Donor, lin: Staff) -> None:
    tagging.describe(ada, "广东 深圳", ("board", "press"), lin, NOON)
    tagging.describe(ada, None, ("press", "vip"), lin, NOON)
    assert (tagging.place(ada), tagging.of(ada)) == (None, ("press", "vip"))
    assert tagging.known() == ["press", "vip"]


def test_the_record_says_that_it_changed_and_not_to_what(ada: Donor, lin: Staff) -> None:
    for _ in range(2):
        tagging.describe(ada, "深圳", ("press",), lin, NOON)
    (record,) = db.session.query(AuditRecord).filter_by(action="described donor")
    assert record.changes == {"place": ["changed"], "tags": ["changed"]}


def test_a_merged_row_speaks_for_the_person_until_staff_say_otherwise(
    ada: Donor, lin: Staff
) -> None:
    old = make.donor("ada@old.example")
    tagging.describe(old, "深圳", ("press",), lin, NOON)
    old.merged_into = ada.id
    assert (tagging.place(ada), tagging.of(ada)) == ("深圳", ("press",))
    tagging.describe(ada, "北京", ("board",), lin, NOON)
    assert (tagging.place(ada), tagging.of(ada)) == ("北京", ("board",))
    assert tagging.of(old) == ("board",)
