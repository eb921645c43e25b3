"""The form that says how any page is read: where its figure stands, and what else to read there."""

from dataclasses import fields
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField

from campaigns.platforms import addresses
from campaigns.platforms.amounts import LONGEST_LABEL, SAID, WRITTEN
from campaigns.platforms.generic_how import ALSO, JSON, LONGEST_ADDRESS, PAGE, How
from campaigns.platforms.misread import Misread
from campaigns.web.staff.forms import (
    Form,
    currency_field,
    longest,
    required,
    select_field,
)
from campaigns.web.staff.reasons import told

KINDS = {PAGE: _l("A web page"), JSON: _l("A JSON file or interface")}
FIELDS = ("before", "after", "written", "unit", "currency", "place", "attribute", "name", "page")
# What may be read beside the figure, each by the text before it, by its place, or by both.
ALSO_FIELDS = tuple(f"{name}_{part}" for name in ALSO for part in ("before", "place"))
SAYING = ("place", "before", "after", "attribute")  # any of these says where the figure stands
SETTINGS = tuple(field.name for field in fields(How))
UNITS = {
    "major": _l("yuan, dollars: the currency itself"),
    "minor": _l("fen, cents: the currency's smallest unit"),
    "thousand": _l("thousands (千)"),
    "wan": _l("ten thousands (万)"),
    "million": _l("millions (百万)"),
    "yi": _l("hundred millions (亿)"),
    SAID: _l("as said behind the number: 元, 万 or 亿"),
}
_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
_ADDRESS = {"type": "url", "inputmode": "url", **_PLAIN}


def _text_before(label: Any) -> StringField:
    return StringField(label, [longest(LONGEST_LABEL)], render_kw=_PLAIN)


def _place(label: Any) -> StringField:
    return StringField(label, [longest(500)], render_kw=_PLAIN)


class HowForm(Form):
    address = StringField(
        _l("Address to ask"),
        [required(_l("Paste the address at which the figure stands.")), longest(LONGEST_ADDRESS)],
        description=_l("The page itself, or the JSON that it reads its figures from."),
        render_kw=_ADDRESS,
    )
    way = select_field(_l("What is found there"), KINDS, default=PAGE)
    before = StringField(
        _l("Text before the number"),
        [longest(LONGEST_LABEL)],
        description=_l("As it stands on the page, such as 已募善款 or Raised."),
        render_kw=_PLAIN,
    )
    after = StringField(
        _l("Text behind the number"),
        [longest(LONGEST_LABEL)],
        description=_l("Needed only where the text before it does not tell it from others."),
        render_kw=_PLAIN,
    )
    place = StringField(
        _l("Where it stands"),
        [longest(500)],
        description=_l(
            "Of JSON the pointer, such as /data/raised. Of a page a CSS selector, such as "
            ".amount; left empty, the whole page is read."
        ),
        render_kw=_PLAIN,
    )
    attribute = StringField(
        _l("Attribute"),
        [longest(LONGEST_LABEL)],
        description=_l(
            "Only where the figure is not shown, but stands in one such as data-raised."
        ),
        render_kw=_PLAIN,
    )
    written = select_field(
        _l("How the number is written"), {one: one for one in WRITTEN}, default="1,234.56"
    )
    unit = select_field(_l("Unit"), UNITS, default="major")
    currency = currency_field(_l("Currency"), default="CNY")
    name = StringField(
        _l("Name of the platform"),
        [longest(40)],
        description=_l("What our pages call it. Left empty, it goes by its server's name."),
    )
    page = StringField(
        _l("Page that donors open"),
        [longest(LONGEST_ADDRESS)],
        description=_l("Left empty, it is the address to ask."),
        render_kw=_ADDRESS,
    )
    donations_before = _text_before(_l("Number of gifts: text before it"))
    donations_place = _place(_l("Number of gifts: where it stands"))
    donors_before = _text_before(_l("Number of donors: text before it"))
    donors_place = _place(_l("Number of donors: where it stands"))
    target_before = _text_before(_l("Target: text before it"))
    target_place = _place(_l("Target: where it stands"))
    as_of_before = _text_before(_l("As of: text before the day and hour"))
    as_of_place = _place(_l("As of: where it stands"))
    tried = HiddenField()

    def how(self, currency: str | None) -> How | None:
        """What was typed; None, with the reason beside its field, where it cannot be."""
        typed = {name: (self[name].data or "").strip() for name in SETTINGS if name in self}
        typed["address"] = whole(typed["address"])
        try:
            return How.told(typed | ({"currency": currency} if currency else {}), self.way.data)
        except Misread as error:
            self.refuse(error.setting, told(str(error)))
        return None

    def refuse(self, field: str, reason: str) -> None:
        super().refuse(field if field in self else "address", reason)

    def donors_page(self) -> str:
        """The address of the page for donors; empty, with the reason beside it, if it is none."""
        page = whole(self.page.data or self.address.data)
        if not page:
            self.refuse("page", _("This is no address that a browser could open."))
        return page


def whole(typed: str | None) -> str:
    """An address with its scheme, as it is asked; empty if it is none."""
    address = addresses.split(typed or "", LONGEST_ADDRESS)
    return address.origin + address.target if address else ""
