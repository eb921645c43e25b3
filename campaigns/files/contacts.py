"""Files of contacts: CSV or a workbook, its columns known by their headings in either language."""

from typing import IO

from campaigns.files.bad import BadFile
from campaigns.files.pasted import Columns, Line
from campaigns.files.table import open_table

MOST = 50_000  # rows
HEADINGS = {
    "address": ("email", "e-mail", "mail", "邮箱", "电子邮箱", "邮箱地址", "邮件地址"),
    "name": ("full name", "姓名", "名字", "称呼"),
    "language": ("locale", "语言"),
    "time zone": ("timezone", "时区"),
    "place": ("city", "where they live", "地区", "城市", "所在地"),
    "tags": ("tag", "标签"),
}
COLUMNS = Columns(HEADINGS, needed=("address",), most=MOST)


def read(file: IO[bytes]) -> list[Line]:
    """The rows of a seekable file. Raises what `BadFile` stands for."""
    table = open_table(file)
    refused: BadFile | None = None
    for way in table.ways():
        try:
            return COLUMNS.of(table.rows(way))
        except BadFile as error:
            # The likeliest way to cut rows into cells says best what is wrong.
            refused = refused or error
    raise refused or BadFile("The file is empty.")
