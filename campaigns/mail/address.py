"""Addresses: one frozen value for a mailbox, normalised the same way at every door."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Self

import idna
from email_validator import EmailNotValidError, validate_email

# RFC 5321 §4.5.3.1.3 allows 256 octets of path, two of which are its angle brackets.
LONGEST = 254
# The lookbehind keeps the search linear: only the beginning of a word is tried.
_ADDRESS_IN_TEXT = re.compile(r"(?<![^\s<>@,;:\"()])([^\s<>@,;:\"()]+)@(?=[^\s<>@,;:\"()])")

_NAMED = re.compile(r"([^<>\r\n]*)<([^<>]*)>\s*")


class BadAddress(ValueError):
    """The text is no address that a letter could be sent to. The message says why, never which."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A mailbox. Equal addresses are one recipient, whatever the script or case they came in.

    `local` is in NFC and lower case, `domain` in its Unicode form. Lower case and not
    `str.casefold`, which would turn straße@ into the mailbox of somebody else, strasse@.
    """

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a person or a message gave; space around it is ignored. Raises `BadAddress`.

        Whether the domain exists is not asked. Reading `str(address)` again gives the same value.
        """
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            raise BadAddress("The address contains a control character or a line break.")
        if len(text) > 2 * LONGEST:
            raise BadAddress("The address is too long.")
        found = cls(*_checked(unicodedata.normalize("NFC", text.strip()).lower()))
        if len(found.text.encode()) > LONGEST:
            raise BadAddress("The address is too long.")
        return found

    @classmethod
    def known(cls, text: str) -> Self:
        """The address of one of our own rows, which `parse` accepted when it was written."""
        local, _, domain = text.rpartition("@")
        return cls(local, domain)

    @property
    def text(self) -> str:
        """The form that people see and rows keep; the input of hashes."""
        return f"{self.local}@{self.domain}"

    @property
    def ascii_domain(self) -> str:
        """The domain as DNS knows it (IDNA 2008)."""
        if self.domain.isascii():
            return self.domain
        return idna.encode(self.domain, uts46=True).decode("ascii")

    @property
    def wire(self) -> str:
        """The form for SMTP and headers: ASCII wherever the local part lets it be."""
        return self.text if self.needs_smtputf8 else f"{self.local}@{self.ascii_domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only relays with RFC 6531 can carry it."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Address({masked(self.text)})"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Somebody's name, perhaps empty, and address."""

    name: str
    address: Address

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "Facilitators <updates@example.org>" or a bare address. Raises `BadAddress`."""
        found = _NAMED.fullmatch(text)
        if not found:
            return cls("", Address.parse(text))
        name = found[1].strip()
        quoted = len(name) > 1 and name.startswith('"') and name.endswith('"')
        return cls(name[1:-1] if quoted else name, Address.parse(found[2]))


def masked(text: str) -> str:
    """`text` with every address in it reduced to its first letter and domain, fit for a log."""
    return _ADDRESS_IN_TEXT.sub(lambda found: f"{found[1][0]}***@", text)


def _checked(text: str) -> tuple[str, str]:
    try:
        found = validate_email(
            text,
            strict=True,
            allow_smtputf8=True,
            check_deliverability=False,
            test_environment=True,
        )
    except (EmailNotValidError, UnicodeError):
        # The validator's own sentences quote parts of the address, hence a sentence of ours.
        raise BadAddress("This is not a mail address, such as ada@example.org.") from None
    return found.local_part, found.domain
