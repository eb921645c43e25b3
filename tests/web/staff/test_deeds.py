"""Every deed that is put on record can be told to whoever reads the records."""

import ast
from collections.abc import Iterator
from pathlib import Path

from campaigns.model.mailing import MailingState
from campaigns.model.report import ReportState
from campaigns.model.timeline import TimelineCause
from campaigns.web.staff.deeds import DEEDS
from tests.test_architecture import ROOT

# What is put together from the state that something went to.
MADE = (
    {f"{state} mailing" for state in MailingState}
    | {f"{state} report" for state in (ReportState.ACCEPTED, ReportState.REJECTED)}
    | {f"{cause} database" for cause in TimelineCause if cause is not TimelineCause.NEW}
)


def calls(path: Path) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.args


def recorded() -> Iterator[str]:
    """The texts that stand where a record is written, or where a function is told its action."""
    for path in (ROOT / "campaigns").rglob("*.py"):
        told = {"audit.record": 0}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                names = [argument.arg for argument in node.args.args]
                told |= {node.name: names.index("action")} if "action" in names else {}
        for name, arguments in calls(path):
            if name in told and len(arguments) > told[name]:
                action = arguments[told[name]]
                yield from (
                    part.value
                    for part in ast.walk(action)
                    if isinstance(part, ast.Constant)
                    and isinstance(part.value, str)
                    and not isinstance(action, ast.JoinedStr)
                )


def test_every_deed_has_its_words_and_no_word_is_without_a_deed() -> None:
    assert set(DEEDS) == set(recorded()) | MADE
