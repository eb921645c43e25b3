"""How to read any page: what a person says once about a listing of the platform `generic`."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import NamedTuple, Self

from campaigns.money import BadMoney, decimals
from campaigns.platforms import addresses, amounts, pointer, selecting
from campaigns.platforms.amounts import Shape
from campaigns.platforms.base import N_, Recognised
from campaigns.platforms.misread import Misread

PAGE, JSON = "page", "json"
LONGEST_ADDRESS = 2000
# What may be read beside the figure.
ALSO = ("donations", "donors", "target", "as_of")


class Where(NamedTuple):
    """Where something else than the figure stands: at a place, behind a text, or both."""

    place: str
    before: str

    @property
    def said(self) -> bool:
        return bool(self.place or self.before)


@dataclass(frozen=True)
class How:
    """Whom to ask, and where in the answer the figure stands.

    `place` is a JSON pointer or a CSS selector, as the listing's way is `json` or `page`; an empty
    selector is the whole page. The rest is told in `amounts.Shape`. `attribute` is for pages only.
    `name` is what the platform is called on our pages. What is said of `ALSO` is read too.
    """

    address: str
    place: str = ""
    attribute: str = ""
    before: str = ""
    after: str = ""
    written: str = "1,234.56"
    unit: str = "major"
    currency: str = "CNY"
    name: str = ""
    donations_place: str = ""
    donations_before: str = ""
    donors_place: str = ""
    donors_before: str = ""
    target_place: str = ""
    target_before: str = ""
    as_of_place: str = ""
    as_of_before: str = ""

    @classmethod
    def told(cls, told: Mapping[str, object] | None, way: str) -> Self:
        """What a row or a form says. Raises `Misread`, which names the setting that cannot be."""
        if way not in (PAGE, JSON):
            raise Misread(N_("The platform is not asked in this way"), way, setting="way")
        if not told:
            raise Misread(N_("It is not said how the answer is to be read."))
        values = {one.name: told.get(one.name, one.default) for one in fields(cls)}
        for name, value in values.items():
            if not isinstance(value, str):
                raise Misread(N_("A setting is missing"), name, setting=name)
        how = cls(**{name: str(value) for name, value in values.items()})
        how._check(way)
        return how

    @property
    def shape(self) -> Shape:
        return Shape(self.before, self.after, self.written, self.unit, self.currency)

    def where(self, name: str) -> Where:
        """Where one of `ALSO` stands."""
        return Where(getattr(self, f"{name}_place"), getattr(self, f"{name}_before"))

    def as_json(self) -> dict[str, str]:
        """As rows keep it; of `ALSO` only what is said, so that rows from before are like new."""
        unsaid = {f"{name}_{part}" for name in ALSO for part in Where._fields}
        return {name: text for name, text in asdict(self).items() if text or name not in unsaid}

    def recognised(self, url: str) -> Recognised:
        """The listing's id and its page. Another figure of the same address is another listing."""
        origin_and_path = self.address.partition("://")[2].partition("?")[0]
        told = "\n".join((self.address, self.place, self.attribute, self.before))
        digest = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:12]
        return Recognised(f"{origin_and_path[:150]}#{digest}", url)

    def _check(self, way: str) -> None:
        address = addresses.split(self.address, LONGEST_ADDRESS)
        if address is None or "://" not in self.address:
            raise Misread(N_("This is no address that we could ask."), setting="address")
        if way == JSON:
            pointer.check(self.place)
        else:
            selecting.check(self.place)
        self._check_also(way)
        labels = (f"{name}_before" for name in ALSO)
        for name in ("attribute", "before", "after", "name", *labels):
            text = getattr(self, name)
            if len(text) > amounts.LONGEST_LABEL or not text.isprintable():
                raise Misread(N_("Write one line of at most so many characters"),
                              amounts.LONGEST_LABEL, setting=name)  # fmt: skip
        self._check_choices()

    def _check_also(self, way: str) -> None:
        for name in ALSO:
            where = self.where(name)
            if not where.said:
                continue
            try:
                (pointer if way == JSON else selecting).check(where.place)
            except Misread as error:
                error.setting = f"{name}_place"
                raise

    def _check_choices(self) -> None:
        if self.written not in amounts.WRITTEN:
            raise Misread(N_("Numbers are not known to be written so"), self.written,
                          setting="written")  # fmt: skip
        if self.unit not in amounts.UNITS:
            raise Misread(N_("This unit is not known"), self.unit, setting="unit")
        try:
            decimals(self.currency)
        except BadMoney as error:
            raise Misread(N_("A currency cannot be read"), self.currency,
                          setting="currency") from error  # fmt: skip
