"""States of letters and their reasons, in words, and which of them a list is asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

from campaigns import letterbook, recipients
from campaigns.letter_reasons import Reason
from campaigns.mail.address import Address, BadAddress
from campaigns.model.delivery import DeliveryState
from campaigns.web.staff.session import me

STATES: dict[str, Any] = {
    DeliveryState.QUEUED: _l("queued"),
    DeliveryState.SENDING: _l("sending"),
    DeliveryState.SENT: _l("sent"),
    DeliveryState.DEFERRED: _l("deferred"),
    DeliveryState.BOUNCED: _l("bounced"),
    DeliveryState.COMPLAINED: _l("complained"),
    DeliveryState.FAILED: _l("failed"),
    DeliveryState.SUPPRESSED: _l("suppressed"),
    DeliveryState.CANCELLED: _l("cancelled"),
    DeliveryState.EXPIRED: _l("expired"),
    DeliveryState.UNKNOWN: _l("unknown"),
    recipients.NO_LETTER: _l("no letter"),
}
REASONS: dict[str, Any] = {
    Reason.NO_SUCH_ADDRESS: _l("no such address"),
    Reason.FULL: _l("mailbox full"),
    Reason.POLICY: _l("sender or content refused"),
    Reason.REFUSED: _l("refused for another reason"),
    Reason.DID_NOT_ARRIVE: _l("did not arrive"),
    Reason.UNFIT: _l("could not be handed over"),
    Reason.STAFF_SAID: _l("did not arrive, as staff found out"),
    Reason.NO_CONSENT: _l("did not agree"),
    Reason.NO_ADDRESS: _l("without address"),
    Reason.MERGED: _l("counted under another name"),
    Reason.DIGEST: _l("read it in their monthly letter"),
    Reason.NOT_ACTIVE: _l("no longer works here"),
    Reason.LEFT: _l("left"),
    Reason.UNREACHABLE: _l("letters to them came back"),
    Reason.COMPLAINED: _l("called a letter spam"),
    Reason.STAFF_STOPPED: _l("stopped by staff"),
    Reason.DIED: _l("its process died"),
    Reason.SILENT: _l("the relay fell silent"),
    Reason.SET_BACK: _l("the database was set back"),
    # What `addressing` counts of whom it skips.
    "suppressed": _l("left or unreachable"),
    recipients.NoLetter.LATER: _l("agreed only afterwards"),
    recipients.NoLetter.NOT_CHOSEN: _l("not chosen for it"),
}


@dataclass(frozen=True)
class Became:
    """How many came to a state for a reason, in words beside their names."""

    state: str
    reason: str
    number: int
    state_word: str
    reason_word: str


def became(counts: Iterable[tuple[str, str | None, int]]) -> list[Became]:
    return [
        Became(str(value), why or "", number, state(value), reason(why))
        for value, why, number in counts
    ]


def state(value: str | None) -> str:
    """A state in words; empty where there is none."""
    return str(STATES.get(value or "", value)) if value else ""


def reason(value: str | None) -> str:
    """A reason in words; empty where there is none."""
    return str(REASONS.get(value or "", value)) if value else ""


def chosen(given: Mapping[str, str]) -> dict[str, str]:
    """What a form or an address chose; anything that is no choice counts as none."""
    state, reason = given.get("state", ""), given.get("reason", "")
    return {
        "state": state if state in list(DeliveryState) else "",
        "reason": reason if reason in list(Reason) else "",
        "domain": _domain(given.get("domain", "")),
        "day": _day(given.get("day", "")),
    }


def sought(
    chosen: Mapping[str, str], *, mailing_id: int | None = None, donor_id: int | None = None
) -> letterbook.Sought:
    """The letters that these choices mean; a day is one of the reader's zone."""
    begins = date.fromisoformat(chosen["day"]) if chosen["day"] else None
    return letterbook.Sought(
        mailing_id=mailing_id,
        donor_id=donor_id,
        state=DeliveryState(chosen["state"]) if chosen["state"] else None,
        reason=chosen["reason"] or None,
        domain=chosen["domain"],
        since=_midnight(begins) if begins else None,
        until=_midnight(begins + timedelta(days=1)) if begins else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(me().timezone)).astimezone(UTC)


def _domain(text: str) -> str:
    """As rows keep domains, whichever way it is written; empty where it is none."""
    try:
        return Address.parse(f"a@{text.strip().removeprefix('@')}").domain if text.strip() else ""
    except BadAddress:
        return ""


def _day(text: str) -> str:
    """Days at the ends of the calendar have no next one."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if 2000 <= day.year <= 9000 else ""
