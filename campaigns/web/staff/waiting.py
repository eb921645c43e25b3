"""How much waits for a person, as the menu of every page says it: counted every few seconds."""

import time
from collections.abc import Sequence
from datetime import datetime

from flask import Flask, current_app

from campaigns import needs
from campaigns.model.staff import Staff
from campaigns.needs import Need

SECONDS = 5.0


class Counts:
    """Of each person the last count of this process, for so many `seconds`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._kept: dict[int, tuple[float, int]] = {}

    def of(self, staff: Staff, now: datetime) -> int:
        until, count = self._kept.get(staff.id, (0.0, 0))
        return count if time.monotonic() < until else len(self.looked_up(staff, now))

    def looked_up(self, staff: Staff, now: datetime) -> Sequence[Need]:
        """All that waits, as it is now; the count is kept."""
        found = needs.of(staff, now)
        self._kept[staff.id] = time.monotonic() + self.seconds, len(found)
        return found

    def forget(self) -> None:
        """Count anew, since somebody may have changed what waits."""
        self._kept = {}


def init_app(app: Flask) -> None:
    app.extensions["waiting"] = Counts()


def counts() -> Counts:
    found: Counts = current_app.extensions["waiting"]
    return found
