"""Every direct dependency is pinned exactly and has its line in docs/dependencies.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DIRECT = {
    "requirements.txt": "## To run",
    "requirements-dev.txt": "## To test",
    "bench/requirements.txt": "## To measure",
}


def pins(name: str) -> list[str]:
    """The lines of a requirements file up to its second paragraph, what the rest pulls in."""
    paragraph = (ROOT / name).read_text().split("\n\n")[0]
    return [line for line in paragraph.splitlines() if not line.startswith(("#", "-r"))]


def package(pin: str) -> str:
    return re.split(r"==", pin)[0]


@pytest.mark.parametrize("name", DIRECT)
def test_the_page_lists_exactly_the_direct_dependencies(name: str) -> None:
    page = (ROOT / "docs/dependencies.md").read_text()
    section = page.partition(DIRECT[name])[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert listed == [package(pin) for pin in pins(name)]


@pytest.mark.parametrize("name", DIRECT)
def test_every_requirement_is_pinned_exactly(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    loose = [line for line in lines if line and not re.match(r"#|-r |[\w.-]+(\[\w+\])?==\S+", line)]
    assert loose == []
