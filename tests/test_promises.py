"""docs/promises.md names tests that exist, for every promise and every fault."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/promises.md").read_text(encoding="utf-8")
ROWS = {
    row.split("|")[1].strip(): row for row in PAGE.splitlines() if re.match(r"\| (P?\d+) \|", row)
}
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# The faults of which nothing is promised yet.
LATER = {"15"}


@cache
def _functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_and_every_fault_has_its_row() -> None:
    assert list(ROWS) == [f"P{number}" for number in range(1, 11)] + list(map(str, range(1, 16)))


@pytest.mark.parametrize("name", ROWS)
def test_what_holds_it_exists_or_is_said_to_come_later(name: str) -> None:
    named = TEST.findall(ROWS[name])
    assert [test for path, test in named if test not in _functions(path)] == []
    assert named or (name in LATER and "*Later*" in ROWS[name])


def test_every_test_is_named_in_full() -> None:
    assert PAGE.count(".py::") == len(TEST.findall(PAGE))
