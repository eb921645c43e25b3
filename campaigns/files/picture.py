"""Pictures: what a camera made, as small and as silent as a letter needs it."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

# A column of a letter has 544 px, and screens of today show two of theirs for each.
WIDEST = 1200
TALLEST = 2400
# What a picture claims is believed before a byte of it is unpacked: a bomb costs nothing.
MOST_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 82
# One at a time in each process: unpacked, each may take 200 MB for a moment.
_one = Lock()


class BadPicture(ValueError):
    """No picture that we can take."""


class TooManyPixels(BadPicture):
    """It would be too large once unpacked."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`content` holds pixels and nothing else: no EXIF, place, thumbnail or comment."""

    content: bytes
    media_type: str
    width: int
    height: int


def made(source: IO[bytes]) -> Picture:
    """A JPEG or PNG of at most `WIDEST` by `TALLEST` px of a JPEG, PNG or WebP; upright.

    The same octets give the same picture. Raises `BadPicture` and `TooManyPixels`.
    """
    with _one, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow tells of large images; those are refused here.
        try:
            source.seek(0)
            with Image.open(source, formats=FORMATS) as opened:
                return _made(opened)
        except BadPicture:
            raise
        except (UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise BadPicture(str(error)) from error
        # Pillow raises these for files that are cut off or contradict themselves.
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
            raise BadPicture(type(error).__name__) from error


def _made(opened: Image.Image) -> Picture:
    width, height = opened.size
    if width * height > MOST_PIXELS:
        raise TooManyPixels(f"{width} x {height}")
    # Photographs are unpacked at a fraction of their size where that is enough.
    opened.draft("RGB", (2 * WIDEST, 2 * TALLEST))
    upright = ImageOps.exif_transpose(opened)
    clear = upright.has_transparency_data
    pixels = upright.convert("RGBA" if clear else "RGB")
    pixels.thumbnail((WIDEST, TALLEST), Image.Resampling.LANCZOS)
    if clear and pixels.getchannel("A").getextrema() == (255, 255):
        pixels, clear = pixels.convert("RGB"), False
    if clear:
        return _as_png(pixels)
    if opened.format == "JPEG":
        return _as_jpeg(pixels)
    # Drawings are smaller as PNG, and sharper; photographs are smaller as JPEG.
    return min(_as_png(pixels), _as_jpeg(pixels), key=lambda one: len(one.content))


def _as_png(pixels: Image.Image) -> Picture:
    into = BytesIO()
    _bare(pixels).save(into, "PNG", optimize=True)
    return Picture(into.getvalue(), "image/png", *pixels.size)


def _as_jpeg(pixels: Image.Image) -> Picture:
    into = BytesIO()
    _bare(pixels).save(into, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return Picture(into.getvalue(), "image/jpeg", *pixels.size)


def _bare(pixels: Image.Image) -> Image.Image:
    """A picture of its own, so that nothing of the old one's information comes along."""
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    return bare
