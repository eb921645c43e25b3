"""Findings: what one look of the doctor at a part of the service found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. `remedy` says what to do where it is not well; a warning may wait."""

    part: str
    seen: str
    remedy: str = ""
    warning: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.remedy) and not self.warning


Look = Callable[[datetime], Iterator[Finding]]
