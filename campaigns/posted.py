"""A notice, its entry and its total in one statement: the way of almost every webhook.

PostgreSQL only, which can insert into several tables at once; SQLite has no round trips to save.
Whatever is not plain, a notice that came before, no listing or several, is left untouched here and
goes the careful way.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from campaigns.db import db, dumps

_ENTER = text("""
WITH place AS (
    SELECT id, campaign_id FROM listings
    WHERE (id = :listing_id OR (campaign_id = :campaign_id AND platform <> 'offline'))
      AND (CAST(:ref AS text) IS NULL OR external_id = :ref OR EXISTS (
        SELECT FROM campaign_slugs
        WHERE slug = :ref AND campaign_slugs.campaign_id = listings.campaign_id))
), today AS (
    SELECT CAST(CAST(:occurred_at AS timestamptz) AT TIME ZONE coalesce(
        (SELECT timezone FROM organisations WHERE ours), :zone) AS date) AS day
), notice AS (
    INSERT INTO notices
        (endpoint_id, event_id, body_hash, headers, received_at, verdict, reason, tries)
    SELECT :endpoint_id, :event_id, :body_hash, CAST(:headers AS json), :now, 'booked', :reason, 0
    WHERE (SELECT count(*) FROM place) = 1
    ON CONFLICT DO NOTHING RETURNING id
), body AS (
    INSERT INTO notice_bodies (notice_id, content) SELECT id, :body FROM notice
), entry AS (
    INSERT INTO entries
        (kind, stage, amount, currency, donations, campaign_id, listing_id, source, occurred_at,
         day, booked_at, door, notice_id)
    SELECT :kind, :stage, :amount, :currency, :donations, place.campaign_id, place.id, :source,
        :occurred_at, today.day, :now, 'webhook', notice.id
    FROM notice, place, today RETURNING id, listing_id, campaign_id, day
), numbers AS (
    INSERT INTO entry_keys (source, scheme, value, entry_id)
    SELECT :source, scheme, value, entry.id
    FROM entry, unnest(CAST(:schemes AS text[]), CAST(:values AS text[])) AS key (scheme, value)
), total AS (
    INSERT INTO totals (listing_id, day, kind, currency, slot, amount, donations, entries)
    SELECT listing_id, day, :kind, :currency, :slot, :amount, :donations, 1 FROM entry
    ON CONFLICT (listing_id, day, kind, currency, slot) DO UPDATE SET
        amount = totals.amount + excluded.amount,
        donations = totals.donations + excluded.donations,
        entries = totals.entries + excluded.entries
)
SELECT entry.id, listing_id, campaign_id FROM entry
""")


@dataclass(frozen=True)
class Post:
    """One verified post of one movement, in the words of the tables.

    `listing_id` or `campaign_id` are the endpoint's bounds, `ref` is what names the listing;
    `zone` gives the day where the organisation has none.
    """

    endpoint_id: int
    listing_id: int | None
    campaign_id: int | None
    ref: str | None
    event_id: str
    body: bytes
    body_hash: str
    headers: dict[str, str]
    now: datetime
    reason: str
    kind: str
    stage: str | None
    amount: int
    currency: str
    donations: int
    source: str
    occurred_at: datetime
    schemes: list[str]
    values: list[str]
    slot: int
    zone: str


@dataclass(frozen=True)
class Entered:
    """The entry, and where it belongs."""

    entry_id: int
    listing_id: int
    campaign_id: int


def enter(post: Post) -> Entered | None:
    """Keep the notice and book its movement; None if that takes more thought: nothing was done.

    Raises `IntegrityError` where one of the movement's numbers is in the ledger already: the
    transaction is over then, and the careful way begins another.
    """
    if db.engine.dialect.name != "postgresql":
        return None
    row = db.session.execute(_ENTER, vars(post) | {"headers": dumps(post.headers)}).first()
    return None if row is None else Entered(*row)
