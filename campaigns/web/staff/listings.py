"""One listing: what it reported and how it is asked, a figure by hand, a verdict on a held one."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField

from campaigns import editing, progress, raw_answers, reported, reporting
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry
from campaigns.model.imported import stands
from campaigns.model.listing import Asking, Listing, PollFailure, Rule
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.staff import Permission
from campaigns.platforms.base import Reading
from campaigns.web import language
from campaigns.web.staff import contract, figure, ways
from campaigns.web.staff.forms import (
    AmountField,
    CountField,
    Form,
    LocalMomentField,
    longest,
    optional,
    read_amount,
    read_moment,
    required,
    select_field,
)
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("listings", __name__, url_prefix="/listings")

SHOWN = 20
RULES = {
    Rule.REPORTED: _l("What the platform reports, and what was booked since"),
    Rule.ITEMISED: _l("The sum of what was booked, gift by gift"),
}
ASKING = {
    Asking.ASKED: _l("Ask the platform regularly"),
    Asking.BY_HAND: _l("Staff enter the figure"),
    Asking.ENDED: _l("The figure is final"),
}
STATES = {
    ReportState.ACCEPTED: _l("shown"),
    ReportState.QUARANTINED: _l("held"),
    ReportState.REJECTED: _l("rejected"),
}
ORIGINS = {Origin.ASKED: _l("the platform"), Origin.BY_HAND: _l("by hand")}


class ReportForm(Form):
    raised = AmountField(
        _l("Raised"),
        [required(_l("Write what the platform shows."))],
        description=_l("As the platform's page shows it."),
        render_kw={"inputmode": "decimal", "class": "short amount"},
    )
    donations = CountField(
        _l("Donations"), [optional()], render_kw={"inputmode": "numeric", "class": "short"}
    )
    moment = LocalMomentField(
        _l("When you read it"),
        validators=[required(_l("Write when you read it."))],
    )


class VerdictForm(Form):
    reason = TextAreaField(
        _l("Reason"),
        [required(_l("Write why. It is kept, and shown where the public figure falls.")),
         longest(500)],
        render_kw={"rows": 2},
    )  # fmt: skip
    verdict = StringField()


class RuleForm(Form):
    rule = select_field(_l("The figure is"), RULES)
    reason = StringField(
        _l("Reason"),
        [required(_l("Write why. It is shown where the public figure falls.")), longest(500)],
    )


class AskingForm(Form):
    asking = select_field(_l("Where figures come from"), ASKING)


@bp.get("/<int:id>")
@needs(Permission.LOOK)
def one(id: int) -> str:
    return _page(found(Listing, id))


@bp.post("/<int:id>/reports")
@needs(Permission.ENTER_REPORTS)
def enter(id: int) -> Any:
    listing, form, now = found(Listing, id), ReportForm(), datetime.now(UTC)
    if form.validate():
        raised = read_amount(form, "raised", listing.currency)
        moment = read_moment(form, "moment", me().timezone)
        if moment is not None and moment > now + reporting.AHEAD:
            form.refuse("moment", _("This moment has not come yet."))
    if form.errors or raised is None or moment is None:
        return _page(listing, report=form), 400
    reading = Reading(raised, moment, donations=form.donations.data)
    kept = reporting.enter(listing, reading, now, me())
    db.session.commit()
    if kept.report.state is ReportState.QUARANTINED:
        flash(_("The figure is kept, but held: look at it below."))
    else:
        flash(_("The figure is kept and shown."))
    return _to(listing)


@bp.post("/<int:id>/reports/<int:report_id>")
@needs(Permission.JUDGE_REPORTS)
def judge(id: int, report_id: int) -> Any:
    listing, report, form = found(Listing, id), found(Report, report_id), VerdictForm()
    if report.listing_id != listing.id:
        abort(404)
    if not form.validate():
        return _page(listing, verdict=form), 400
    decide = reporting.accept if form.verdict.data == "accept" else reporting.reject
    try:
        decide(report, form.reason.data.strip(), datetime.now(UTC), me())
    except reporting.NotHeld:
        flash(_("Somebody decided about this figure already."))
    except reporting.Overtaken:
        flash(_("A later figure was accepted meanwhile, so this one would not be shown."))
    except reporting.NoFigure:
        flash(_("There is no amount in this answer that could be shown. Reject it instead."))
    else:
        flash(_("Your verdict is kept."))
    db.session.commit()
    return _to(listing)


@bp.post("/<int:id>/rule")
@needs(Permission.JUDGE_REPORTS)
def change_rule(id: int) -> Any:
    listing, form = found(Listing, id), RuleForm()
    if not form.validate():
        return _page(listing, rule=form), 400
    reason = form.reason.data.strip()
    editing.change_rule(listing, Rule(form.rule.data), reason, datetime.now(UTC), me())
    db.session.commit()
    flash(_("The rule is kept."))
    return _to(listing)


@bp.post("/<int:id>/asking")
@needs(Permission.EDIT_CAMPAIGNS)
def change_asking(id: int) -> Any:
    listing, form = found(Listing, id), AskingForm()
    if not form.validate():
        return _page(listing, asking=form), 400
    with form.refusing({editing.NobodyToAsk: "asking"}):
        editing.change_asking(listing, Asking(form.asking.data), datetime.now(UTC), me())
    if form.errors:
        return _page(listing, asking=form), 400
    db.session.commit()
    flash(_("This is kept."))
    return _to(listing)


def _page(
    listing: Listing,
    report: ReportForm | None = None,
    verdict: VerdictForm | None = None,
    rule: RuleForm | None = None,
    asking: AskingForm | None = None,
) -> str:
    campaign, name = found(Campaign, listing.campaign_id), figure.platform(listing)
    title = campaign.text(language.current()).title
    shown = progress.of(campaign, datetime.now(UTC)).listings
    place = next(place for place, one in enumerate(shown) if one.listing.id == listing.id)
    failures = _newest(PollFailure, PollFailure.listing_id == listing.id, PollFailure.at)
    # A form that was not sent shows what is, whatever another form of the page has sent.
    return show(
        "staff/listing.html",
        _("%(platform)s for %(campaign)s", platform=name, campaign=title),
        (_("Campaigns"), url_for("staff.campaigns.index")),
        (title, url_for("staff.campaigns.one", id=campaign.id)),
        listing=listing,
        part=figure.part(place, shown[place]),
        held=reported.held(listing.id),
        reports=_newest(Report, Report.listing_id == listing.id, Report.moment),
        failures=failures,
        answer=raw_answers.last(listing.id),
        answers=raw_answers.of_failures(failure.id for failure in failures),
        entries=_newest(Entry, (Entry.listing_id == listing.id) & stands(), Entry.id),
        report_form=report or ReportForm(formdata=None, moment=_local_now()),
        verdict_form=verdict or VerdictForm(formdata=None),
        rule_form=rule or RuleForm(formdata=None, rule=listing.rule.value),
        asking_form=asking or AskingForm(formdata=None, asking=listing.asking.value),
        way_form=ways.form(listing),
        contract_form=contract.form_of(listing),
        rules=RULES,
        askings=ASKING | {Asking.REFUSED: _l("Refused by the platform; staff enter the figure")},
        states=STATES,
        origins=ORIGINS,
    )


def _newest(kind: Any, where: Any, by: Any) -> list[Any]:
    return list(db.session.scalars(select(kind).where(where).order_by(by.desc()).limit(SHOWN)))


def _local_now() -> datetime:
    return datetime.now(ZoneInfo(me().timezone)).replace(tzinfo=None, second=0, microsecond=0)


def _to(listing: Listing) -> Response:
    return redirect(url_for("staff.listings.one", id=listing.id))
