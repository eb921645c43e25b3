"""Sealing: every stored secret encrypted by the newest of DATA_KEYS, so that older ones may go."""

from datetime import datetime

from sqlalchemy import select

from campaigns import audit, crypto
from campaigns.db import db
from campaigns.model.endpoint import WebhookSecret
from campaigns.model.mail_hook import MailHook
from campaigns.model.sealed import Sealed
from campaigns.model.signing_key import SigningKey
from campaigns.model.transport import MailTransport
from config import settings

SEALED: tuple[type[Sealed], ...] = (WebhookSecret, MailHook, MailTransport, SigningKey)


def renew(now: datetime) -> int:
    """Seal what an older key holds with the newest; how many secrets those were.

    Once it returned 0, the older keys may be removed. Raises `crypto.Undecryptable`.
    """
    keys = settings().data_keys
    newest = keys[0][0]
    rows = [row for kind in SEALED for row in db.session.scalars(select(kind))]
    old = [row for row in rows if crypto.key_id(row.sealed) != newest]
    for row in old:
        before = crypto.key_id(row.sealed)
        row.seal(keys, row.unsealed(keys))
        audit.record("sealed anew", row, now, by=None, changes={"key": (before, newest)})
    return len(old)
