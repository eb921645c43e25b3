"""The promise: how often a campaign said it would report, and how well it kept to that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Promise:
    """`kept` of `due` reports came within `every` days of the one before, or of the beginning.

    One that is overdue now counts as due; then `late` is true.
    """

    every: int
    last: datetime | None
    kept: int
    due: int
    late: bool


def kept(every: int, began: datetime, reports: Sequence[datetime], until: datetime) -> Promise:
    """How a promise made at `began` stands at `until` (now, or when the campaign ended).

    `reports` are the moments of the reports, oldest first.
    """
    longest = timedelta(days=every)
    waits = [later - earlier for earlier, later in zip((began, *reports), reports, strict=False)]
    on_time = sum(wait <= longest for wait in waits)
    late = until - (reports[-1] if reports else began) > longest
    return Promise(every, reports[-1] if reports else None, on_time, len(waits) + late, late)
