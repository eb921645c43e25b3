"""Reasons that staff read are sentences of the catalogue: whoever gives one has marked it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.platforms.base import PlatformError, Unreadable, detailed
from tests.test_architecture import ROOT

# Mail has reasons of its own; those of staff pages are said in the reader's language at once.
FOLDERS = ("campaigns", "campaigns/platforms", "campaigns/web")
IMPORTS = {"stored.py"}  # theirs are errors of files
KEPT = {"Unmatched", "Returned", "Differs", "Alike", "Forgotten", "NotConnected"}


def _family(error: type[Exception]) -> Iterator[str]:
    yield error.__name__
    for kind in error.__subclasses__():
        yield from _family(kind)


def _given(tree: ast.AST) -> Iterator[ast.expr]:
    """Each reason that an error, a refused field or an outcome is given."""
    errors = {*_family(PlatformError), *KEPT, "self._error"}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = ast.unparse(call.func)
        name = named if named == "self._error" else named.rpartition(".")[2].lstrip("_")
        if (name in errors or named == "error") and call.args:
            yield call.args[0]
        elif name in ("refuse", "BadKeys", "Outcome") and len(call.args) > 1:
            yield call.args[1]


def _is_marked(reason: ast.expr) -> bool:
    """Marked where it stands, a name of one that is, or words that another error had marked."""
    if isinstance(reason, ast.Call):
        called = getattr(reason.func, "id", "")
        return called in ("N_", "str") or called == "detailed" and _is_marked(reason.args[0])
    return isinstance(reason, ast.Name | ast.Attribute | ast.BoolOp)


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).glob("*.py"))
        if path.name not in IMPORTS
    ],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_every_reason_is_a_sentence_of_the_catalogue(path: Path) -> None:
    bare = [one for one in _given(ast.parse(path.read_text())) if not _is_marked(one)]
    assert not [f"{one.lineno}: {ast.unparse(one)}" for one in bare]


def test_details_stand_behind_the_sentence() -> None:
    assert detailed("The page is not there", 404) == "The page is not there: 404"
    assert str(Unreadable("The answer is empty.")) == "The answer is empty."
