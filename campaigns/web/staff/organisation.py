"""The organisation: its texts, zone, sender and contact; and its partners."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, StringField, TextAreaField, ValidationError
from wtforms.validators import NumberRange

from campaigns import daysoff, organisations
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.model.organisation import (
    COUNTRY,
    MOST_DAYS,
    MOST_SOFT,
    QUIET_FROM,
    QUIET_UNTIL,
    SOFT_DAYS,
    SOFT_LIMIT,
    THANKS_AT,
    THANKS_CURRENCY,
    Organisation,
    QuietDays,
    ThanksRule,
)
from campaigns.model.staff import Permission
from campaigns.money import Money
from campaigns.web import language
from campaigns.web.staff.forms import (
    LANGUAGES,
    SHORT,
    CountField,
    Form,
    longest,
    required,
    select_field,
)
from campaigns.web.staff.page import office_tabs, show
from campaigns.web.staff.session import me, needs
from campaigns.web.staff.thanks_form import MinuteField, ThanksFields
from campaigns.web.staff.zones import zone_field
from config import settings

bp = Blueprint("organisation", __name__, url_prefix="/organisation")


def _mailbox(form: Form, field: Field) -> None:
    try:
        Mailbox.parse(field.data.strip()) if field.data else None
    except ValueError as error:
        example = "Facilitators <updates@example.org>"
        raise ValidationError(_("Write it like %(example)s.", example=example)) from error


def _address(form: Form, field: Field) -> None:
    try:
        Address.parse(field.data) if field.data else None
    except ValueError as error:
        raise ValidationError(_("Write a mail address, such as hi@example.org.")) from error


def _website(form: Form, field: Field) -> None:
    if field.data and not field.data.startswith(("https://", "http://")):
        raise ValidationError(_("Write an address that begins with https://."))


def _between(least: int, most: int) -> NumberRange:
    sentence = _l("Write a number from %(least)s to %(most)s.", least=least, most=most)
    return NumberRange(least, most, sentence)


class OrganisationForm(ThanksFields, Form):
    name_zh = StringField(_l("Name"), [longest(200)])
    about_zh = TextAreaField(_l("About us"), [longest(4000)], render_kw={"rows": 4})
    name_en = StringField(_l("Name"), [longest(200)])
    about_en = TextAreaField(_l("About us"), [longest(4000)], render_kw={"rows": 4})
    default_locale = select_field(_l("First language"), LANGUAGES)
    timezone = zone_field(
        _l("Time zone"), description=_l("The organisation's days begin and end in it.")
    )
    country = StringField(
        _l("Country"),
        [longest(2)],
        filters=[lambda text: (text or "").strip().upper()],
        description=_l("Its public holidays count. Two letters, such as CN."),
        render_kw={"class": "short", "maxlength": 2},
    )
    sender = StringField(
        _l("Letters come from"), [longest(320), _mailbox],
        description=_l("Name and address, as donors see them."),
    )  # fmt: skip
    reply_to = StringField(_l("Answers go to"), [longest(320), _mailbox])
    contact = StringField(
        _l("Contact"), [longest(320), _address], description=_l("Shown on every public page.")
    )
    website = StringField(_l("Website"), [longest(2048), _website])
    soft_limit = CountField(
        _l("Soft bounces allowed"),
        [_between(1, MOST_SOFT)],
        description=_l(
            "When so many letters to an address came back for a reason that may pass, such as a "
            "full mailbox, it gets nothing more."
        ),
        render_kw={"inputmode": "numeric", "class": "short"},
    )
    soft_days = CountField(
        _l("Counted over days"),
        [_between(1, MOST_DAYS)],
        render_kw={"inputmode": "numeric", "class": "short"},
    )

    quiet_from = MinuteField(
        _l("Quiet from"), validators=[required(_l("Write a time of day, such as 21:00."))]
    )
    quiet_until = MinuteField(
        _l("Quiet until"),
        validators=[required(_l("Write a time of day, such as 21:00."))],
        description=_l(
            "Letters that would come between these hours wait, in each recipient's zone. The same "
            "hour twice: they never wait. Confirmations and password links always go at once."
        ),
    )
    quiet_days = select_field(
        _l("Quiet days"),
        {
            QuietDays.HOLIDAYS.value: _l("Public holidays"),
            QuietDays.DAYS_OFF.value: _l("Public holidays and weekends"),
            QuietDays.NONE.value: _l("No days"),
        },
        description=_l(
            "Mailings wait for the next day. Workdays that make up for a holiday count as "
            "workdays. Thanks go on any day."
        ),
    )
    ad_updates = BooleanField(_l("Updates of a campaign"))
    ad_issues = BooleanField(_l("Issues of the newsletter"))
    ad_appeals = BooleanField(_l("Appeals for money"))

    def validate_country(self, field: Field) -> None:
        if len(field.data) != 2 or not field.data.isascii() or not field.data.isalpha():
            raise ValidationError(_("Write two letters, such as CN."))
        if not daysoff.knows(field.data):
            raise ValidationError(_("No holidays are known of this country."))

    def facts(self) -> organisations.Facts:
        plain = {
            name: (self[name].data or "").strip() or None
            for name in ("sender", "reply_to", "contact", "website")
        }
        return organisations.Facts(
            default_locale=self.default_locale.data,
            timezone=self.timezone.data,
            country=self.country.data,
            soft_limit=self.soft_limit.data or SOFT_LIMIT,
            soft_days=self.soft_days.data or SOFT_DAYS,
            quiet_from=self.quiet_from.minute,
            quiet_until=self.quiet_until.minute,
            quiet_days=QuietDays(self.quiet_days.data),
            thanks=ThanksRule(self.thanks.data),
            thanks_at=self.thanks_at.minute,
            thanks_from_minor=self.least().minor,
            thanks_currency=self.thanks_currency.data,
            ad_updates=self.ad_updates.data,
            ad_issues=self.ad_issues.data,
            ad_appeals=self.ad_appeals.data,
            **plain,
        )


class PartnerForm(Form):
    name_zh = StringField(_l("Name in Chinese"), [longest(200)])
    name_en = StringField(_l("Name in English"), [longest(200)])


@bp.get("")
@needs(Permission.ADMINISTER)
def ask() -> str:
    return _page(_filled(organisations.ours()), PartnerForm(formdata=None))


@bp.post("")
@needs(Permission.ADMINISTER)
def change() -> Any:
    form = OrganisationForm()
    if form.validate():
        texts = {
            tag: organisations.Words(*words) for tag, words in form.texts("name", "about").items()
        }
        with form.refusing({organisations.NoName: "name_zh"}):
            organisations.change(form.facts(), texts, datetime.now(UTC), me())
    if form.errors:
        return _page(form, PartnerForm(formdata=None)), 400
    db.session.commit()
    flash(_("The organisation is kept."))
    return redirect(url_for("staff.organisation.ask"))


@bp.post("/partners")
@needs(Permission.ADMINISTER)
def add_partner() -> Any:
    form = PartnerForm()
    if form.validate():
        texts = {tag: organisations.Words(*words) for tag, words in form.texts("name").items()}
        with form.refusing({organisations.NoName: "name_zh"}):
            organisations.add_partner(texts, datetime.now(UTC), me())
    if form.errors:
        return _page(_filled(organisations.ours(), sent=False), form), 400
    db.session.commit()
    flash(_("The partner is added. Choose it on a campaign's page."))
    return redirect(url_for("staff.organisation.ask"))


def _page(form: OrganisationForm, partner: PartnerForm) -> str:
    partners = [row for row in organisations.all_of_them() if not row.ours]
    return show(
        "staff/organisation.html",
        _("Organisation"),
        tabs=office_tabs("organisation"),
        form=form,
        partner=partner,
        partners=[row.text(language.current()).name for row in partners],
        languages=LANGUAGES,
        short=SHORT,
    )


def _filled(row: Organisation | None, *, sent: bool = True) -> OrganisationForm:
    """The form as things stand; before there is a row as the settings say."""
    formdata = {} if sent else {"formdata": None}
    if row is None:
        return OrganisationForm(
            **formdata,
            default_locale=settings().default_locale,
            timezone=settings().default_timezone,
            country=COUNTRY,
            quiet_from=QUIET_FROM,
            quiet_until=QUIET_UNTIL,
            quiet_days=QuietDays.HOLIDAYS,
            thanks=ThanksRule.AT_ONCE,
            thanks_at=THANKS_AT,
            thanks_from=Money.zero(THANKS_CURRENCY),
            thanks_currency=THANKS_CURRENCY,
            soft_limit=SOFT_LIMIT,
            soft_days=SOFT_DAYS,
            sender=settings().mail_from,
            **{f"name_{SHORT[settings().default_locale]}": settings().organisation_name},
        )
    texts = {text.locale: text for text in row.texts}
    words = {
        f"{name}_{short}": getattr(texts[tag], name)
        for tag, short in SHORT.items()
        if tag in texts
        for name in ("name", "about")
    }
    least = Money(row.thanks_from_minor, row.thanks_currency)
    return OrganisationForm(**formdata, obj=row, thanks_from=least, **words)
