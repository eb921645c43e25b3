"""How a file is to be read: the questions asked when it is handed in, and again in review."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import FileField, StringField
from wtforms.validators import ValidationError

from campaigns import stored
from campaigns.db import db
from campaigns.imports import Reading
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.imported import Import, SavedMapping
from campaigns.platforms import generic, registry
from campaigns.web.staff import choices
from campaigns.web.staff.forms import Form, longest, offer, select_field

CHARSETS = {"utf-8-sig": "UTF-8 (BOM)", "utf-8": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}
GUESS, EACH = "guess", "each"
TOO_LARGE = _l(
    "The file is larger than 64 MB. Ask the platform for a shorter time, a month or a week, or hand"
    " it in as a ZIP, which is smaller."
)


class ReadingForm(Form):
    """How a file is to be read."""

    profile = select_field(_l("Kind of export"))
    listing = select_field(_l("Its money belongs to"))
    source = StringField(
        _l("Account the money came through"),
        [longest(100)],
        description=_l(
            "Asked only where the file does not say it: the name of the webhook that tells of the"
            " same money, so that nothing is booked twice."
        ),
        render_kw={"list": "sources", "autocomplete": "off", "spellcheck": "false"},
    )
    mapping = select_field(_l("Saved mapping, for any other table"))

    def prepare(self) -> None:
        profiles = {name: _(one.label) for name, one in registry.profiles().items()}
        offer(self.profile, {GUESS: _("Look at the file")} | profiles)
        offer(self.listing, {EACH: _("Each row says itself")} | choices.listings())
        saved = db.session.scalars(select(SavedMapping).order_by(SavedMapping.name))
        offer(self.mapping, {"": _("None")} | {str(one.id): one.name for one in saved})

    def reading(self, profile: str, **more: Any) -> Reading:
        mapping = self.mapping.data
        saved = db.session.get(SavedMapping, int(mapping)) if mapping else None
        return Reading(
            generic.NAME if saved else profile,
            source=(self.source.data or "").strip(),
            listing_id=None if self.listing.data == EACH else int(self.listing.data),
            mapping=saved.mapping if saved else more.pop("mapping", None),
            **{name: value for name, value in more.items() if name != "mapping"},
        )


class UploadForm(ReadingForm):
    file = FileField(
        _l("File"),
        description=_l("CSV, XLSX, or a ZIP that holds CSV. At most 64 MB and a million rows."),
        render_kw={"accept": ".csv,.txt,.xlsx,.zip", "required": True},
    )

    def prepare(self) -> None:
        super().prepare()
        told = {"data-largest": stored.LARGEST, "data-too-large": str(TOO_LARGE)}
        self.file.flags.required = True
        self.file.render_kw = {**self.file.render_kw, **told}

    def validate_file(self, field: FileField) -> None:
        if not getattr(field.data, "filename", ""):
            raise ValidationError(_("Choose a file."))


class AgainForm(ReadingForm):
    charset = select_field(_l("Charset"))
    member = select_field(_l("File in the archive, or sheet"))


def to_hand_in(*, empty: bool = False) -> UploadForm:
    """`empty` where what was sent cannot be read."""
    form = UploadForm(formdata=None) if empty else UploadForm()
    form.prepare()
    form.profile.data = form.profile.data or GUESS
    form.listing.data = form.listing.data or EACH
    return form


def to_read_again(this: Import) -> AgainForm:
    listing = str(this.listing_id) if this.listing_id else EACH
    given = {"profile": this.profile, "listing": listing, "source": this.source}
    seen = this.seen or {}
    form = AgainForm(**given, charset=this.charset or GUESS, member=this.member or "")
    form.prepare()
    named = {name: CHARSETS.get(name, name) for name in (*seen.get("charsets", ()), *CHARSETS)}
    offer(form.charset, {GUESS: _("Look at the file")} | named)
    offer(form.member, {"": _("The first")} | {name: name for name in seen.get("members", ())})
    return form


def sources() -> list[str]:
    return list(
        db.session.scalars(
            select(WebhookEndpoint.source).distinct().order_by(WebhookEndpoint.source)
        )
    )
