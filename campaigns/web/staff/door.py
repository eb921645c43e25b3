"""The door of staff pages: nobody passes without a session, a permission and a form's token."""

from datetime import timedelta
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError

from campaigns.web.staff import (
    answers,
    anywhere,
    byhand,
    calendar,
    campaigns,
    claims,
    codes,
    contacts,
    contract,
    corrections,
    days,
    deeds,
    design,
    donors,
    drafted,
    erasures,
    exports,
    festivals,
    figures_by_hand,
    figures_table,
    health,
    images,
    import_rows,
    imports,
    ledger,
    letter_exports,
    letters,
    limits,
    listings,
    login,
    mailhooks,
    mailings,
    mappings,
    matches,
    me,
    merges,
    notices,
    organisation,
    outbox,
    pasted,
    people,
    placements,
    proofs,
    rates,
    rates_table,
    recipients,
    reconciliation,
    records,
    reset,
    returned,
    review,
    segments,
    session,
    settle,
    timelines,
    today,
    transports,
    turned,
    unplaced,
    updates,
    waiting,
    ways,
    webhooks,
)

# The only pages that ask for no permission.
OPEN = frozenset(
    {
        "staff.login.ask",
        "staff.login.enter",
        "staff.login.leave",
        "staff.reset.forgotten",
        "staff.reset.send",
        "staff.reset.ask",
        "staff.reset.change",
    }
)
# A day's work; each request begins it anew.
IDLE = timedelta(hours=12)

bp = Blueprint("staff", __name__, url_prefix="/staff")
csrf = CSRFProtect()
PARTS = (login, reset, today, campaigns, listings, answers, anywhere, ways, contract,
         festivals, figures_by_hand, figures_table,
         ledger, days, corrections, byhand, pasted, matches, rates,
         imports, review, import_rows, mappings, mailhooks,
         rates_table, deeds,
         settle, placements, unplaced, turned, reconciliation, donors, erasures, merges, claims,
         codes, contacts, exports, drafted,
         notices, webhooks, updates, proofs, images, mailings, letters, recipients,
         letter_exports, segments, calendar, returned,
         organisation, people, transports, records,
         health, limits, outbox, timelines, me, design)  # fmt: skip
for part in PARTS:
    bp.register_blueprint(part.bp)


def init_app(app: Flask) -> None:
    app.config.update(
        # Public pages neither see nor set the cookie of staff.
        SESSION_COOKIE_PATH="/staff",
        SESSION_COOKIE_NAME="staff",
        PERMANENT_SESSION_LIFETIME=IDLE,
        # Only staff pages have sessions; their guard asks for the token, which lives as long as
        # the session, so that nobody loses an hour's writing.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    session.init_app(app)
    waiting.init_app(app)
    csrf.init_app(app)
    app.register_error_handler(CSRFError, _no_token)
    app.register_blueprint(bp)


@bp.before_request
def _guard() -> Any:
    session.speak()
    csrf.protect()
    if request.endpoint in OPEN:
        return None
    staff = session.person()
    if staff is None:
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("staff.login.ask", next=here))
    permission = getattr(current_app.view_functions[request.endpoint or ""], "permission", None)
    if permission is None or not staff.may(permission):
        abort(403, _("This page is not part of your role. An administrator can change that."))
    return None


@bp.after_request
def _forget(response: Response) -> Response:
    """Whoever changed something sees at once what that leaves to do."""
    if request.method not in ("GET", "HEAD"):
        waiting.counts().forget()
    return response


def _no_token(error: CSRFError) -> Any:
    reason = _("The page stood open too long, or your session ended. Go back, load it again "
               "and send the form once more; copy longer texts first.")  # fmt: skip
    return render_template("errors/error.html", code=400, reason=reason), 400
