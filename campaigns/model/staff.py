"""Staff: who may do what. The table `MAY` is also the document (issue's roles × permissions)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice


class Role(StrEnum):
    FUNDRAISER = "fundraiser"
    EDITOR = "editor"
    APPROVER = "approver"
    TREASURER = "treasurer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    LOOK = "look"
    EDIT_CAMPAIGNS = "edit campaigns"
    ENTER_REPORTS = "enter reports"
    JUDGE_REPORTS = "judge reports"
    SEE_LEDGER = "see ledger"
    BOOK = "book by hand"
    ENTER_RATES = "enter rates"
    SEE_NOTICES = "see notices"
    SEE_DONORS = "see donors"
    WRITE = "write updates"
    APPROVE = "approve mailings"
    SEND = "schedule and stop mailings"
    MANAGE_WEBHOOKS = "set up webhooks"
    ADMINISTER = "administer"


_P = Permission
MAY: dict[Role, frozenset[Permission]] = {
    Role.FUNDRAISER: frozenset({_P.LOOK, _P.EDIT_CAMPAIGNS, _P.ENTER_REPORTS, _P.WRITE}),
    Role.EDITOR: frozenset({_P.LOOK, _P.WRITE, _P.SEND}),
    Role.APPROVER: frozenset({_P.LOOK, _P.WRITE, _P.APPROVE, _P.SEND}),
    Role.TREASURER: frozenset(
        {
            _P.LOOK,
            _P.ENTER_REPORTS,
            _P.JUDGE_REPORTS,
            _P.SEE_LEDGER,
            _P.BOOK,
            _P.ENTER_RATES,
            _P.SEE_NOTICES,
            _P.SEE_DONORS,
        }
    ),
    Role.ADMINISTRATOR: frozenset(Permission),
}


class Staff(Base):
    """A member of staff. `session_key` changes when every session of theirs should end."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    session_key: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(16), default="zh-Hans")
    timezone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)

    roles: Mapped[list["StaffRole"]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    def may(self, permission: Permission) -> bool:
        """Whether one of their roles has the permission; nobody inactive has any."""
        return self.active and any(permission in MAY[held.role] for held in self.roles)


class StaffRole(Base):
    __tablename__ = "staff_roles"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(choice(Role), primary_key=True)
