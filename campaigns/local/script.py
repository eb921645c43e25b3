"""What the demo's stand-ins play: growing totals, invented givers, and where they left off."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from campaigns.money import Money

NAME = "demo-stand-in.json"
_GIVERS = (
    ("陈立", "zh-Hans", "加油！"),
    ("Maria", "en", "For the evenings."),
    ("周敏", "zh-Hans", None),
    ("Wei", "en", None),
    ("林小鹿", "zh-Hans", "给靠窗的孩子"),
    ("何叔", "zh-Hans", None),
    ("Hannah", "en", "Good luck with the desks."),
)
# Pages that nobody asks: where they stand, and what they had raised, in fen, when the demo began.
BY_HAND = {"/weigongyi/after-school": 1_286_000, "/lianquan/after-school": 742_500}
_AMOUNTS = ("10.00", "50.00", "5.20", "200.00", "66.00", "100.00", "18.88", "30.00", "520.00")


@dataclass(frozen=True)
class Directions:
    """What the demo settled when it was loaded; `secret` signs the stand-in's donations."""

    address: str
    title: str
    tencent_id: str
    alipay_id: str
    endpoint: str
    secret: str
    campaign_ref: str
    started: float
    tencent_raised: int
    tencent_donations: int
    alipay_raised: int
    alipay_donors: int
    foundation_raised: int
    foundation_donations: int


class Script:
    """The totals at any moment. They grow with the clock and never fall, also over a restart."""

    def __init__(self, directions: Directions, given: int = 0) -> None:
        self.directions = directions
        self.given = given

    @classmethod
    def read(cls, instance: Path) -> Self:
        """Raises `FileNotFoundError` where no demo was loaded."""
        kept = json.loads((instance / NAME).read_text(encoding="utf-8"))
        return cls(Directions(**kept["directions"]), kept["given"])

    def write(self, instance: Path) -> None:
        """Replace the file in one step, readable by its owner only: it holds a secret."""
        fresh = instance / f"{NAME}.new"
        fresh.touch(mode=0o600)
        fresh.write_text(
            json.dumps({"directions": asdict(self.directions), "given": self.given}),
            encoding="utf-8",
        )
        fresh.replace(instance / NAME)

    def tencent(self, now: float, project: str) -> tuple[Money, int]:
        """A gift about every eleven seconds; a project that the demo did not list begins anew."""
        gifts = self._since(now, 11)
        if project != self.directions.tencent_id:
            return Money(_sum(gifts + 1), "CNY"), gifts + 1
        raised = self.directions.tencent_raised + _sum(gifts)
        return Money(raised, "CNY"), self.directions.tencent_donations + gifts

    def alipay(self, now: float, item: str) -> tuple[Money, int]:
        """A gift about every seventeen seconds; an item that the demo did not list begins anew."""
        gifts = self._since(now, 17)
        if item != self.directions.alipay_id:
            return Money(_sum(gifts + 1), "CNY"), gifts + 1
        raised = self.directions.alipay_raised + _sum(gifts)
        return Money(raised, "CNY"), self.directions.alipay_donors + gifts

    def foundation(self) -> tuple[Money, int]:
        """What the foundation posted, and what it had before."""
        raised = self.directions.foundation_raised + _sum(self.given)
        return Money(raised, "CNY"), self.directions.foundation_donations + self.given

    def by_hand(self, now: float, path: str) -> Money | None:
        """What a page says that staff read themselves; None of any other page."""
        if path not in BY_HAND:
            return None
        return Money(BY_HAND[path] + _sum(self._since(now, 600)), "CNY")

    def donation(self, number: int) -> dict[str, Any]:
        """The webhook's body for the foundation's gift of that number; the same every time."""
        name, locale, message = _GIVERS[number % len(_GIVERS)]
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return {
            "type": "donation.succeeded",
            "timestamp": moment,
            "data": {
                "external_id": f"DEMO-{number:06d}",
                "campaign_ref": self.directions.campaign_ref,
                "amount": _AMOUNTS[number % len(_AMOUNTS)],
                "currency": "CNY",
                "donor": {
                    "name": name,
                    "email": f"giver{number % 40}@example.org" if number % 3 else None,
                    "locale": locale,
                    "public_name": number % 2 == 0,
                    "updates": number % 3 == 1,
                },
                "message": message,
            },
        }

    def _since(self, now: float, every: int) -> int:
        return max(0, int((now - self.directions.started) // every))


def _sum(gifts: int) -> int:
    """The first `gifts` amounts, in fen; the list of amounts repeats."""
    fen = [Money.of(amount, "CNY").minor for amount in _AMOUNTS]
    rounds, rest = divmod(gifts, len(fen))
    # Gift 1 has the second amount of the list, as in `Script.donation`.
    return rounds * sum(fen) + sum((fen[1:] + fen[:1])[:rest])
