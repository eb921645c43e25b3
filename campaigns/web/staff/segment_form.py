"""The form of a segment: whom it means and whom it leaves out, read into a definition."""

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import NumberRange

from campaigns import tagging
from campaigns.model.segment import Conditions, Definition, Role
from campaigns.money import Money
from campaigns.web.staff import segment_words
from campaigns.web.staff.forms import (
    LANGUAGES,
    AmountField,
    CountField,
    DayField,
    Form,
    MultiCheckboxField,
    line,
    longest,
    offer,
    optional,
    read_amount,
    select_field,
)

# A hundred years: nobody lapsed longer ago.
LONGEST = 36_500  # days
_GIFTS = (
    "platforms count_from count_to size_from size_to total_from total_to"
    " first_from first_to last_from last_to lapsed"
).split()
_PERSON = "languages places tags mailings".split()
_COMMAS = re.compile(r"[,;，；、]")
_FIGURE = {"class": "short", "inputmode": "numeric"}


class ConditionsForm(Form):
    """What people may be chosen by. What is left empty asks nothing."""

    campaigns = MultiCheckboxField(_l("Campaigns"), validate_choice=False)
    role = select_field(_l("Gave or follows"), segment_words.ROLES)
    platforms = MultiCheckboxField(_l("Platforms"), validate_choice=False)
    count_from = CountField(_l("Gifts, at least"), [optional()], render_kw=_FIGURE)
    count_to = CountField(_l("Gifts, at most"), [optional()], render_kw=_FIGURE)
    currency = select_field(_l("Currency of amounts"))
    size_from = AmountField(_l("Each gift, from"), render_kw=_FIGURE)
    size_to = AmountField(_l("Each gift, up to"), render_kw=_FIGURE)
    total_from = AmountField(_l("All gifts together, from"), render_kw=_FIGURE)
    total_to = AmountField(_l("All gifts together, up to"), render_kw=_FIGURE)
    first_from = DayField(_l("First gift, from"), [optional()])
    first_to = DayField(_l("First gift, until"), [optional()])
    last_from = DayField(_l("Last gift, from"), [optional()])
    last_to = DayField(_l("Last gift, until"), [optional()])
    lapsed = CountField(
        _l("No gift in so many days"),
        [optional(), NumberRange(max=LONGEST, message=_l("At most %(max)d days."))],
        render_kw=_FIGURE,
    )
    languages = MultiCheckboxField(_l("Language"), validate_choice=False)
    places = StringField(_l("Place"), [longest(300)], render_kw={"autocomplete": "off"})
    tags = StringField(_l("Tags"), [longest(500)], render_kw={"autocomplete": "off"})
    mailings = MultiCheckboxField(_l("Received the mailing"), validate_choice=False)

    def offered(self) -> "ConditionsForm":
        """The form with everything that there is to choose from."""
        self.campaigns.choices = _pairs(segment_words.campaigns())
        self.platforms.choices = _pairs(segment_words.platforms())
        self.languages.choices = _pairs(LANGUAGES)
        self.mailings.choices = _pairs(segment_words.mailings(_numbers(self.mailings)))
        for name in ("campaigns", "platforms", "languages", "mailings"):
            self[name].flags.required = False
        offer(self.currency, {one: one for one in segment_words.currencies()})
        return self

    def about_gifts(self) -> bool:
        """Whether something is asked about gifts, so that a page shows those fields."""
        return any(self[name].data or self[name].errors for name in _GIFTS)

    def about_person(self) -> bool:
        return any(self[name].data or self[name].errors for name in _PERSON)

    def conditions(self) -> Conditions:
        """What was asked for; where it cannot be read, the reason stands beside its field."""
        currency, amounts = self.currency.data, self._amounts()
        return Conditions(
            campaigns=_numbers(self.campaigns),
            role=Role(self.role.data) if self.role.data else None,
            platforms=_among(self.platforms),
            currency=currency
            if any(bound is not None for pair in amounts for bound in pair)
            else None,
            size=amounts[0],
            total=amounts[1],
            count=self._bounds("count"),
            first=self._bounds("first"),
            last=self._bounds("last"),
            lapsed=self.lapsed.data,
            languages=_among(self.languages),
            places=tuple(
                part.strip() for part in _COMMAS.split(line(self.places) or "") if part.strip()
            ),
            tags=self._tags(),
            mailings=_numbers(self.mailings),
        )

    def _amounts(self) -> list[tuple[int | None, int | None]]:
        read = {
            name: read_amount(self, name, self.currency.data)
            for name in ("size_from", "size_to", "total_from", "total_to")
        }
        minor = {name: None if got is None else got.minor for name, got in read.items()}
        pairs = [(minor[f"{name}_from"], minor[f"{name}_to"]) for name in ("size", "total")]
        for name, pair in zip(("size", "total"), pairs, strict=True):
            self._in_order(name, pair)
        return pairs

    def _bounds(self, name: str) -> tuple[Any, Any]:
        pair = self[f"{name}_from"].data, self[f"{name}_to"].data
        self._in_order(name, pair)
        return pair

    def _in_order(self, name: str, pair: tuple[Any, Any]) -> None:
        start, end = pair
        if start is not None and end is not None and start > end:
            self.refuse(f"{name}_to", _("This ends before it begins."))

    def _tags(self) -> tuple[str, ...]:
        try:
            return tagging.read(self.tags.data or "")
        except tagging.BadTag as error:
            self.refuse("tags", str(error))
            return ()


