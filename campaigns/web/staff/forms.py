"""Forms of staff pages: fields that read what people type, and say what to change."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from campaigns.money import BadMoney, Money, decimals

LANGUAGES = {"zh-Hans": "中文", "en": "English"}


class Form(FlaskForm):  # type: ignore[misc]
    """A form of a staff page. The guard in door.py has checked its token before any view."""

    def refuse(self, field: str, reason: str) -> None:
        """Put a verb's refusal beside the field it is about."""
        self[field].errors = [*self[field].errors, reason]


class AmountField(StringField):  # type: ignore[misc]
    """An amount of money as people type it: "1,000.50"; `money` reads it in a currency."""

    def money(self, currency: str) -> Money | None:
        """None if nothing was typed. Raises `ValidationError` with what to change."""
        text = plain_number(self.data)
        if not text:
            return None
        try:
            return Money.of(text, currency)
        except BadMoney as error:
            raise ValidationError(_bad_amount(currency)) from error


class LocalMomentField(DateTimeLocalField):  # type: ignore[misc]
    """A date and time of day in a zone; `moment` gives the aware one."""

    def __init__(self, label: Any = None, **more: Any) -> None:
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]
        super().__init__(label, format=formats, **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Write a date and a time, such as 2026-11-22 14:05.")) from error

    def moment(self, zone: str) -> datetime:
        """Raises `ValidationError` for a time of day that the zone's clocks skip."""
        local = self.data.replace(tzinfo=ZoneInfo(zone))
        found: datetime = local.astimezone(UTC)
        if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != self.data:
            raise ValidationError(_("Clocks skip this hour on that day. Choose another."))
        return found


class MultiCheckboxField(SelectMultipleField):  # type: ignore[misc]
    """Several of a few choices."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def required(sentence: Any) -> InputRequired:
    """The field must be filled in; the sentence says what to write."""
    return InputRequired(sentence)


def longest(characters: int) -> Length:
    return Length(max=characters, message=_l("At most %(max)d characters."))


def optional() -> Optional:
    return Optional()


def password(label: Any, sentence: Any, autocomplete: str) -> PasswordField:
    return PasswordField(
        label, validators=[required(sentence)], render_kw={"autocomplete": autocomplete}
    )


def select_field(label: Any, options: Mapping[Any, Any] | None = None, **more: Any) -> SelectField:
    """One of a few; `offer` gives the few where only the view knows them."""
    return SelectField(
        label,
        choices=_choices(options or {}),
        validate_choice=False,
        validators=[_one_of_the_list],
        **more,
    )


def offer(field: SelectField, options: Mapping[Any, Any]) -> None:
    """Let a field choose among `options` (value → label)."""
    field.choices = _choices(options)


def zones() -> dict[str, str]:
    """Every time zone people would choose by its name."""
    return {name: name.replace("_", " ") for name in sorted(available_timezones()) if "/" in name}


def plain_number(text: str | None) -> str:
    """Full-width digits made plain, thousands separators and spaces taken out."""
    plain = unicodedata.normalize("NFKC", text or "")
    return "".join(character for character in plain if character not in ", \u2009\u202f\u00a0_")


def checked(form: Form, name: str, read: Callable[[], Any]) -> Any:
    """What `read` gives; None, with the reason beside the field, where it cannot be read."""
    try:
        return read()
    except ValidationError as error:
        form.refuse(name, str(error))
        return None


def _choices(options: Mapping[Any, Any]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in options.items()]


def _one_of_the_list(form: Form, field: SelectField) -> None:
    if str(field.data) not in {str(choice.value) for choice in field.choices}:
        raise ValidationError(_("Choose one of the list."))


def _bad_amount(currency: str) -> str:
    digits = decimals(currency)
    example = Money(123_450 if digits else 1_234, currency).amount
    return _(
        "Write an amount in %(currency)s, such as %(example)s.", currency=currency, example=example
    )
