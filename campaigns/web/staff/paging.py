"""Paging by key: pages of a long table that stay the same while rows are added on top."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy import Select

from campaigns.db import db

PER_PAGE = 50


@dataclass(frozen=True)
class Page:
    """Some rows, newest first, and the addresses of the pages of newer and older ones."""

    rows: list[Any]
    newer: str | None
    older: str | None


def newest_first(
    query: Select[Any], key: Any, kept: Mapping[str, Any], *, whole: bool = False
) -> Page:
    """The page that the address asks for (?before=7 or ?after=7), which keeps the filters `kept`.

    `key` is the unique column that rows are ordered by, and `whole` says that rows are more than
    their first column. Never counts the table.
    """
    fetched = db.session.execute if whole else db.session.scalars
    before, after = _number("before"), _number("after")
    if after is not None:
        found = list(fetched(query.where(key > after).order_by(key).limit(PER_PAGE + 1)))
        rows = found[:PER_PAGE][::-1]
        more_newer, more_older = len(found) > PER_PAGE, True
    else:
        older = query.where(key < before) if before is not None else query
        found = list(fetched(older.order_by(key.desc()).limit(PER_PAGE + 1)))
        rows = found[:PER_PAGE]
        more_newer, more_older = before is not None, len(found) > PER_PAGE
    name = key.key
    return Page(
        rows=rows,
        newer=_address(kept, after=getattr(rows[0], name)) if rows and more_newer else None,
        older=_address(kept, before=getattr(rows[-1], name)) if rows and more_older else None,
    )


def in_order(query: Select[Any], key: Any, endpoint: str, kept: Mapping[str, Any]) -> Page:
    """The page that the address asks for (?from=7) of rows in the order of `key`, smallest first.

    `older` leads on and `newer` back to the first page; `endpoint` is the page's own.
    """
    first = _number("from") or 0
    found = list(db.session.scalars(query.where(key >= first).order_by(key).limit(PER_PAGE + 1)))
    filters = {name: value for name, value in kept.items() if value not in (None, "")}
    more = getattr(found[PER_PAGE], key.key) if len(found) > PER_PAGE else None
    return Page(
        rows=found[:PER_PAGE],
        newer=url_for(endpoint, **filters) if first else None,
        older=url_for(endpoint, **filters, **{"from": more}) if more is not None else None,
    )


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _address(kept: Mapping[str, Any], **place: Any) -> str:
    filters = {name: value for name, value in kept.items() if value not in (None, "")}
    return url_for(request.endpoint or "", **(request.view_args or {}), **filters, **place)
