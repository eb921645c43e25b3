"""Forms of webhook endpoints: a field for each setting that the endpoint's scheme declares."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, PasswordField, StringField, TextAreaField

from campaigns.model.endpoint import WebhookEndpoint
from campaigns.platforms import registry
from campaigns.platforms.base import BadKeys
from campaigns.platforms.scheme import Setting
from campaigns.web.staff.forms import Form, longest, required, select_field

LONGEST = 20_000  # characters of a setting; a chain of certificates has less
# As many as are given at once of a setting of which there may be many.
SEVERAL = 2
OVERLAPS = {
    "0": _l("not at all"),
    "1": _l("1 hour"),
    "24": _l("1 day"),
    "168": _l("7 days"),
    "720": _l("30 days"),
    "for_good": _l("for good"),
}
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class OpeningForm(Form):
    """What every endpoint is opened with."""

    name = StringField(
        _l("Name of the endpoint"),
        [required(_l("Write a name, such as united-foundation.")), longest(64)],
        filters=[lambda text: (text or "").strip().lower()],
        description=_l("The last part of its address: small letters, digits and hyphens."),
    )
    bounds = select_field(_l("May book to"))


class ExchangeForm(Form):
    """New keys for an endpoint, and how long those before go on."""

    @property
    def hours(self) -> timedelta | None:
        chosen = self["overlap"].data
        return None if chosen == "for_good" else timedelta(hours=int(chosen))


def opening(scheme: str) -> OpeningForm:
    """Raises `registry.UnknownScheme`."""
    fields = {
        name: _field(setting, name, needed=setting.needed)
        for setting, name in _names(registry.scheme(scheme).SETTINGS)
    }
    made: OpeningForm = type("OpeningForm", (OpeningForm,), fields)()
    return made


def exchange(endpoint: WebhookEndpoint) -> ExchangeForm:
    """Settings as they are; what is secret stands empty, and left empty it stays as it is."""
    settings = registry.scheme(endpoint.scheme).SETTINGS
    fields = {
        name: _field(one, name, needed=one.needed and not one.secret)
        for one, name in _names(settings)
    }
    fields["overlap"] = select_field(_("Keys before stay valid"), OVERLAPS, default="24")
    plain = {name: str(value) for name, value in endpoint.settings.items()}
    made: ExchangeForm = type("ExchangeForm", (ExchangeForm,), fields)(data=plain)
    return made


def given(form: Form, scheme: str, *, changing: bool = False) -> dict[str, str]:
    """What was filled in, by the names that the scheme knows.

    `changing`: a plain setting that was left empty is given too, as empty.
    """
    found: dict[str, str] = {}
    for setting, name in _names(registry.scheme(scheme).SETTINGS):
        value = (form[name].data or "").strip()
        if _is_id(setting, name) or not (value or (changing and not setting.secret)):
            continue
        which = (form[f"{name}_id"].data or "").strip() if setting.many else ""
        found[f"{setting.name}:{which}" if setting.many else name] = value
    return found


def refuse(form: Form, error: BadKeys) -> None:
    """Put what the scheme says beside the field it is about."""
    sort, _colon, which = error.setting.partition(":")
    name = sort
    if sort not in form:
        numbered = [f"{sort}_{number}" for number in range(1, SEVERAL + 1)]
        same = [n for n in numbered if (form[f"{n}_id"].data or "").strip()[:36] == which[:36]]
        name = (same or numbered)[0]
    form.refuse(name, _(error.reason))


def _names(settings: tuple[Setting, ...]) -> Iterator[tuple[Setting, str]]:
    """Each setting with the names of its fields."""
    for setting in settings:
        if not setting.many:
            yield setting, setting.name
            continue
        for number in range(1, SEVERAL + 1):
            yield setting, f"{setting.name}_{number}_id"
            yield setting, f"{setting.name}_{number}"


def _is_id(setting: Setting, name: str) -> bool:
    """Whether a field says which one of many, rather than what it is."""
    return setting.many and name.endswith("_id")


def _field(setting: Setting, name: str, *, needed: bool) -> Field:
    first = not setting.many or "_1" in name
    validators = [longest(LONGEST)]
    if needed and first:
        validators.insert(0, required(_l("This is needed.")))
    about: dict[str, Any] = {"description": _(setting.hint) if setting.hint and first else ""}
    label = _(setting.label)
    if _is_id(setting, name):
        return StringField(_("%(what)s: id", what=label), validators, render_kw=_PLAIN, **about)
    if setting.many:
        label, about = _("%(what)s: key", what=label), {}
    if setting.long:
        return TextAreaField(label, validators, render_kw={"rows": 4, **_PLAIN}, **about)
    kind = PasswordField if setting.secret else StringField
    hidden = {"autocomplete": "new-password"} if setting.secret else _PLAIN
    return kind(label, validators, render_kw=hidden, **about)
