"""Small tables: a file of text that travels on in a form's field, and why one cannot be read."""

from contextlib import closing
from io import BytesIO
from typing import Any

from flask_babel import gettext as _

from campaigns.files import charsets
from campaigns.files.bad import BadFile
from campaigns.files.pasted import Columns, MissingColumn, NoTable, TooManyRows, UnknownColumn

LARGEST = 1024 * 1024  # bytes
LONGEST = 100_000  # characters, as a browser sends them back with the form


def text(upload: Any) -> str:
    """What an uploaded file says, in the charset it is most likely in; it is closed.

    Raises `BadFile`, and `TooManyRows` for one that is too large.
    """
    with closing(upload) as file:
        return decoded(file.read(LARGEST + 1))


def decoded(content: bytes) -> str:
    """`text` of bytes; more than `LARGEST` are too many."""
    if len(content) > LARGEST:
        raise TooManyRows("The file is larger than 1 MB.")
    guess = charsets.guess(lambda: BytesIO(content))
    text = "".join(charsets.text(lambda: BytesIO(content), guess.charset))
    if len(text) > LONGEST:
        raise TooManyRows("The table is longer than a form can carry.")
    return text


def told(error: BadFile, columns: Columns) -> str:
    """Why a table as a whole is none, in the reader's language."""
    names = ", ".join(columns.headings)
    if isinstance(error, UnknownColumn):
        return _("No column is called “%(name)s”. There are: %(columns)s.",
                 name=error.name, columns=names)  # fmt: skip
    if isinstance(error, MissingColumn):
        return _("The column “%(name)s” must be there once.", name=error.name)
    if isinstance(error, TooManyRows):
        return _("At most %(most)s rows and 1 MB are read at once. Cut the table in two.",
                 most=columns.most)  # fmt: skip
    if isinstance(error, NoTable):
        return _("Name the columns in the first row: %(columns)s.", columns=names)
    return _("This is no table of text that can be read. Save it as CSV.")
