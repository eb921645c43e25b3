"""The shape of the house: who imports whom, who commits, who reads the environment."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import load
from workers import app as workers_app

ROOT = Path(__file__).resolve().parent.parent
SHARED = (
    "ledger",
    "letters",
    "suppression",
    "audit",
    "text",
    "donors",
    "posted",
    "bounds",
    "told",
    "comparison",
    "suggestions",
    "steps",
    "due",
    "verdicts",
    "places",
    "sums",
    "entering",
    "alerts",
    "pace",
    "doubts",
    "freshness",
    "almanac",
    "questions",
    "daily",
    "silences",
    "reported",
    "lags",
    "standstill",
    "vacating",
    "wordings",
    "slots",
    "pictures",
    "hours",
    "claimed_gifts",
    "domains",
    "ways",
    "drafted_words",
    "finding",
)
TOP = (
    "app",
    "cli",
    "cli_backup",
    "cli_command",
    "cli_contacts",
    "cli_figures",
    "cli_imports",
    "cli_returns",
    "cli_signing",
    "cli_transports",
    "local",
)
FOUNDATIONS = ("crypto", "money", "files")
DOORS_OUT = ("platforms", "mail", "db", "bell", "schema")

# From the top down; a module imports only from lines below its own.
LINES = (
    "wsgi",
    "top",
    "rooms",
    "door in",
    "verb",
    "proof",
    "composed",
    "telling",
    "blocks",
    "progress",
    "gifts",
    "thanks",
    "shared",
    "figures",
    "bookings",
    "model",
    "door out",
    "foundation",
    "config",
)
# Within these, modules of one kind may import each other: a package with several files.
PACKAGES = ("workers.", "campaigns.web.", "campaigns.model.", "campaigns.platforms.",
            "campaigns.mail.", "campaigns.local.", "campaigns.cli", "campaigns.files.")  # fmt: skip


@functools.cache
def modules() -> dict[str, Path]:
    files = [ROOT / "config.py", ROOT / "wsgi.py"]
    files += [*(ROOT / "campaigns").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): file
        for file in files
        if file.name != "__init__.py"
    }


def line(module: str) -> str:  # noqa: C901 - the table of design §4, row by row
    parts = module.split(".")
    if module in ("wsgi", "workers.main"):
        return "wsgi"
    if module == "config":
        return module
    if module == "workers.app" or (parts[0] == "campaigns" and parts[1] in TOP):
        return "top"
    if module == "campaigns.rooms":
        return "rooms"
    if parts[0] == "workers" or parts[1] == "web":
        return "door in"
    for names, name in (
        (("proofreading",), "proof"),
        (("composition",), "composed"),
        (("telling", "writing"), "telling"),
        (("blocks", "thanking"), "blocks"),
        (("progress", "contact_verdicts", "outside"), "progress"),
        (
            (
                "gifts",
                "notices",
                "refunds",
                "reconciliation",
                "givers",
                "rounds",
                "tagging",
                "signing",
                "digested",
                "claim_words",
            ),
            "gifts",
        ),
        (("thanks",), "thanks"),
        (SHARED, "shared"),
        (
            (
                "figures",
                "totals",
                "batches",
                "bulk",
                "stored",
                "turns",
                "twins",
                "hosts",
                "cadence",
                "rows",
                "spans",
                "conversion",
                "daysoff",
                "allowances",
                "persons",
                "duties",
                "letter_reasons",
            ),
            "figures",
        ),
        (("bookings",), "bookings"),
        (("model",), "model"),
        (DOORS_OUT, "door out"),
        (FOUNDATIONS, "foundation"),
    ):
        if parts[1] in names:
            return name
    return "verb"


@functools.cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """All of a file's tree; each file is parsed once for all tests."""
    return tuple(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def imports(file: Path) -> Iterator[str]:
    known = modules()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
        else:
            continue
        yield from (name for name in names if name in known)


def together(importer: str, imported: str) -> bool:
    """Whether both are files of one package, which may lean on each other."""
    return any(importer.startswith(name) and imported.startswith(name) for name in PACKAGES)


def calls(file: Path) -> Iterator[tuple[str, int]]:
    for node in nodes(file):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_downwards(module: str) -> None:
    upward = [
        imported
        for imported in imports(modules()[module])
        if imported != module
        and not together(module, imported)
        and LINES.index(line(imported)) <= LINES.index(line(module))
    ]
    assert not upward, f"{module} ({line(module)}) imports {upward}"


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_doors_commit(module: str) -> None:
    if line(module) in ("top", "door in"):
        return
    commits = [
        number for name, number in calls(modules()[module]) if name.endswith("session.commit")
    ]
    assert not commits, f"{module} commits in lines {commits}"


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_config_reads_the_environment(module: str) -> None:
    if module == "config":
        return
    source = modules()[module].read_text(encoding="utf-8")
    assert "os.environ" not in source
    assert "getenv" not in source


@pytest.mark.parametrize("package", sorted((ROOT / "campaigns").rglob("__init__.py")), ids=str)
def test_package_roots_export_nothing(package: Path) -> None:
    assert not package.read_text(encoding="utf-8").strip()


def test_imports_stand_at_the_top() -> None:
    for module, file in modules().items():
        inner = [
            node.lineno
            for function in nodes(file)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert not inner, f"{module} imports inside a function in lines {inner}"


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_file_is_a_drawer_for_everything(name: str) -> None:
    assert not {"utils", "helpers", "services", "manager", "common"} & set(name.split("."))


def test_every_tick_names_a_task_that_exists_and_a_queue() -> None:
    for name, (seconds, queue) in workers_app.TICKS.items():
        module, _, function = name.rpartition(".")
        source = modules()[module].read_text(encoding="utf-8")
        assert f"def {function}(" in source
        assert queue in workers_app.QUEUES
        assert seconds <= 60


def test_nothing_stands_at_the_top_level_that_the_plan_does_not_know() -> None:
    known = {
        *"campaigns workers templates static tests migrations bench docs deploy".split(),
        *"config.py wsgi.py requirements.txt requirements-dev.txt README.md README.zh.md".split(),
        *"LICENSE CHANGELOG.md Makefile pyproject.toml Dockerfile compose.yaml instance".split(),
    }
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert found <= known, found - known


def test_the_settings_load_from_nothing_but_what_is_given() -> None:
    with pytest.raises(Exception, match="DATABASE_URL"):
        load({})
