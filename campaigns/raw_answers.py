"""Raw answers: what platforms said, word by word, kept in bounds for staff to look at.

Of each listing there is its last answer that could be read, and those of its last failures.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import load_only

from campaigns import bulk
from campaigns.db import db
from campaigns.model.answer import RawAnswer
from campaigns.model.listing import Listing, PollFailure
from campaigns.platforms import charsets, fields
from campaigns.platforms.base import Answer
from campaigns.questions import Response

LARGEST_BODY = 64 * 1024  # bytes kept of an answer
MOST_FAILURES = 20  # of a listing whose answers are kept
# What helps to understand an answer; cookies and the like are nobody's business.
_HEADERS = (
    "content-type", "content-encoding", "content-length", "date", "last-modified", "etag",
    "location", "retry-after", "server", "cache-control",
)  # fmt: skip
_LONGEST_HEADER = 500
_COLUMNS = {
    "of": "bigint",
    "failure_id": "bigint",
    "at": "timestamptz",
    "url": "text",
    "status": "integer",
    "headers": "json",
    "body": "text",
    "size": "integer",
}
_ADD = """
INSERT INTO answers (listing_id, failure_id, at, url, status, headers, body, size)
SELECT of, failure_id, at, url, status, headers, decode(body, 'hex'), size FROM {given}
"""
_CHANGE = """
UPDATE answers SET at = given.at, url = given.url, status = given.status, headers = given.headers,
    body = decode(given.body, 'hex'), size = given.size
FROM {given}
WHERE answers.listing_id = given.of AND answers.failure_id IS NULL
RETURNING answers.listing_id
"""


def keep(asked: Sequence[tuple[Listing, Response]], failures: Mapping[int, PollFailure]) -> None:
    """Keep the answers of these responses; `failures` are those that came of them, by listing.

    Where there was no answer, or one that says that nothing changed, what is kept stays.
    """
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for listing, response in asked:
        answer, failure = response.answer, failures.get(listing.id)
        if answer is None or (failure is None and answer.not_modified):
            continue
        row = {"of": listing.id, "failure_id": failure and failure.id, **_row(answer)}
        (bad if failure else good).append(row)
    _replace(good)
    if bad:
        bulk.execute(_ADD, _COLUMNS, bad)
        _forget_old({row["of"] for row in bad})


def last(listing_id: int) -> RawAnswer | None:
    """The last answer that could be read."""
    return db.session.scalar(
        select(RawAnswer)
        .where(RawAnswer.listing_id == listing_id, RawAnswer.failure_id.is_(None))
        .order_by(RawAnswer.at.desc(), RawAnswer.id.desc())
        .limit(1)
    )


def of_failures(failure_ids: Iterable[int]) -> dict[int, RawAnswer]:
    """The answers of these failures by the failures' ids, without their bodies."""
    rows = select(RawAnswer).where(RawAnswer.failure_id.in_(list(failure_ids)))
    rows = rows.options(load_only(RawAnswer.failure_id, RawAnswer.status, RawAnswer.size))
    return {row.failure_id: row for row in db.session.scalars(rows) if row.failure_id is not None}


def text(answer: RawAnswer) -> tuple[str, str]:
    """The body for people to read, and the charset it was taken to be in.

    Control characters and marks that turn the direction of text are left out. It is text, whatever
    it was meant to be: nobody may render it.
    """
    cut = answer.size > len(answer.body)
    whole, charset = charsets.decoded(answer.body, answer.headers, cut=cut)
    return fields.clean(whole), charset


def _row(answer: Answer) -> dict[str, Any]:
    headers = answer.headers
    return {
        "at": answer.asked_at,
        "url": answer.url[:2048],
        "status": answer.status,
        "headers": {name: headers[name][:_LONGEST_HEADER] for name in _HEADERS if name in headers},
        "body": answer.body[:LARGEST_BODY].hex(),
        "size": len(answer.body),
    }


def _replace(rows: list[dict[str, Any]]) -> None:
    """Each listing's last answer takes the place of the one before."""
    if not rows:
        return
    changed = {row.listing_id for row in bulk.execute(_CHANGE, _COLUMNS, rows)}
    if new := [row for row in rows if row["of"] not in changed]:
        bulk.execute(_ADD, _COLUMNS, new)


def _forget_old(listing_ids: set[int]) -> None:
    newest_first = func.row_number().over(
        partition_by=RawAnswer.listing_id, order_by=(RawAnswer.at.desc(), RawAnswer.id.desc())
    )
    of_theirs = RawAnswer.listing_id.in_(listing_ids), RawAnswer.failure_id.is_not(None)
    ranked = select(RawAnswer.id, newest_first.label("place")).where(*of_theirs).subquery()
    old = select(ranked.c.id).where(ranked.c.place > MOST_FAILURES)
    db.session.execute(
        delete(RawAnswer).where(RawAnswer.id.in_(old)).execution_options(synchronize_session=False)
    )
