"""What staff and the service did, in the reader's language: records keep a short English word."""

from flask import Blueprint
from flask_babel import lazy_gettext as _l

bp = Blueprint("deeds", __name__)

# What `audit.record` is given.
DEEDS = {
    "accepted report": _l("accepted a held figure"),
    "add listing": _l("added a listing"),
    "add partner": _l("added a partner"),
    "add staff": _l("added a colleague"),
    "added import": _l("handed in a file"),
    "advance match": _l("brought a match further"),
    "approved mailing": _l("approved a mailing"),
    "assigned notice": _l("assigned a notice"),
    "assigned rows": _l("assigned rows of a file"),
    "book again": _l("had a notice booked again"),
    "book anew": _l("booked anew"),
    "book by hand": _l("booked by hand"),
    "booked as the file says": _l("booked as the file says"),
    "booked as the notice says": _l("booked as the notice says"),
    "cancelled mailing": _l("cancelled a mailing"),
    "change asking": _l("changed whether a platform is asked"),
    "change campaign": _l("changed a campaign"),
    "change contract": _l("changed what was agreed with a platform"),
    "change festival": _l("changed a festival"),
    "change host": _l("changed how often a host is asked"),
    "change how it is read": _l("changed how a figure is read"),
    "change organisation": _l("changed the organisation"),
    "change own settings": _l("changed their own settings"),
    "change staff": _l("changed a colleague"),
    "change rule": _l("changed the rule of a figure"),
    "change update": _l("changed an update"),
    "changed mail hook": _l("gave a mail provider another secret"),
    "change way": _l("changed how a platform is asked"),
    "changed public name": _l("changed what a gift shows"),
    "changed tolerance": _l("changed what may differ"),
    "committed import": _l("had a file booked"),
    "confirmed timeline": _l("confirmed that the data were set back"),
    "counted import": _l("counted a file into the figures"),
    "create campaign": _l("created a campaign"),
    "create festival": _l("created a festival"),
    "created endpoint": _l("opened an endpoint"),
    "decided rows": _l("decided about rows of a file"),
    "delete festival": _l("deleted a festival"),
    "deleted rule": _l("deleted a rule for unnamed money"),
    "described donor": _l("noted where a donor lives, or their tags"),
    "discarded import": _l("discarded a file"),
    "draft mailing": _l("made a draft of a mailing"),
    "entered rate": _l("entered a rate"),
    "entered report": _l("entered a figure"),
    "expired mailing": _l("a mailing expired"),
    "explained gap": _l("explained a gap"),
    "exported donors": _l("exported donors"),
    "in_review mailing": _l("handed in a mailing for approval"),
    "left notice": _l("left a notice unbooked"),
    "left rows": _l("left rows of a file unbooked"),
    "log in": _l("logged in"),
    "looked at message": _l("decided about a message"),
    "made rule": _l("made a rule for unnamed money"),
    "merged donor": _l("merged two donors"),
    "missed mailing": _l("a mailing missed its hour"),
    "move campaign": _l("changed the state of a campaign"),
    "opened mail hook": _l("let a mail provider tell of letters"),
    "paused": _l("paused an endpoint"),
    "paused mailing": _l("paused a mailing"),
    "publish update": _l("published an update"),
    "read import again": _l("had a file read again"),
    "rejected report": _l("rejected a held figure"),
    "removed mail hook": _l("took nothing more from a mail provider"),
    "resend mailing": _l("sent failed letters again"),
    "resumed": _l("resumed an endpoint"),
    "rotated secret": _l("exchanged keys of an endpoint"),
    "saved mapping": _l("kept a mapping of columns"),
    "scheduled mailing": _l("scheduled a mailing"),
    "sending mailing": _l("a mailing began"),
    "sent mailing": _l("a mailing was sent"),
    "set password": _l("set a password"),
    "settle delivery": _l("settled an unknown letter"),
    "suggest donors again": _l("had two donors suggested again"),
    "take back": _l("took an entry back"),
    "take down update": _l("took an update down"),
    "put_back database": _l("an older copy of the database was noticed"),
    "restored database": _l("a backup was laid back"),
    "told donors apart": _l("told two donors apart"),
    "undid import": _l("the entries of a file were taken back"),
    "undid merge": _l("parted two donors again"),
    "undo import": _l("had a file undone"),
    "write update": _l("wrote an update"),
}
# Rows by the names of their classes.
SUBJECTS = {
    "campaign": _l("Campaign"),
    "delivery": _l("Letter"),
    "donor": _l("Donor"),
    "entry": _l("Entry"),
    "explanation": _l("Explanation"),
    "festival": _l("Festival"),
    "host": _l("Host"),
    "import": _l("Import"),
    "listing": _l("Listing"),
    "mailing": _l("Mailing"),
    "mailhook": _l("Mail provider"),
    "notice": _l("Notice"),
    "organisation": _l("Organisation"),
    "placement": _l("Rule"),
    "rate": _l("Rate"),
    "report": _l("Report"),
    "savedmapping": _l("Mapping"),
    "staff": _l("Colleague"),
    "timeline": _l("Data set back"),
    "update": _l("Update"),
    "webhookendpoint": _l("Endpoint"),
}


@bp.app_template_filter()
def deed(action: str) -> str:
    """A record's action; one that nobody knows any more stays as it was written."""
    return str(DEEDS.get(action, action))


@bp.app_template_filter()
def subject(kind: str) -> str:
    """What sort of row a record is about."""
    return str(SUBJECTS.get(kind, kind))
