"""Entries are found by an index that leads to few, on SQLite too, which keeps no statistics."""

import pytest
from flask import Flask

from campaigns import matching, sums
from tests.plans import plans


@pytest.fixture(autouse=True)
def _sqlite(app: Flask, dialect: str) -> None:
    if dialect != "sqlite":
        pytest.skip("PostgreSQL keeps statistics, and takes no index for a handful of rows")


@pytest.mark.parametrize("reversals", [False, True])
def test_what_an_import_books_is_summed_by_its_rows(reversals: bool) -> None:
    with plans("FROM entries") as steps:
        sums.of_entries(7, reversals=reversals)
    assert "uq_entries_import_row (import_id=?" in steps[0]
    assert not [step for step in steps if step.startswith("SCAN")]


def test_matches_are_found_by_their_own_index() -> None:
    with plans("FROM entries") as steps:
        matching.standing()
    assert "USING INDEX ix_entries_matches" in steps[0]
