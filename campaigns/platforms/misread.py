"""The error of a reading that a person set up: what was not found, by which of its settings."""

from campaigns.platforms import fields
from campaigns.platforms.base import Unreadable

_LONGEST = 200


class Misread(Unreadable):
    """A setting does not lead to a figure; `setting` is its name among those of `generic_how`.

    The detail may be a stranger's text: it is cut, and made fit to be kept and shown.
    """

    def __init__(self, reason: str, detail: object = "", *, setting: str = "place") -> None:
        whole = str(detail)[:_LONGEST].encode("utf-8", "replace").decode()
        super().__init__(reason, fields.clean(whole))
        self.setting = setting
