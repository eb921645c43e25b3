"""Time zones to choose from: six hundred, so how a page lists them is made once."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import Form, SelectField, ValidationError
from wtforms.widgets import Select


@cache
def zones() -> dict[str, str]:
    """Every time zone people would choose, by its name. Read from the system once."""
    return {name: name.replace("_", " ") for name in sorted(available_timezones()) if "/" in name}


def zone_field(label: Any, **more: Any) -> "ZoneField":
    """One of `zones`; what else there is to choose is its `choices`, above them."""
    return ZoneField(
        label, choices=[], validate_choice=False, validators=[_one_of_the_list], **more
    )


class _Zones(Select):  # type: ignore[misc]
    """A select whose own choices are followed by the zones.

    WTForms makes each option by itself: three quarters of what the page of one's own account took.
    """

    def __call__(self, field: SelectField, **look: Any) -> Markup:
        own: Markup = super().__call__(field, **look)
        end = Markup("</select>")
        return own.removesuffix(end) + _options(field.data) + end


class ZoneField(SelectField):  # type: ignore[misc]
    """The name of a time zone."""

    widget = _Zones()


def _options(chosen: str | None) -> Markup:
    if chosen not in zones():
        return _all()
    value = Markup('value="{}">').format(chosen)
    return _all().replace(value, Markup("selected ") + value, 1)


@cache
def _all() -> Markup:
    option = Markup('<option value="{}">{}</option>')
    return Markup("").join(option.format(name, label) for name, label in zones().items())


def _one_of_the_list(form: Form, field: ZoneField) -> None:
    if field.data not in zones() and field.data not in {one.value for one in field.choices}:
        raise ValidationError(_("Choose one of the list."))


# As with any list: something is always chosen.
_one_of_the_list.field_flags = {"required": True}  # type: ignore[attr-defined]
