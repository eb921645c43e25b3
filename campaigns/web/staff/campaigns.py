"""Campaigns: the list, one with its listings and figure, creating and changing one."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField

from campaigns import editing, organisations, progress
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.correction import Correction
from campaigns.model.staff import Permission
from campaigns.model.update import Update
from campaigns.web import language
from campaigns.web.staff import figure
from campaigns.web.staff.forms import (
    LANGUAGES,
    SHORT,
    AmountField,
    CountField,
    DayField,
    Form,
    currency_field,
    longest,
    offer,
    optional,
    read_amount,
    required,
    select_field,
)
from campaigns.web.staff.page import campaign_tabs, found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("campaigns", __name__, url_prefix="/campaigns")

# What leads from one state to the next, as buttons say it.
MOVES = {
    CampaignState.LIVE: _l("Put it live"),
    CampaignState.PAUSED: _l("Pause raising"),
    CampaignState.ENDED: _l("End raising"),
    CampaignState.CLOSED: _l("Close it"),
}
REFUSALS: dict[type[Exception], str] = {
    editing.BadSlug: "slug",
    editing.SlugTaken: "slug",
    editing.NoTitle: "title_zh",
    editing.BadTarget: "target",
    editing.DatesReversed: "ends_on",
    editing.CurrencyFixed: "currency",
}


class CampaignForm(Form):
    title_zh = StringField(_l("Title"), [longest(200)])
    summary_zh = TextAreaField(_l("In a sentence or two"), [longest(1000)])
    story_zh = TextAreaField(_l("The story"), [longest(100_000)], description=_l("Markdown."))
    title_en = StringField(_l("Title"), [longest(200)])
    summary_en = TextAreaField(_l("In a sentence or two"), [longest(1000)])
    story_en = TextAreaField(_l("The story"), [longest(100_000)], description=_l("Markdown."))
    default_locale = select_field(
        _l("First language"), LANGUAGES, description=_l("Shown where the other is missing.")
    )
    slug = StringField(
        _l("Address"),
        [required(_l("Write an address, such as after-school.")), longest(80)],
        filters=[lambda text: (text or "").strip().lower()],
        description=_l("The last part of the page's address. Old ones keep leading here."),
    )
    currency = currency_field(_l("Currency"), default="CNY")
    target = AmountField(
        _l("Target"),
        description=_l("Leave it empty if there is none."),
        render_kw={"inputmode": "decimal", "class": "short amount"},
    )
    starts_on = DayField(_l("Starts on"), [optional()])
    ends_on = DayField(_l("Ends on"), [optional()])
    report_every_days = CountField(
        _l("Days between reports"),
        [optional()],
        description=_l("The promise on the page, such as 30."),
        render_kw={"inputmode": "numeric", "class": "short"},
    )
    filing_number = StringField(_l("Fundraising filing number"), [longest(64)])
    receiving = select_field(_l("Received by"))
    executing = select_field(_l("Carried out by"))

    def offer_partners(self) -> "CampaignForm":
        known = {"": "—"} | {
            str(row.id): row.text(language.current()).name for row in organisations.all_of_them()
        }
        offer(self.receiving, known)
        offer(self.executing, known)
        return self

    def plan(self) -> editing.Plan | None:
        """What was typed; None, with reasons, where it cannot be read."""
        target = read_amount(self, "target", self.currency.data)
        if self.errors:
            return None
        texts = self.texts("title", "summary", "story")
        return editing.Plan(
            slug=self.slug.data,
            currency=self.currency.data,
            texts={tag: editing.Words(*words) for tag, words in texts.items()},
            target=target,
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            report_every_days=self.report_every_days.data or None,
            filing_number=(self.filing_number.data or "").strip() or None,
            receiving_id=int(self.receiving.data) if self.receiving.data else None,
            executing_id=int(self.executing.data) if self.executing.data else None,
            default_locale=self.default_locale.data,
        )


class ListingForm(Form):
    address = StringField(
        _l("Address of the page"),
        [required(_l("Paste the address of the campaign's page on a platform.")), longest(2048)],
        description=_l("Copy it from the browser. The platform is recognised by it."),
        render_kw={"type": "url", "inputmode": "url"},
    )


@bp.get("")
@needs(Permission.LOOK)
def index() -> str:
    every = db.session.scalars(select(Campaign).order_by(Campaign.id.desc())).all()
    now = datetime.now(UTC)
    rows = [figure.row(one) for one in progress.many(every, now)]
    return show("staff/campaigns.html", _("Campaigns"), tabs=campaign_tabs("campaigns"), rows=rows)


@bp.get("/new")
@needs(Permission.EDIT_CAMPAIGNS)
def ask_new() -> str:
    return _form_page(CampaignForm(receiving="", executing="").offer_partners(), None)


@bp.post("/new")
@needs(Permission.EDIT_CAMPAIGNS)
def create() -> Any:
    form = CampaignForm().offer_partners()
    plan = form.plan() if form.validate() else None
    if plan is not None:
        with form.refusing(REFUSALS):
            campaign = editing.create(plan, datetime.now(UTC), me())
    if form.errors:
        return _form_page(form, None), 400
    db.session.commit()
    flash(_("The campaign is kept as a draft. Add its listings, then put it live."))
    return _to(campaign)


@bp.get("/<int:id>")
@needs(Permission.LOOK)
def one(id: int) -> str:
    return _page(found(Campaign, id), ListingForm())


@bp.get("/<int:id>/edit")
@needs(Permission.EDIT_CAMPAIGNS)
def ask(id: int) -> str:
    campaign = found(Campaign, id)
    return _form_page(_filled(campaign).offer_partners(), campaign)


@bp.post("/<int:id>/edit")
@needs(Permission.EDIT_CAMPAIGNS)
def change(id: int) -> Any:
    campaign = found(Campaign, id)
    form = CampaignForm().offer_partners()
    plan = form.plan() if form.validate() else None
    if plan is not None:
        with form.refusing(REFUSALS):
            editing.change(campaign, plan, datetime.now(UTC), me())
    if form.errors:
        return _form_page(form, campaign), 400
    db.session.commit()
    flash(_("The campaign is kept."))
    return _to(campaign)


@bp.post("/<int:id>/state")
@needs(Permission.EDIT_CAMPAIGNS)
def move(id: int) -> Any:
    campaign, form = found(Campaign, id), _StateForm()
    try:
        editing.move(campaign, CampaignState(form.to.data), datetime.now(UTC), me())
    except (ValueError, editing.NotNext) as error:
        flash(str(error) if isinstance(error, editing.NotNext) else _("There is no such state."))
    db.session.commit()
    return _to(campaign)


@bp.post("/<int:id>/listings")
@needs(Permission.EDIT_CAMPAIGNS)
def add_listing(id: int) -> Any:
    campaign, form = found(Campaign, id), ListingForm()
    if form.validate():
        with form.refusing({editing.UnknownAddress: "address", editing.ListingTaken: "address"}):
            editing.add_listing(campaign, form.address.data, datetime.now(UTC), me())
    if form.errors:
        return _page(campaign, form), 400
    db.session.commit()
    flash(_("The listing is added. Its first figure comes within a minute."))
    return _to(campaign)


class _StateForm(Form):
    to = StringField()


def _page(campaign: Campaign, form: ListingForm) -> str:
    now = datetime.now(UTC)
    reached = progress.of(campaign, now)
    return show(
        "staff/campaign.html",
        campaign.text(language.current()).title,
        (_("Campaigns"), url_for("staff.campaigns.index")),
        campaign=campaign,
        text=campaign.text(language.current()),
        progress=reached,
        bar=figure.bar(reached),
        figures=[figure.part(place, one) for place, one in enumerate(reached.listings)],
        moves=[(state, MOVES[state]) for state in editing.NEXT[campaign.state]],
        corrections=_corrections(campaign),
        updates=_updates(campaign),
        form=form,
        languages=LANGUAGES,
        partner=lambda row: row.text(language.current()).name if row else None,
    )


def _corrections(campaign: Campaign) -> list[Correction]:
    ids = [listing.id for listing in campaign.listings]
    newest = select(Correction).where(Correction.listing_id.in_(ids)).order_by(Correction.id.desc())
    return list(db.session.scalars(newest.limit(10)))


def _updates(campaign: Campaign) -> list[Update]:
    newest = select(Update).where(Update.campaign_id == campaign.id).order_by(Update.id.desc())
    return list(db.session.scalars(newest.limit(10)))


def _filled(campaign: Campaign) -> CampaignForm:
    texts = {text.locale: text for text in campaign.texts}
    words = {
        f"{name}_{short}": getattr(texts[tag], name)
        for tag, short in SHORT.items()
        if tag in texts
        for name in ("title", "summary", "story")
    }
    return CampaignForm(
        obj=campaign,
        **words,
        receiving=str(campaign.receiving_id or ""),
        executing=str(campaign.executing_id or ""),
    )


def _form_page(form: CampaignForm, campaign: Campaign | None) -> str:
    crumbs = [(_("Campaigns"), url_for("staff.campaigns.index"))]
    if campaign is not None:
        title = campaign.text(language.current()).title
        crumbs.append((title, url_for("staff.campaigns.one", id=campaign.id)))
    title = _("Change the campaign") if campaign else _("New campaign")
    return show("staff/campaign_form.html", title, *crumbs, form=form, campaign=campaign,
                languages=LANGUAGES, short=SHORT)  # fmt: skip


def _to(campaign: Campaign) -> Response:
    return redirect(url_for("staff.campaigns.one", id=campaign.id))
