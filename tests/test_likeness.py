"""A name alone merges nobody: it is suggested, and who knows better says so once."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import likeness, merging
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.donor import Donor
from campaigns.model.staff import Staff
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def lin(app: Flask) -> Staff:
    return make.staff()


def wangs(count: int) -> list[Donor]:
    return [make.donor(f"wang{number}@example.org", name="Wang Li") for number in range(count)]


def test_a_name_alone_merges_nobody_but_is_worth_a_look(lin: Staff) -> None:
    first, second = (
        make.donor("a@example.org", name="Wang Li"),
        make.donor("b@example.org", name=" wang li "),
    )
    make.donor("c@example.org", name="Wang Lin")
    make.donor("d@example.org", name=None)
    make.donor("e@example.org", name=" ")
    make.donor("f@example.org", name="")
    assert likeness.alike() == [(first, second)]
    assert first.merged_into is None
    merging.merge(first, second, LATER, lin)
    assert likeness.alike() == []


def test_of_each_name_the_newest_two_are_suggested() -> None:
    wang = wangs(3)
    zhao = [make.donor(f"zhao{number}@example.org", name="赵敏") for number in range(2)]
    assert likeness.alike() == [(zhao[0], zhao[1]), (wang[1], wang[2])]
    assert likeness.alike(limit=1) == [(zhao[0], zhao[1])]


def test_two_people_are_not_suggested_again_but_others_of_the_name_are(lin: Staff) -> None:
    one, two, three = wangs(3)
    likeness.tell_apart(three, two, NOON, lin)
    assert likeness.alike() == [(one, three)]
    likeness.tell_apart(one, three, NOON, lin)
    likeness.tell_apart(one, two, NOON, lin)
    assert likeness.alike() == []


def test_a_common_name_is_compared_among_its_newest() -> None:
    many = wangs(likeness.NEWEST + 5)
    assert likeness.alike() == [(many[-2], many[-1])]


def test_it_is_on_record_who_told_them_apart_and_who_took_that_back(lin: Staff) -> None:
    one, two = wangs(2)
    likeness.tell_apart(two, one, NOON, lin)
    likeness.tell_apart(one, two, LATER, lin)
    said = likeness.apart(two, one)
    assert said is not None
    assert (said.at, said.staff_id, likeness.told_apart()) == (NOON, lin.id, [said])
    likeness.suggest_again(said, LATER, lin)
    assert (likeness.apart(one, two), likeness.told_apart()) == (None, [])
    assert likeness.alike() == [(one, two)]
    records = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    assert [(record.action, record.subject_id, record.staff_id) for record in records] == [
        ("told donors apart", one.id, lin.id),
        ("suggest donors again", one.id, lin.id),
    ]


def test_who_was_merged_or_forgotten_since_is_told_apart_from_nobody(lin: Staff) -> None:
    one, two, three = wangs(3)
    likeness.tell_apart(one, two, NOON, lin)
    likeness.tell_apart(two, three, NOON, lin)
    merging.merge(one, two, LATER, lin)
    assert [(said.donor, said.other) for said in likeness.told_apart()] == [(two, three)]
    three.address = None
    db.session.flush()
    assert likeness.told_apart() == []


def test_nobody_is_told_apart_from_themselves(lin: Staff) -> None:
    (one,) = wangs(1)
    with pytest.raises(ValueError, match="itself"):
        likeness.tell_apart(one, one, NOON, lin)