class NameForm(Form):
    name = StringField(_l("Name of the segment"), [longest(120)], render_kw={"autocomplete": "off"})


class Builder:
    """The two halves of a segment's form, empty, from a definition, or as they were sent."""

    def __init__(self, definition: Definition | None = None, name: str | None = None) -> None:
        about = definition or Definition()
        sent: dict[str, Any] = {"formdata": None} if definition is not None else {}
        halves = ("include", about.include), ("exclude", about.exclude)
        self.include, self.exclude = (
            ConditionsForm(prefix=f"{half}-", **sent, **_shown(given)).offered()
            for half, given in halves
        )
        self.name = NameForm(**sent, name=name)

    def read(self) -> Definition | None:
        """What was asked for; None where a field needs another look."""
        fine = [form.validate() for form in (self.include, self.exclude, self.name)]
        definition = None
        if all(fine):
            definition = Definition(self.include.conditions(), self.exclude.conditions())
        return None if self.wrong() else definition

    def wrong(self) -> bool:
        """Whether a field needs another look."""
        return bool(self.include.errors or self.exclude.errors or self.name.errors)


def _numbers(field: MultiCheckboxField) -> tuple[int, ...]:
    return tuple(sorted(int(text) for text in _among(field) if text.isdecimal() and len(text) < 19))


def _among(field: MultiCheckboxField) -> tuple[str, ...]:
    return tuple(field.data or ())


def _pairs(options: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    return [(str(value), label) for value, label in options.items()]


def _shown(given: Conditions) -> dict[str, Any]:
    currency = given.currency or segment_words.currencies()[0]
    values: dict[str, Any] = {
        "campaigns": [str(id) for id in given.campaigns],
        "role": given.role.value if given.role else "",
        "platforms": list(given.platforms),
        "currency": currency,
        "lapsed": given.lapsed,
        "languages": list(given.languages),
        "places": "，".join(given.places),
        "tags": ", ".join(given.tags),
        "mailings": [str(id) for id in given.mailings],
    }
    for name in ("count", "first", "last"):
        values[f"{name}_from"], values[f"{name}_to"] = getattr(given, name)
    for name in ("size", "total"):
        for end, minor in zip(("from", "to"), getattr(given, name), strict=True):
            values[f"{name}_{end}"] = None if minor is None else Money(minor, currency)
    return values
