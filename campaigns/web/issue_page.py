"""What the newsletter's public pages show of its issues: one by itself, and all of them."""

from datetime import datetime
from typing import Any

from flask import abort

from campaigns import archive
from campaigns.db import db
from campaigns.model.update import Update, UpdateKind
from campaigns.web import entries, format, language, site, update_page


def of(number: int, now: datetime) -> dict[str, Any]:
    """Everything that `public/issue.html` asks of `page`. Aborts where it is not, or no longer."""
    issues = archive.issues(now)
    issue = db.session.scalar(issues.where(Update.number == number))
    if issue is None:
        meant = Update.number == number, Update.kind == UpdateKind.ISSUE
        # Letters that lead here are out; to everybody else it was never there.
        abort(410 if archive.was_sent(*meant) else 404)
    told = archive.told([issue], language.current(), now)[0]
    shown = entries.whole(told)
    others = issues.order_by(None)
    after = others.where(Update.number > number).order_by(Update.number)
    before = others.where(Update.number < number).order_by(Update.number.desc())
    return {
        **shown,
        **site.page(told.title, "newsletter.issue", shown["excerpt"] or None, number=number),
        "kind": "article",
        "published": format.iso(told.at),
        "number": number,
        "newer": update_page.link(after, now),
        "older": update_page.link(before, now),
        "all_url": site.address("newsletter.form"),
    }


def listed(number: int, now: datetime) -> dict[str, Any]:
    """Page `number` of all issues: `issues` by their titles, and their `place` for the pager."""
    found = archive.page(archive.issues(now), number, language.current(), now)
    if found is None:
        abort(404)
    return {
        "issues": [entries.line(told) for told in found.told],
        "place": update_page.place(found, "newsletter.form") if found.last > 1 else None,
    }
