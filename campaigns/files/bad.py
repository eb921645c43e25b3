"""Why a file is not read, and the limits that a file must keep."""

LARGEST_FILE = 64 * 1024 * 1024  # bytes as uploaded
MOST_ROWS = 1_000_000
LONGEST_LINE = 256 * 1024  # characters; a table has no such line


class BadFile(ValueError):
    """The file as a whole cannot be read.

    The message is a sentence of the catalogue for staff, behind a colon what needs no translation.
    """

    def __init__(self, sentence: str, detail: object = "") -> None:
        super().__init__(f"{sentence}: {detail}" if detail != "" else sentence)
