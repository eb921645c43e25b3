"""Organisations: ours, and the partners that receive or execute (design §1)."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    false,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, choice, db
from campaigns.model.text import Texts
from config import settings

# How many letters to an address may bounce softly in how many days before it gets nothing more.
SOFT_LIMIT, SOFT_DAYS = 3, 30
MOST_SOFT, MOST_DAYS = 20, 365
# Between which minutes of a recipient's day nobody is written to.
QUIET_FROM, QUIET_UNTIL, LAST_MINUTE = 21 * 60, 8 * 60, 24 * 60 - 1
COUNTRY = "CN"
# When thanks go that were gathered, in minutes of the donor's day.
THANKS_AT, THANKS_CURRENCY = 18 * 60, "CNY"


class QuietDays(StrEnum):
    """On which days letters wait for the next: never, on public holidays, or on weekends too."""

    NONE = "none"
    HOLIDAYS = "holidays"
    DAYS_OFF = "days_off"


class ThanksRule(StrEnum):
    """A letter for each gift at once, one for all that a donor gave until an hour, or none."""

    AT_ONCE = "at_once"
    GATHERED = "gathered"
    NONE = "none"


class Organisation(Base):
    """One row is ours (`ours`); the others are receiving and executing partners."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ours: Mapped[bool] = mapped_column(default=False)
    demo: Mapped[bool] = mapped_column(default=False)
    default_locale: Mapped[str] = mapped_column(String(16), default="zh-Hans")
    timezone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    country: Mapped[str] = mapped_column(String(2), default=COUNTRY)
    sender: Mapped[str | None] = mapped_column(String(320))
    reply_to: Mapped[str | None] = mapped_column(String(320))
    contact: Mapped[str | None] = mapped_column(String(320))
    website: Mapped[str | None] = mapped_column(String(2048))
    soft_limit: Mapped[int] = mapped_column(default=SOFT_LIMIT, server_default=text("3"))
    soft_days: Mapped[int] = mapped_column(default=SOFT_DAYS, server_default=text("30"))
    quiet_from: Mapped[int] = mapped_column(default=QUIET_FROM, server_default=text("1260"))
    quiet_until: Mapped[int] = mapped_column(default=QUIET_UNTIL, server_default=text("480"))
    quiet_days: Mapped[QuietDays] = mapped_column(
        choice(QuietDays), default=QuietDays.HOLIDAYS, server_default=text("'holidays'")
    )
    thanks: Mapped[ThanksRule] = mapped_column(
        choice(ThanksRule), default=ThanksRule.AT_ONCE, server_default=text("'at_once'")
    )
    thanks_at: Mapped[int] = mapped_column(default=THANKS_AT, server_default=text("1080"))
    # No thanks for less than so much; zero thanks for every gift.
    thanks_from_minor: Mapped[int] = mapped_column(
        "thanks_from", BigInteger, default=0, server_default=text("0")
    )
    thanks_currency: Mapped[str] = mapped_column(
        String(3), default=THANKS_CURRENCY, server_default=text("'CNY'")
    )
    ad_updates: Mapped[bool] = mapped_column(default=False, server_default=false())
    ad_issues: Mapped[bool] = mapped_column(default=False, server_default=false())
    ad_appeals: Mapped[bool] = mapped_column(default=False, server_default=false())

    texts: Mapped[list["OrganisationText"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )

    __table_args__ = (
        CheckConstraint(f"soft_limit BETWEEN 1 AND {MOST_SOFT}", name="soft_limit"),
        CheckConstraint(f"soft_days BETWEEN 1 AND {MOST_DAYS}", name="soft_days"),
        CheckConstraint(f"quiet_from BETWEEN 0 AND {LAST_MINUTE}", name="quiet_from"),
        CheckConstraint(f"quiet_until BETWEEN 0 AND {LAST_MINUTE}", name="quiet_until"),
        CheckConstraint(f"thanks_at BETWEEN 0 AND {LAST_MINUTE}", name="thanks_at"),
        CheckConstraint("thanks_from >= 0", name="thanks_from"),
        CheckConstraint("length(thanks_currency) = 3", name="thanks_currency"),
        # One installation serves one organisation.
        Index(
            "uq_organisations_ours",
            "ours",
            unique=True,
            sqlite_where=text("ours"),
            postgresql_where=text("ours"),
        ),
    )

    def advertises(self, kind: str) -> bool:
        """Whether letters of this kind of update say in their subject that they advertise.

        China's Measures for E-mail Services (2006), article 13: what is commercial says 广告 or AD.
        """
        return bool(getattr(self, f"ad_{kind}s"))

    def text(self, locale: str) -> "OrganisationText":
        """The texts in `locale`, else in the default language, else in any."""
        return Texts(self.texts, self.default_locale).best(locale)


class OrganisationText(Base):
    __tablename__ = "organisation_texts"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    about: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (CheckConstraint("name <> ''", name="named"),)


def first_language() -> str:
    """The language that the organisation speaks where nobody chose: its own, or the seed's."""
    ours = db.session.scalar(select(Organisation.default_locale).where(Organisation.ours))
    return ours or settings().default_locale
