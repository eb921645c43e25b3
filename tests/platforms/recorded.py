"""Recordings: what each platform answered or posted, and what it means, beside the bytes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from campaigns.money import Money
from campaigns.platforms import base, registry
from campaigns.platforms.base import Answer, Movement, PlatformError, Reading

HERE = Path(__file__).parent / "recordings"


class NoRecordings(AssertionError):
    """A platform or scheme came without recordings of what it must withstand."""


@dataclass(frozen=True)
class Case:
    """One recorded situation; `told` is its entry in the index, `body` its bytes."""

    name: str
    situation: str
    told: dict[str, Any]
    body: bytes
    way: str | None = None
    how: dict[str, Any] | None = None

    def __str__(self) -> str:
        return "-".join(filter(None, (self.name, self.way, self.situation)))

    @property
    def condition(self) -> type[PlatformError] | None:
        named = self.told.get("condition")
        return getattr(base, named) if named else None


def index(name: str, file: str, folder: Path = HERE) -> dict[str, Any]:
    """The index of recordings for `name`. Raises `NoRecordings` if there is none."""
    path = folder / name / file
    if not path.is_file():
        raise NoRecordings(f"{name} has no {file} in tests/platforms/recordings/{name}/.")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def cases(name: str, kind: str, demanded: set[str], folder: Path = HERE) -> list[Case]:
    """Every case in the index of that kind. Raises `NoRecordings` if one is demanded."""
    told = index(name, f"{kind}.json", folder)[kind]
    if missing := demanded - set(told):
        raise NoRecordings(f"{name} has no recording of {', '.join(sorted(missing))}.")
    return [
        Case(name, situation, entry, (folder / name / entry["file"]).read_bytes())
        for situation, entry in told.items()
    ]


def answers(
    name: str, ways: Iterable[str], demanded: set[str], folder: Path = HERE
) -> Iterator[Case]:
    """Every case of every way by which a platform is asked; the first way's stand in `answers`."""
    first, *others = ways
    told = index(name, "answers.json", folder)
    for way in (first, *others):
        found = told["answers"] if way == first else told.get("ways", {}).get(way, {})
        if missing := demanded - set(found):
            raise NoRecordings(f"{name} asked by {way} lacks {', '.join(sorted(missing))}.")
        for situation, entry in found.items():
            body = (folder / name / entry["file"]).read_bytes()
            how = entry.get("how") or told.get("how", {}).get(way)
            yield Case(name, situation, entry, body, way, how)


def read(case: Case, given: Answer | None = None) -> Reading:
    """What the case's platform makes of its answer, or of another in its place."""
    return registry.platform(case.name).read(given or answer(case), case.way, case.how)


def answer(case: Case) -> Answer:
    asked_at = datetime.fromisoformat(index(case.name, "answers.json")["asked_at"])
    return Answer(case.told.get("status", 200), case.told.get("headers", {}), case.body, asked_at)


def plain(value: Reading | Movement) -> dict[str, Any]:
    """What a reading or movement says, in the words of the index."""
    return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}


def _plain(value: object) -> object:
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, base.Giver):
        return asdict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
