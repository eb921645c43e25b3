"""The geometry of a progress bar split by series, ready for an SVG: places in percent of its width.

Templates do no arithmetic, and the page's policy allows no inline style, so every piece of a bar
gets its place here, in hundredths of a percent of the whole length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.money import Money

_FULL = 10_000
_VISIBLE = 60  # A gift that is too small to draw still shows as a sliver.


@dataclass(frozen=True, slots=True)
class Part:
    """One platform's money, or the matched money that came through it."""

    label: str
    amount: Money
    series: int
    matched: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """One part where it stands: `x` and `width` are percent of the bar."""

    x: Decimal
    width: Decimal
    series: int
    matched: bool
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """What the macro `progress_bar` draws. `target_x` is set when more was raised than asked."""

    segments: tuple[Segment, ...]
    raised: Money
    target: Money
    target_x: Decimal | None


def split(parts: Sequence[Part], target: Money | None) -> Bar | None:
    """The bar of `parts` against `target`; None where there is no target to measure against.

    Parts at or below zero take no place. Until the target is reached the bar does not look full;
    beyond it the bar is as long as what was raised and the target is a mark on it. Raises
    `CurrencyMismatch`: what stands apart in another currency must not be among the parts.
    """
    if target is None or target.minor <= 0:
        return None
    shown = [part for part in parts if Money.zero(target.currency) < part.amount]
    raised = Money.sum((part.amount for part in parts), target.currency)
    length = max(target.minor, sum(part.amount.minor for part in shown))
    ends = _ends([part.amount.minor for part in shown], length, full=not raised < target)
    segments = tuple(
        Segment(_percent(start), _percent(end - start), part.series, part.matched, part.label)
        for part, start, end in zip(shown, [0, *ends], ends, strict=False)
    )
    over = _percent(target.minor * _FULL // length) if target < raised else None
    return Bar(segments, raised, target, over)


def _ends(amounts: Sequence[int], length: int, full: bool) -> list[int]:
    """Where each piece ends: in proportion, yet none invisible and none beyond the bar."""
    limit = _FULL if full else _FULL - _VISIBLE
    ends: list[int] = []
    total = 0
    for place, amount in enumerate(amounts, start=1):
        total += amount
        least = (ends[-1] if ends else 0) + _VISIBLE
        room = limit - (len(amounts) - place) * _VISIBLE
        ends.append(min(max(total * _FULL // length, least), room))
    return ends


def _percent(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)
