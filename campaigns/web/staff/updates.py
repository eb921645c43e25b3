"""Updates: written in Markdown, looked at as page and as letter, published, made a mailing of."""

from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import StringField, TextAreaField

from campaigns import archive, blocks, keeping, mailings, proofreading, text, writing
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Permission
from campaigns.model.update import Update, UpdateKind
from campaigns.web import language
from campaigns.web.staff import drafted, paging, segments, sendings
from campaigns.web.staff.forms import (
    LANGUAGES,
    SHORT,
    Form,
    longest,
    offer,
    select_field,
)
from campaigns.web.staff.page import found, show
from campaigns.web.staff.sandbox import sandboxed
from campaigns.web.staff.session import me, needs

bp = Blueprint("updates", __name__, url_prefix="/updates")

REFUSALS: dict[type[Exception], str] = {writing.NoTitle: "title_zh", writing.UnfitSlot: "body_zh"}
KINDS = {
    UpdateKind.UPDATE: _l("Update of a campaign"),
    UpdateKind.ISSUE: _l("Issue of the newsletter"),
    UpdateKind.APPEAL: _l("Appeal to those who get the newsletter"),
}


class UpdateForm(Form):
    title_zh = StringField(_l("Title"), [longest(200)])
    body_zh = TextAreaField(_l("Text"), [longest(100_000)], render_kw={"rows": 16})
    title_en = StringField(_l("Title"), [longest(200)])
    body_en = TextAreaField(_l("Text"), [longest(100_000)], render_kw={"rows": 16})

    def words(self) -> dict[str, writing.Words]:
        return {tag: writing.Words(*words) for tag, words in self.texts("title", "body").items()}


class NewUpdateForm(UpdateForm):
    kind = select_field(_l("What it is"), KINDS, default=UpdateKind.UPDATE.value)
    campaign = select_field(_l("Campaign, for an update"))

    def offer_campaigns(self) -> "NewUpdateForm":
        every = db.session.scalars(select(Campaign).order_by(Campaign.id.desc()))
        offer(self.campaign, {str(one.id): _title(one) for one in every} | {"": "—"})
        return self

    def about(self) -> Campaign | None:
        """The campaign of an update; what was chosen beside another kind does not count."""
        wanted = self.kind.data == UpdateKind.UPDATE and self.campaign.data
        return found(Campaign, int(self.campaign.data)) if wanted else None


@bp.get("")
@needs(Permission.LOOK)
def index() -> str:
    table = paging.newest_first(select(Update), Update.id, {})
    ids = [update.id for update in table.rows]
    sent = select(Mailing).where(Mailing.update_id.in_(ids)).order_by(Mailing.id)
    of_update: dict[int, list[Mailing]] = {id: [] for id in ids}
    for mailing in db.session.scalars(sent):
        of_update[mailing.update_id].append(mailing)
    return show(
        "staff/updates.html",
        _("Updates & mailings"),
        table=table,
        mailings=of_update,
        title=sendings.title,
        about=_about,
    )


@bp.get("/new")
@needs(Permission.WRITE)
def ask_new() -> str:
    form = NewUpdateForm(campaign=request.args.get("campaign")).offer_campaigns()
    return _form_page(form, None)


@bp.post("/new")
@needs(Permission.WRITE)
def create() -> Any:
    form = NewUpdateForm().offer_campaigns()
    if form.validate():
        kind, now = UpdateKind(form.kind.data), datetime.now(UTC)
        with form.refusing(REFUSALS | {writing.WrongCampaign: "campaign"}):
            update = writing.begin(form.about(), kind, form.words(), now, me())
    if form.errors:
        return _form_page(form, None), 400
    db.session.commit()
    return redirect(url_for("staff.updates.one", id=update.id))


@bp.get("/<int:id>")
@needs(Permission.LOOK)
def one(id: int) -> str:
    update = found(Update, id)
    of_it = select(Mailing).where(Mailing.update_id == id).order_by(Mailing.id.desc())
    sent, now = archive.sent([update]).get(id), datetime.now(UTC)
    return show(
        "staff/update.html",
        sendings.title(update),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        update=update,
        campaign=_campaign(update),
        about=_about(update),
        locales=sendings.languages(update.texts),
        languages=LANGUAGES,
        mailings=list(db.session.scalars(of_it)),
        author=sendings.named(update.author_id),
        segments=keeping.every(),
        sent=sent and sent.started_at,
        findings=proofreading.of(update, now),
        **drafted.shown(update, now),
    )


