"""Why a file is not read, and the limits that a file must keep."""

LARGEST_FILE = 64 * 1024 * 1024  # bytes as uploaded
MOST_ROWS = 1_000_000
LONGEST_LINE = 256 * 1024  # characters; a table has no such line


class BadFile(ValueError):
    """The file as a whole cannot be read; the message is a plain sentence for staff."""
