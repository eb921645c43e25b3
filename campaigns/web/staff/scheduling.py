"""When a mailing goes out: the form that asks for it, and when its letters would leave."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, RadioField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation

from campaigns import addressing, hours, mailings, segments
from campaigns.model.mailing import Mailing, MailingState
from campaigns.web.staff.forms import Form, LocalMomentField, optional, read_moment
from campaigns.web.staff.session import me

NOW, AT, ZONES = "now", "at", "zones"


def _needed(form: Form, field: Field) -> None:
    if field.raw_data and str(field.raw_data[0]).strip():
        return
    field.errors = []
    raise StopValidation("" if form["way"].data == NOW else _("Write a date and a time."))


# Only "at once" needs none, and then nobody looks at it.
_needed.field_flags = {"required": True}  # type: ignore[attr-defined]


def _a_way(form: Form, field: Field) -> None:
    if field.data not in (NOW, AT, ZONES):
        raise ValidationError(_("Choose one of the list."))


# One is always chosen.
_a_way.field_flags = {"required": True}  # type: ignore[attr-defined]


class HourForm(Form):
    way = RadioField(
        _l("When"),
        choices=[
            SelectChoice(value=NOW, label=_l("At once")),
            SelectChoice(value=AT, label=_l("At one moment for all, in your zone")),
            SelectChoice(value=ZONES, label=_l("At this hour in each donor's own zone")),
        ],
        validate_choice=False,
        validators=[_a_way],
        default=AT,
    )
    at = LocalMomentField(_l("Send at"), validators=[_needed])
    expires = LocalMomentField(
        _l("Not later than"),
        validators=[optional()],
        description=_l("In your zone. Letters that have not left by then expire."),
    )


@dataclass(frozen=True)
class Departures:
    """How many letters leave in each hour, the first first, and how many never do."""

    hours: list[tuple[datetime, int]]
    expired: int


def form_of(mailing: Mailing, now: datetime) -> HourForm:
    """The form as the mailing stands; without an hour it suggests the next full one."""
    zone = ZoneInfo(me().timezone)
    expires = mailing.expires_at and _local(mailing.expires_at, zone)
    if mailing.state is not MailingState.SCHEDULED or mailing.scheduled_at is None:
        full = _local(now, zone).replace(minute=0, second=0, microsecond=0)
        return HourForm(formdata=None, at=full + timedelta(hours=1), expires=expires)
    if mailing.local_time is not None:
        local = datetime.fromisoformat(mailing.local_time)
        return HourForm(formdata=None, way=ZONES, at=local, expires=expires)
    return HourForm(formdata=None, at=_local(mailing.scheduled_at, zone), expires=expires)


def read(form: HourForm, mailing: Mailing, now: datetime) -> addressing.Plan | None:
    """What was asked for; None with the reason beside its field."""
    if not form.validate():
        return None
    zone, local = me().timezone, None
    expires = read_moment(form, "expires", zone) if form.expires.data else None
    begins: datetime | None = now
    if form.way.data == AT:
        begins = read_moment(form, "at", zone)
    elif form.way.data == ZONES and read_moment(form, "at", "UTC"):
        local = form.at.data.replace(second=0)
        kept = hours.ours()
        begins = min(kept.moment(local, zone) for zone in _zones(mailing, now))
    if form.errors or begins is None:
        return None
    return addressing.Plan(begins, local, expires)


def keep(plan: addressing.Plan, mailing: Mailing, now: datetime) -> None:
    """Raises what `mailings.schedule` does."""
    if plan.local is None:
        mailings.schedule(mailing, plan.begins_at, me(), now, expires_at=plan.expires_at)
        return
    zones = _zones(mailing, now)
    mailings.schedule_by_zone(mailing, plan.local, zones, me(), now, expires_at=plan.expires_at)


def planned(mailing: Mailing, now: datetime) -> Departures | None:
    """When the letters of a scheduled mailing leave; None for one that has no hour."""
    if mailing.state is not MailingState.SCHEDULED or mailing.scheduled_at is None:
        return None
    local = datetime.fromisoformat(mailing.local_time) if mailing.local_time else None
    plan = addressing.Plan(mailing.scheduled_at, local, mailing.expires_at)
    return departures(mailing, plan, now)


def wall(mailing: Mailing) -> datetime | None:
    """Its hour as every donor's clock shows it, to be written as if it were UTC."""
    if mailing.local_time is None:
        return None
    return datetime.fromisoformat(mailing.local_time).replace(tzinfo=UTC)


def departures(mailing: Mailing, plan: addressing.Plan, now: datetime) -> Departures:
    found = addressing.departures(mailing, segments.members(mailing.segment, now), plan, now)
    by_hour, zone = Counter[datetime](), ZoneInfo(me().timezone)
    for at, letters in found.items():
        if at is not None:
            by_hour[_full(at, zone)] += letters
    return Departures(sorted(by_hour.items()), found.get(None, 0))


def _zones(mailing: Mailing, now: datetime) -> set[str | None]:
    return hours.zones(segments.members(mailing.segment, now))


def _full(at: datetime, zone: ZoneInfo) -> datetime:
    """The full hour before it, as clocks there show it."""
    there = at.astimezone(zone)
    return at - timedelta(minutes=there.minute, seconds=at.second, microseconds=at.microsecond)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