@bp.get("/<int:id>/edit")
@needs(Permission.WRITE)
def ask(id: int) -> str:
    update = found(Update, id)
    texts = {text.locale: text for text in update.texts}
    words = {
        f"{name}_{short}": getattr(texts[tag], name)
        for tag, short in SHORT.items()
        if tag in texts
        for name in ("title", "body")
    }
    return _form_page(UpdateForm(**words), update)


@bp.post("/<int:id>/edit")
@needs(Permission.WRITE)
def change(id: int) -> Any:
    update, form, now = found(Update, id), UpdateForm(), datetime.now(UTC)
    if form.validate():
        with form.refusing(REFUSALS | {mailings.Refused: "title_zh"}):
            if writing.change(update, form.words(), now, me()):
                mailings.text_changed(update, me(), now)
    if form.errors:
        return _form_page(form, update), 400
    db.session.commit()
    flash(_("The text is kept. Look at it as page and as letter."))
    return redirect(url_for("staff.updates.one", id=id))


@bp.post("/<int:id>/publish")
@needs(Permission.APPROVE)
def publish(id: int) -> Any:
    update = found(Update, id)
    if not update.archived:
        abort(404)
    issue = update.kind is UpdateKind.ISSUE
    said = (
        _("The issue stands on its page.")
        if issue
        else _("The update stands on the campaign's page.")
    )
    return _done(id, writing.publish, said)


@bp.post("/<int:id>/take-down")
@needs(Permission.APPROVE)
def take_down(id: int) -> Any:
    return _done(id, writing.take_down, _("The update is no longer on the page."))


@bp.post("/<int:id>/mailings")
@needs(Permission.WRITE)
def prepare(id: int) -> Any:
    update = found(Update, id)
    segment = segments.chosen(request.form.get("segment", ""), update)
    mailing = mailings.draft(update, segment, me(), datetime.now(UTC))
    db.session.commit()
    return redirect(url_for("staff.mailings.one", id=mailing.id))


@bp.get("/<int:id>/page/<locale>")
@needs(Permission.LOOK)
def preview_page(id: int, locale: str) -> Response:
    """The update as it will stand on the page, in a frame that can do nothing."""
    update = found(Update, id)
    written = update.text(locale, locale)
    language.speak(written.locale, me().timezone)
    now = datetime.now(UTC)
    live = blocks.live(update.campaign_id, now)
    title, body = live.for_anybody(written.title, written.body, written.locale)
    entry: dict[str, Any] = {
        "title": title,
        "url": None,
        "at": update.published_at or now,
        "author": sendings.named(update.author_id),
        "body": text.html(body),
        "corrections": [],
    }
    return sandboxed(render_template("staff/preview.html", entry=entry))


def _done(id: int, step: Any, said: str) -> Any:
    update = found(Update, id)
    try:
        step(update, datetime.now(UTC), me())
    except writing.Refused as refusal:
        said = str(refusal)
    db.session.commit()
    flash(said)
    return redirect(url_for("staff.updates.one", id=id))


def _form_page(form: UpdateForm, update: Update | None) -> str:
    crumbs = [(_("Updates & mailings"), url_for("staff.updates.index"))]
    if update is not None:
        crumbs.append((sendings.title(update), url_for("staff.updates.one", id=update.id)))
    title = _("Change the update") if update else _("Write an update")
    return show("staff/update_form.html", title, *crumbs, form=form, update=update,
                notes=_notes(update), languages=LANGUAGES, short=SHORT)  # fmt: skip


def _notes(update: Update | None) -> list[str]:
    """What somebody asked to be changed before they approve."""
    if update is None:
        return []
    back = select(Mailing.note).where(Mailing.update_id == update.id, Mailing.note.is_not(None))
    return [note or "" for note in db.session.scalars(back.where(Mailing.state == "draft"))]


def _about(update: Update) -> str:
    """The campaign that an update is about, or what else it is."""
    if update.kind is UpdateKind.ISSUE:
        return _("Newsletter, issue %(number)s", number=update.number)
    return _campaign_title(update) or _("Appeal")


def _campaign(update: Update) -> Campaign | None:
    return db.session.get(Campaign, update.campaign_id) if update.campaign_id else None


def _campaign_title(update: Update) -> str:
    campaign = _campaign(update)
    return _title(campaign) if campaign else ""


def _title(campaign: Campaign) -> str:
    return campaign.text(language.current()).title
