"""Fault row 10: a name server changes its mind, and the system's own resolver believes it."""

from pathlib import Path

import pytest

from tests.platforms.names import NoWorld, told


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    try:
        return told(Path(tmp_path_factory.mktemp("world")))
    except NoWorld:
        pytest.skip("this machine allows no namespace of one's own")


@pytest.mark.parametrize(
    ("name", "outcomes", "asked"),
    [
        ("stays public", ["public"], [1, 1, 0]),
        # Asked once: the address that was checked is the one connected to.
        ("turns private behind the check", ["public"], [1, 1, 0]),
        ("turns private before the next question", ["public", "ForbiddenAddress"], [2, 1, 0]),
        ("is both", ["ForbiddenAddress"], [1, 0, 0]),
        ("turns private behind a redirect", ["ForbiddenAddress"], [2, 1, 0]),
    ],
)
def test_no_name_leads_to_a_private_address(
    seen: dict[str, object], name: str, outcomes: list[str], asked: list[int]
) -> None:
    """`asked` is how often the name server, the public and the private server were."""
    assert seen[name] == {"outcomes": outcomes, "asked": asked}
