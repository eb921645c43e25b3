"""Who matches what donors give (配捐), and whether it has arrived, by listing."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import case, exists, func, literal_column, select
from sqlalchemy.orm import aliased

from campaigns.db import db
from campaigns.model.entry import Entry, EntryKind, MatchStage
from campaigns.model.gift import Gift, Moderation
from campaigns.model.imported import stands
from campaigns.progress import Progress

# So many are named for each listing; beyond them the page says that there are others.
MOST_NAMES = 3
COUNTED = (MatchStage.CONFIRMED, MatchStage.RECEIVED)


@dataclass
class Match:
    """The matches of a listing that count: who is named, who gave most first; whether there are
    others; and whether all has come."""

    names: list[str] = field(default_factory=list)
    unnamed: bool = False
    received: bool = True

    @property
    def more(self) -> bool:
        """Whether the first `MOST_NAMES` are not all."""
        return self.unnamed or len(self.names) > MOST_NAMES


def of(found: Progress) -> dict[int, Match]:
    """By listing; those that booked no match of their own stand for received and name nobody.

    Nobody is asked where nothing is matched. What was taken back counts no more, nor what was
    booked anew at a later stage.
    """
    matches: defaultdict[int, Match] = defaultdict(Match)
    if any(figure.matched.minor for figure in found.listings):
        for listing_id, name, awaited in _rows(found.campaign.id):
            match = matches[listing_id]
            match.received &= not awaited
            if name is None:
                match.unnamed = True
            else:
                match.names.append(name)
    return matches


def _rows(campaign_id: int) -> Iterable[tuple[int, str | None, int]]:
    """Of each listing and name: whether something is still to come; the largest sum first."""
    reversal = aliased(Entry)
    may_be_named = Gift.show_name & (Gift.moderation != Moderation.HIDDEN)
    name = case((may_be_named, func.nullif(Gift.public_name, "")), else_=None)
    awaited = func.max(case((Entry.stage == MatchStage.CONFIRMED, 1), else_=0))
    # Written out, since an index holds just the matches: a parameter would not lead to it, and
    # SQLite would rather look up the millions that reverse nothing.
    is_match = Entry.kind == literal_column(f"'{EntryKind.MATCH}'")
    reverses_nothing = func.coalesce(Entry.reverses, 0) == 0
    query = (
        select(Entry.listing_id, name.label("name"), awaited)
        .outerjoin(Gift, Gift.entry_id == Entry.id)
        .where(Entry.campaign_id == campaign_id, is_match, Entry.stage.in_(COUNTED))
        .where(reverses_nothing, ~exists().where(reversal.reverses == Entry.id), stands())
        .where(Entry.listing_id.is_not(None))
        .group_by(Entry.listing_id, name)
        .order_by(func.sum(Entry.amount_minor).desc(), name)
    )
    return [(row[0], row[1], row[2]) for row in db.session.execute(query)]
