"""Pictures: small, upright and silent, and no bomb is unpacked."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from campaigns.files.picture import MOST_PIXELS, BadPicture, TooManyPixels, made


def photograph(width: int = 64, height: int = 48, kind: str = "JPEG", **more: object) -> bytes:
    """Noise of many colours, as a camera makes it."""
    pixels = Image.effect_noise((width, height), 80).convert("RGB")
    into = BytesIO()
    pixels.save(into, kind, **more)
    return into.getvalue()


def drawing(width: int = 40, height: int = 40) -> bytes:
    """A PNG of one colour."""
    into = BytesIO()
    Image.new("RGB", (width, height), "red").save(into, "PNG")
    return into.getvalue()


def with_place() -> bytes:
    """A photograph on its side that says where it was taken and by what."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of Ada"
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 0.0)})
    return photograph(exif=exif, comment=b"secret words", icc_profile=b"secret profile")


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few octets that claims so many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(b"\0" * 1000)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", content), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_nothing_is_left_of_place_camera_and_words() -> None:
    found = made(BytesIO(with_place()))
    opened = Image.open(BytesIO(found.content))
    assert dict(opened.getexif()) == {}
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(opened.info)
    assert b"Ada" not in found.content
    assert b"secret" not in found.content


def test_a_picture_on_its_side_stands_upright() -> None:
    found = made(BytesIO(with_place()))
    assert (found.width, found.height) == (48, 64)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_becomes_a_jpeg_as_wide_as_a_letter_needs(kind: str) -> None:
    found = made(BytesIO(photograph(2000, 1000, kind)))
    assert (found.media_type, found.width, found.height) == ("image/jpeg", 1200, 600)
    assert Image.open(BytesIO(found.content)).format == "JPEG"


def test_a_drawing_and_what_is_see_through_stay_png() -> None:
    clear = BytesIO()
    Image.new("RGBA", (40, 40), (255, 0, 0, 90)).save(clear, "WEBP")
    assert made(BytesIO(drawing())).media_type == "image/png"
    assert made(clear).media_type == "image/png"


def test_the_same_octets_give_the_same_picture() -> None:
    content = photograph()
    assert made(BytesIO(content)) == made(BytesIO(content))


def test_a_bomb_is_refused_by_what_it_claims() -> None:
    with pytest.raises(TooManyPixels):
        made(BytesIO(bomb(MOST_PIXELS // 1000 + 1, 1000)))
    with pytest.raises(BadPicture):
        made(BytesIO(bomb(60_000, 60_000)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.4",
        photograph()[:200],
        photograph(kind="PNG")[:200],
        b"\xff\xd8\xff" + b"\0" * 100,
        bomb(100, 100)[:-12],
    ],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(BadPicture):
        made(BytesIO(content))


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_a_picture_or_refused(seed: int) -> None:
    content = bytearray(photograph(kind=("JPEG", "PNG", "WEBP")[seed % 3]))
    for place in range(seed + 20, len(content), 97 + seed):
        content[place] ^= 0xFF
    try:
        found = made(BytesIO(bytes(content)))
    except BadPicture:
        return
    assert found.content
