"""Why letters did not arrive, or nobody knows: one word for each reason, asked of the rows."""

from enum import StrEnum

from sqlalchemy import ColumnElement, ScalarSelect, case, exists, func, select
from sqlalchemy.sql.elements import SQLCoreOperations

from campaigns.mail.status import BOUNCES, Meaning
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.returned import Return
from campaigns.model.suppression import Suppression, SuppressionCause

State = DeliveryState
Hashed = SQLCoreOperations[str] | SQLCoreOperations[str | None]


class Reason(StrEnum):
    """The first are a relay's, then come those of the claim, of suppression, and of doubt."""

    NO_SUCH_ADDRESS = "no such address"
    FULL = "mailbox full"
    POLICY = "policy"
    REFUSED = "refused"
    DID_NOT_ARRIVE = "did not arrive"
    UNFIT = "unfit"
    STAFF_SAID = "staff said"
    NO_CONSENT = "no consent"
    NO_ADDRESS = "no address"
    MERGED = "merged"
    DIGEST = "digest"
    NOT_ACTIVE = "not active"
    LEFT = "left"
    UNREACHABLE = "unreachable"
    COMPLAINED = "complained"
    STAFF_STOPPED = "staff stopped"
    DIED = "died"
    SILENT = "silent"
    SET_BACK = "set back"


# What `deliveries.settle_unknown` writes as the answer of an attempt.
BY_STAFF = "settled by staff"

# What `mail.status.refusal` reads from an answer, as patterns that both databases understand. The
# code stands for itself: not in an address of the network, a version or a date.
_CODE = r"(^|[^0-9.]){}(\.?$|\.?[^0-9.])"
POLICY_SAID = (
    "(?i)(" + _CODE.format(r"([245]\.7\.[0-9]+|[245]\.1\.[78])") + "|DT:SPM|mail content denied)"
)
NO_SUCH_SAID = _CODE.format(r"5\.1\.(1|2|3|6|10)")
FULL_SAID = _CODE.format(r"[245]\.2\.2")

_BY_CAUSE = (
    (SuppressionCause.COMPLAINED, Reason.COMPLAINED),
    (SuppressionCause.BOUNCED, Reason.UNREACHABLE),
    (SuppressionCause.LEFT, Reason.LEFT),
    (SuppressionCause.STAFF, Reason.STAFF_STOPPED),
)
_AT_CLAIM = {Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.MERGED, Reason.NOT_ACTIVE}


def of() -> ColumnElement[str | None]:
    """Why the statement's delivery is in its state, as a clause; null where there is no why.

    What suppresses an address is asked as it stands now; everything else as it was recorded.
    """
    return case(
        (Delivery.state == State.FAILED, _last(State.FAILED, _failed())),
        (Delivery.state == State.BOUNCED, _bounced()),
        (Delivery.state == State.SUPPRESSED, _suppressed()),
        (
            Delivery.state == State.UNKNOWN,
            func.coalesce(_last(State.UNKNOWN, _in_doubt()), Reason.SET_BACK.value),
        ),
    )


def suppressed(address_hash: Hashed) -> ColumnElement[str | None]:
    """What stands against an address, as a clause: the worst of its suppressions, or null."""
    return case(
        *(
            (
                exists().where(
                    Suppression.address_hash == address_hash, Suppression.cause == cause
                ),
                reason.value,
            )
            for cause, reason in _BY_CAUSE
        )
    )


def _last(state: State, value: ColumnElement[str]) -> ScalarSelect[str]:
    """A value of the newest attempt that ended in the state."""
    return (
        select(value)
        .where(Attempt.delivery_id == Delivery.id, Attempt.outcome == state)
        .order_by(Attempt.id.desc())
        .limit(1)
        .correlate(Delivery)
        .scalar_subquery()
    )


def _failed() -> ColumnElement[str]:
    return case(
        (Attempt.answer == BY_STAFF, Reason.STAFF_SAID.value),
        (Attempt.code.is_(None), Reason.UNFIT.value),
        (Attempt.answer.regexp_match(POLICY_SAID), Reason.POLICY.value),
        (Attempt.answer.regexp_match(NO_SUCH_SAID), Reason.NO_SUCH_ADDRESS.value),
        (Attempt.answer.regexp_match(FULL_SAID), Reason.FULL.value),
        else_=Reason.REFUSED.value,
    )


def _in_doubt() -> ColumnElement[str]:
    """A process that died reached no relay's answer, so its attempt names no transport."""
    return case((Attempt.transport == "", Reason.DIED.value), else_=Reason.SILENT.value)


def _bounced() -> ScalarSelect[str]:
    said = case(
        (Return.meaning == Meaning.HARD, Reason.NO_SUCH_ADDRESS.value),
        (Return.meaning == Meaning.POLICY, Reason.POLICY.value),
        else_=Reason.DID_NOT_ARRIVE.value,
    )
    return (
        select(said)
        .where(Return.delivery_id == Delivery.id, Return.meaning.in_(BOUNCES))
        .order_by(Return.id.desc())
        .limit(1)
        .correlate(Delivery)
        .scalar_subquery()
    )


def _suppressed() -> ColumnElement[str | None]:
    """The claim said why; what "suppressed" means stands with the address.

    Of a person's two letters merging calls one off, without a claim. An address that nothing
    stands against any more had left and came again: bounces and complaints are never lifted.
    """
    answer = case(
        (Attempt.answer.in_([reason.value for reason in _AT_CLAIM]), Attempt.answer), else_=None
    )
    merged = select(Donor.id).where(Donor.id == Delivery.donor_id, Donor.merged_into.is_not(None))
    return func.coalesce(
        _last(State.SUPPRESSED, answer),
        case((merged.correlate(Delivery).exists(), Reason.MERGED.value)),
        suppressed(Delivery.address_hash),
        Reason.LEFT.value,
    )
