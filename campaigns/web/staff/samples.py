"""What `/staff/design` shows: each piece in each of its states, with invented figures."""

from datetime import datetime, timedelta
from string import ascii_uppercase
from types import SimpleNamespace as Sample
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from campaigns.curve import Curve, Line, Point
from campaigns.freshness import Freshness
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.web import bars, chart, curves

FRESHNESS = (*Freshness, "checking")
CAMPAIGN_STATES = ("draft", "live", "paused", "ended", "closed")
MAILING_STATES = (
    "draft,in review,approved,scheduled,sending,sent,paused,missed,cancelled,expired".split(",")
)
DELIVERY_STATES = (
    "queued sending sent deferred bounced complained failed unknown suppressed cancelled expired"
).split()


def of(now: datetime) -> Sample:
    """Every sample, told in the reader's language as of `now`."""
    target = Money.of("300000", "CNY")
    return Sample(
        bars=[(label, bars.split(parts, target)) for label, parts in _fills()],
        chart=_chart(now),
        raised=Money.of("186420.50", "CNY"),
        target=target,
        moments=(now - timedelta(minutes=9), now - timedelta(minutes=2)),
        listings=[_listing(n, state, now) for n, state in enumerate(FRESHNESS)],
        matched=Sample(
            series=1,
            name="A",
            amount=Money.of("8800", "CNY"),
            by=[_("A company nearby")],
            more=False,
            received=False,
        ),
        promises=_promises(now),
        updates=[_update(now)],
        follows=[_follow(None), _follow(_("Write the whole address, such as you@example.org."))],
        form=_form(),
        rows=_rows(),
        total=Money.of("177620.50", "CNY"),
        pages=Sample(first=51, last=100, total=2034, before="#", after="#"),
        tabs=_tabs(),
        options=[("", _("All")), ("fresh", _("up to date"))],
        campaign_states=CAMPAIGN_STATES,
        mailing_states=MAILING_STATES,
        delivery_states=DELIVERY_STATES,
        freshness=FRESHNESS,
    )


def _fills() -> list[tuple[str, list[bars.Part]]]:
    split = [_part("105210.00", 1), _part("45300.50", 2), _part("27110.00", 3)]
    match = _part("8800.00", 1, matched=True)
    return [
        (_("nothing yet"), []),
        (_("a first gift"), [_part("5.00", 1)]),
        (_("by platform, with a match"), [*split, match]),
        (_("almost"), [_part("299990.00", 1)]),
        (_("reached"), [_part("200000.00", 1), _part("100000.00", 4)]),
        (_("beyond the target"), [*split, _part("215000.00", 4), match]),
    ]


def _part(amount: str, series: int, matched: bool = False) -> bars.Part:
    return bars.Part(str(series), Money.of(amount, "CNY"), series, matched)


def _chart(now: datetime) -> chart.Chart | None:
    """Two platforms over a month, the younger of which staff enter by hand."""
    days = tuple((now - timedelta(days=ago)).date() for ago in range(30, -1, -1))
    amounts = [Money(350 * number**3, "CNY") for number in range(len(days))]
    older = [Point(day, now, amount) for day, amount in zip(days, amounts, strict=True)]
    younger = [
        Point(day, now, Money(800_000 + amounts[place // 4].minor * 30, "CNY"), place % 4 == 0)
        for place, day in enumerate(days)
        if place > 11
    ]
    lines = [Line(Listing(), tuple(points)) for points in (older, younger)]
    late = [Money.zero("CNY")] * 12 + [point.raised for point in younger]
    total = tuple(one + other for one, other in zip(amounts, late, strict=True))
    zone = ZoneInfo("Asia/Shanghai")
    curve = Curve(zone, 1, days, tuple(lines), total)
    names = [
        (_("Platform %(letter)s", letter=letter), series) for series, letter in ((1, "A"), (2, "B"))
    ]
    return chart.drawn(curve, names, _("Together"), Money.of("150000", "CNY"), curves.called(zone))


def _listing(number: int, state: str, now: datetime) -> Sample:
    heard = state != Freshness.NONE_YET
    return Sample(
        series=number % 4 + 1,
        name=_("Platform %(letter)s", letter=ascii_uppercase[number]),
        raised=Money.of("45300.50", "CNY") if heard else None,
        as_of=now - timedelta(minutes=9) if heard else None,
        rule="itemised" if state == Freshness.BY_HAND else "reported",
        freshness=state,
        every=timedelta(minutes=10),
    )


def _promises(now: datetime) -> list[Sample]:
    kept = Sample(every=30, last=now - timedelta(days=12), kept=11, due=11, late=False)
    first = Sample(every=30, last=None, kept=0, due=0, late=False)
    late = Sample(every=30, last=now - timedelta(days=34), kept=10, due=11, late=True)
    return [kept, first, late]


def _update(now: datetime) -> Sample:
    note = Sample(
        at=now - timedelta(days=10),
        text=_("The rent is ¥2,400 a month; we first wrote ¥2,600."),
    )
    return Sample(
        title=_("We have rented the room"),
        url="#",
        at=now - timedelta(days=12),
        author=_("Teacher Lin"),
        body=Markup("<p>{}</p>").format(_("A lease of one year. Contract and receipts are here.")),
        corrections=[note],
    )


def _follow(error: str | None) -> Sample:
    return Sample(action="#", email="you@" if error else "", error=error)


def _rows() -> list[tuple[str, Money, int]]:
    amounts = (("105210.00", 1204), ("45300.50", 611), ("27110.00", 219))
    return [
        (_("Platform %(letter)s", letter=letter), Money.of(amount, "CNY"), gifts)
        for letter, (amount, gifts) in zip("ABC", amounts, strict=True)
    ]


def _tabs() -> list[Sample]:
    return [
        Sample(label=_("Reports"), url="#", current=True, count=None),
        Sample(label=_("Entries"), url="#", current=False, count=2034),
        Sample(label=_("Notices"), url="#", current=False, count=3),
    ]


def _form() -> FlaskForm:
    class SampleForm(FlaskForm):  # type: ignore[misc]
        title = StringField(_("Title"), [InputRequired(_("Give the campaign a title."))])
        target = StringField(
            _("Target"), [Optional()], description=_("A campaign may have none. Digits: 300000.00")
        )
        platform = SelectField(
            _("Platform"), choices=[SelectChoice("a", "A"), SelectChoice("b", "B")]
        )
        text = TextAreaField(_("Text"), [Optional()], description=_("Markdown."))
        rule = RadioField(
            _("Rule of the figure"),
            [InputRequired(_("Choose one of the two."))],
            choices=[
                SelectChoice("reported", _("as the platform reports it")),
                SelectChoice("itemised", _("gift by gift")),
            ],
        )
        public = BooleanField(_("Show on the list of campaigns"))

    form = SampleForm(MultiDict({"target": "300000.00", "platform": "a"}), meta={"csrf": False})
    form.validate()
    return form
