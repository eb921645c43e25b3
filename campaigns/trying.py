"""Trying out: a letter as it would be, to oneself."""

from datetime import datetime, timedelta

from campaigns import letters
from campaigns.model.consent import Purpose
from campaigns.model.delivery import LetterKind
from campaigns.model.staff import Staff
from campaigns.model.update import Update

_LASTS = timedelta(hours=1)


def send(update: Update, by: Staff, now: datetime) -> int:
    """Queue a letter of each language that is written, to `by` alone; how many there are.

    The second time within the same second does nothing.
    """
    locales = [one.locale for one in update.texts if one.title.strip() and one.body.strip()]
    for locale in locales:
        letters.queue(
            LetterKind.TEST,
            to=by,
            purpose=Purpose.SERVICE,
            occasion=f"test:{update.id}:{locale}:{now:%Y%m%d%H%M%S}",
            locale=locale,
            now=now,
            campaign_id=update.campaign_id,
            expires_at=now + _LASTS,
        )
    return len(locales)
