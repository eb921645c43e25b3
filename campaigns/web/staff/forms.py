"""Forms of staff pages: fields that read what people type, and say what to change."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    DateTimeLocalField,
    Field,
    IntegerField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from campaigns.db import db
from campaigns.money import BadMoney, Money, decimals
from campaigns.platforms import typed

LANGUAGES = {"zh-Hans": "中文", "en": "English"}
_MINUTES = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")
# How the fields of a language are called.
SHORT = {"zh-Hans": "zh", "en": "en"}


class Form(FlaskForm):  # type: ignore[misc]
    """A form of a staff page. The guard in door.py has checked its token before any view."""

    def refuse(self, field: str, reason: str) -> None:
        """Put a verb's refusal beside the field it is about."""
        self[field].errors = [*self[field].errors, reason]

    @contextmanager
    def refusing(self, where: Mapping[type[Exception], str]) -> Iterator[None]:
        """Undo what a verb began and refused, with its reason beside the field of `where`."""
        try:
            yield
        except tuple(where) as error:
            db.session.rollback()
            field = next(name for kind, name in where.items() if isinstance(error, kind))
            self.refuse(field, str(error))

    def texts(self, *names: str) -> dict[str, list[str]]:
        """What stands in the fields "title_zh", "title_en", …: by language, empty ones left out."""
        written = {
            tag: [(self[f"{name}_{short}"].data or "").strip() for name in names]
            for tag, short in SHORT.items()
        }
        return {tag: words for tag, words in written.items() if any(words)}


class AmountField(StringField):  # type: ignore[misc]
    """An amount of money as people type it: "1,000.50", "¥12.5 万"; `money` reads it."""

    def process_data(self, value: Money | str | None) -> None:
        self.data = value.amount if isinstance(value, Money) else value

    def money(self, currency: str) -> Money | None:
        """None if nothing was typed. Raises `ValidationError` with what to change."""
        try:
            return typed.amount(self.data or "", currency)
        except BadMoney as error:
            raise ValidationError(bad_amount(currency)) from error


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
        """Raises `ValidationError` for a time of day that the zone's clocks skip.

        Also for the first and last days of the calendar, which have no moment in every zone.
        """
        local = self.data.replace(tzinfo=ZoneInfo(zone))
        if not 1970 <= local.year < 9999:
            raise ValidationError(_("Write a date and a time, such as 2026-11-22 14:05."))
        found: datetime = local.astimezone(UTC)
        if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != self.data:
            raise ValidationError(_("Clocks skip this hour on that day. Choose another."))
        return found


class DayField(DateField):  # type: ignore[misc]
    """A day of the calendar."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Write a day such as 2026-11-22.")) from error


class CountField(IntegerField):  # type: ignore[misc]
    """A whole number from nought up."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = plain_number(valuelist[0]) if valuelist else ""
        if not text.isdecimal() or len(text) > 9:
            self.data = None
            raise ValueError(_("Write a whole number, such as 30."))
        self.data = int(text)


class MinutesField(Field):  # type: ignore[misc]
    """A length of time in minutes, parts of one too; `data` is whole seconds."""

    widget = TextInput()

    def __init__(self, label: Any = None, validators: Any = None, **more: Any) -> None:
        look = {"inputmode": "decimal", "class": "short", "maxlength": 9}
        super().__init__(label, validators, render_kw=look, **more)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{Decimal(self.data or 0) / 60:.2f}".rstrip("0").rstrip(".")

    def process_formdata(self, valuelist: list[str]) -> None:
        text = plain_number(valuelist[0]) if valuelist else ""
        if not _MINUTES.fullmatch(text):
            self.data = None
            raise ValueError(_("Write minutes, such as 10 or 0.5."))
        self.data = round(Decimal(text) * 60)


class MultiCheckboxField(SelectMultipleField):  # type: ignore[misc]
    """At least one of a few choices; the form says so where there is none."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, *about: Any, **more: Any) -> None:
        super().__init__(*about, **more)
        self.flags.required = True


class _Filled(InputRequired):  # type: ignore[misc]
    """As InputRequired, but space alone is nothing."""

    def __call__(self, form: Form, field: Field) -> None:
        if not field.raw_data or not str(field.raw_data[0]).strip():
            field.errors = []
            raise StopValidation(self.message)


def required(sentence: Any) -> InputRequired:
    """The field must be filled in; the sentence says what to write."""
    return _Filled(sentence)


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


def currency_field(label: Any, **more: Any) -> StringField:
    """The code of a currency, made of capitals."""
    return StringField(
        label,
        filters=[lambda text: (text or "").strip().upper()],
        validators=[_known_currency],
        render_kw={"class": "short", "maxlength": 3, "autocapitalize": "characters"},
        **more,
    )


def plain_number(text: str | None) -> str:
    """Full-width digits made plain, thousands separators and spaces taken out."""
    plain = unicodedata.normalize("NFKC", text or "")
    return "".join(character for character in plain if character not in ", \u2009\u202f\u00a0_")


def line(field: Field) -> str | None:
    """What was typed, as one line without blanks around it; None for nothing."""
    return " ".join((field.data or "").split()) or None


def local_now(zone: str) -> datetime:
    """This minute, as `LocalMomentField` shows it in a zone."""
    return datetime.now(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)


def read_amount(form: Form, name: str, currency: str) -> Money | None:
    """The amount in a field; where it cannot be read, None with the reason beside the field."""
    try:
        amount: Money | None = form[name].money(currency)
    except ValidationError as error:
        form.refuse(name, str(error))
        return None
    return amount


def read_moment(form: Form, name: str, zone: str) -> datetime | None:
    """The moment in a field; where there is none, None with the reason beside the field."""
    try:
        moment: datetime = form[name].moment(zone)
    except ValidationError as error:
        form.refuse(name, str(error))
        return None
    return moment


def _choices(options: Mapping[Any, Any]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in options.items()]


def _one_of_the_list(form: Form, field: SelectField) -> None:
    if str(field.data) not in {str(choice.value) for choice in field.choices}:
        raise ValidationError(_("Choose one of the list."))


# A list always has something chosen, so nobody should read "optional" beside it.
_one_of_the_list.field_flags = {"required": True}  # type: ignore[attr-defined]


def _known_currency(form: Form, field: StringField) -> None:
    try:
        decimals(field.data)
    except BadMoney as error:
        raise ValidationError(_("Use a currency's code, such as CNY or USD.")) from error


_known_currency.field_flags = {"required": True}  # type: ignore[attr-defined]


def bad_amount(currency: str) -> str:
    digits = decimals(currency)
    example = Money(123_450 if digits else 1_234, currency).amount
    return _(
        "Write an amount in %(currency)s, such as %(example)s.", currency=currency, example=example
    )
