"""How gifts are thanked for, as part of the organisation's form."""

from datetime import time

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import TimeField, ValidationError

from campaigns.model.organisation import ThanksRule
from campaigns.money import BadMoney, Money
from campaigns.web.staff.forms import AmountField, currency_field, required, select_field


class MinuteField(TimeField):  # type: ignore[misc]
    """A time of day; `minute` is how many minutes after midnight it is."""

    def process_data(self, value: int | None) -> None:
        self.data = None if value is None else time(*divmod(value, 60))

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Write a time of day, such as 21:00.")) from error

    @property
    def minute(self) -> int:
        at = self.data or time()
        return at.hour * 60 + at.minute


class ThanksFields:
    """Fields of a form: the rule, its hour, and the smallest amount."""

    thanks = select_field(
        _l("Letters of thanks"),
        {
            ThanksRule.AT_ONCE.value: _l("At once: a letter for each gift"),
            ThanksRule.GATHERED.value: _l("Once a day: one letter names all gifts of a donor"),
            ThanksRule.NONE.value: _l("No letters of thanks"),
        },
        description=_l(
            "A change counts for gifts from then on: letters that wait already go as they were "
            "meant. What is taken back or refunded whole before its letter goes is not thanked "
            "for. Thanks that somebody asks for with a gift booked by hand always go."
        ),
    )
    thanks_at = MinuteField(
        _l("Gathered thanks go at"),
        validators=[required(_l("Write a time of day, such as 21:00."))],
        description=_l(
            "By the clock where the donor lives. What is given later stands in the next day's "
            "letter. Where nobody is written to at that hour, they go when that ends."
        ),
    )
    thanks_from = AmountField(
        _l("No thanks for less than"),
        description=_l(
            "0: every gift is thanked for. Each gift is looked at by itself. One in another "
            "currency is compared at the rate entered for its day; where there is none, thanks go."
        ),
        render_kw={"inputmode": "decimal", "class": "short"},
    )
    thanks_currency = currency_field(_l("Currency"))

    def validate_thanks_from(self, field: AmountField) -> None:
        try:
            least = field.money(self.thanks_currency.data)
        except BadMoney:  # the currency is none, which is said beside it
            return
        if least is not None and least.minor < 0:
            raise ValidationError(_("Write 0, or an amount above it."))

    def least(self) -> Money:
        currency = self.thanks_currency.data
        return self.thanks_from.money(currency) or Money.zero(currency)
