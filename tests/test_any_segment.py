"""Whatever somebody asks for, the statement means whom one finds person by person."""

from random import Random

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import select

from campaigns import segments
from campaigns.db import db
from campaigns.model.donor import Donor
from campaigns.model.segment import Definition
from tests.make import NOON
from tests.people import World, definition, people, plainly, world

DEFINITIONS = 6  # of each set of people


@pytest.fixture
def place(app: Flask) -> World:
    return world()


@hypothesis.settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(seed=st.integers(0, 2**32))
def test_the_statement_means_whom_one_finds_person_by_person(place: World, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - it makes examples, no secrets
    with db.session.begin_nested() as savepoint:
        known = people(random, place)
        for _ in range(DEFINITIONS):
            asked = definition(random, place)
            assert Definition.read(asked.stored()) == asked
            meant = segments.members(asked.stored(), NOON)
            ids = db.session.scalars(select(Donor.id).where(Donor.id.in_(meant))).all()
            assert (set(ids), len(ids)) == (plainly(asked, known), len(set(ids))), asked
        savepoint.rollback()
