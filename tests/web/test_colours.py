"""Colours in use reach their contrast in both themes, computed from the stylesheet."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "static/css/site.css").read_text(encoding="utf-8")
TEXT = 4.5  # WCAG 2.2, 1.4.3
SHAPE = 3.0  # WCAG 2.2, 1.4.11

PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-2") for ground in ("paper", "sheet", "wash")),
    *((ink, ground, TEXT) for ink in ("ink-3", "bad") for ground in ("paper", "sheet")),
    *((ink, ground, TEXT) for ink in ("accent", "accent-deep") for ground in ("paper", "sheet")),
    ("accent", "accent-wash", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-deep", TEXT),
    ("paper", "ink", TEXT),
    *((state, f"{state}-wash", TEXT) for state in ("good", "warn", "bad")),
    *(("edge", ground, SHAPE) for ground in ("paper", "sheet")),
    *((f"series-{n}", ground, SHAPE) for n in (1, 2, 3, 4) for ground in ("sheet", "wash")),
    *((state, "wash", SHAPE) for state in ("warn", "bad")),
]


def tokens(theme: str) -> dict[str, str]:
    """The colour roles of a theme: the dark block only names what it changes."""
    light, dark = re.findall(r":root \{\s*color-scheme: (?:light|dark);(.*?)\}", CSS, re.DOTALL)[:2]
    blocks = light if theme == "light" else light + dark
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", blocks))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself_is_right() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_contrast(theme: str, ink: str, ground: str, least: float) -> None:
    colour = tokens(theme)
    assert contrast(colour[ink], colour[ground]) >= least


def test_the_dark_theme_names_every_colour_role() -> None:
    light, dark = re.findall(r":root \{\s*color-scheme: (?:light|dark);(.*?)\}", CSS, re.DOTALL)[:2]
    assert re.findall(r"--([a-z0-9-]+): #", light) == re.findall(r"--([a-z0-9-]+): #", dark)


def test_pieces_name_roles_and_no_colours() -> None:
    pieces = CSS[CSS.index("/* Ground */") :]
    named = set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s])", pieces))
    assert named <= {"#999999", "#ffffff"}, "only paper in print and the letter's own ground"
