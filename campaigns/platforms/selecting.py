"""Selecting: the parts of an HTML page that a CSS selector fits.

cssselect reads the selector; the page is walked once, from its beginning to its end. Turning the
selector into XPath, as is usual, takes minutes on nested pages, and the engines written in C have
crashed on pages they should not have met (docs/decisions/0041-reading-any-page.md).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from cssselect import SelectorError, parser
from lxml import etree

from campaigns.platforms.base import N_
from campaigns.platforms.misread import Misread

LONGEST = 200  # characters of a selector
MOST_PARTS = 100_000  # of a page
MOST_FOUND = 20
_HIDDEN = frozenset({"script", "style", "template", "noscript", "head"})
# Between these stands no blank: "<b>12</b>,345" is one number, "<td>12</td><td>345</td>" is not.
_INLINE = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q rp rt ruby s samp "
    "small span strong time tt u var wbr".split()
)


@dataclass(frozen=True)
class Place:
    """An element and where it stands among the others of its parent, counted from 1."""

    element: etree._Element
    number: int
    number_of_its_kind: int


Test = Callable[[Place], bool]


@dataclass(frozen=True)
class Step:
    """One part of a selector: what an element must be, and how it stands to the part before."""

    combinator: str
    tests: tuple[Test, ...]


@dataclass
class _Level:
    """What is known at one depth of the page; bit n of a mask says that steps up to n fit."""

    parent: int
    above: int
    before: int = 0
    befores: int = 0
    number: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


def check(selector: str) -> None:
    """Raises `Misread` for a selector that we cannot follow. Empty stands for the whole page."""
    if selector:
        _compiled(selector)


def texts(page: str, selector: str, attribute: str = "") -> list[str]:
    """The text of each part that fits, as a reader sees it, or the value of one attribute.

    Raises `Misread` where nothing fits, or too much.
    """
    root = _parsed(page)
    found = _fitting(root, selector) if selector else [root]
    if not found:
        raise Misread(N_("Nothing on the page fits the selector"), selector)
    if not attribute:
        return [_text(element) for element in found]
    values = [element.get(attribute.lower()) for element in found]
    told = [str(value) for value in values if value is not None]
    if not told:
        raise Misread(N_("What was found has no such attribute"), attribute, setting="attribute")
    return told


def _parsed(page: str) -> etree._Element:
    taking = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(page.encode("utf-8", "replace"), taking)
    except etree.LxmlError:
        root = None
    if root is None:
        raise Misread(N_("The answer is no page that we can read."))
    if any(number >= MOST_PARTS for number, _ in enumerate(root.iter())):
        raise Misread(N_("The page has more parts than we read"), MOST_PARTS)
    return root


def _text(element: etree._Element) -> str:
    if element.tag in _HIDDEN:
        return "".join(element.itertext())
    pieces = [element.text or ""]
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        if node is element:
            continue
        blank = "" if node.tag in _INLINE else " "
        if event == "end":
            pieces += [blank, node.tail or ""]
        elif node.tag in _HIDDEN:
            walk.skip_subtree()
            pieces += [blank, node.tail or ""]
        else:
            pieces += [blank, node.text or ""]
    return "".join(pieces)


def _fitting(root: etree._Element, selector: str) -> list[etree._Element]:
    alternatives = _compiled(selector)
    found: dict[etree._Element, None] = {}
    for steps in alternatives:
        for element in _fitted(root, steps):
            found[element] = None
            if len(found) > MOST_FOUND:
                raise Misread(N_("The selector fits more places than we look at"), MOST_FOUND)
    return list(found)


def _fitted(root: etree._Element, steps: tuple[Step, ...]) -> Iterator[etree._Element]:
    """Each element at which all steps are done. One walk, whatever the page and the selector."""
    last = 1 << (len(steps) - 1)
    levels = [_Level(0, 0)]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            levels.pop()
            continue
        level = levels[-1]
        level.number += 1
        level.kinds[element.tag] += 1
        fits = _mask(steps, Place(element, level.number, level.kinds[element.tag]), level)
        level.before, level.befores = fits, level.befores | fits
        levels.append(_Level(fits, level.above | fits))
        if fits & last:
            yield element


def _mask(steps: tuple[Step, ...], place: Place, level: _Level) -> int:
    known = {" ": level.above, ">": level.parent, "+": level.before, "~": level.befores}
    fits = 0
    for number, step in enumerate(steps):
        reached = number == 0 or known[step.combinator] >> (number - 1) & 1
        if reached and all(test(place) for test in step.tests):
            fits |= 1 << number
    return fits


@lru_cache(maxsize=512)
def _compiled(selector: str) -> tuple[tuple[Step, ...], ...]:
    if len(selector) > LONGEST or not selector.isprintable():
        raise Misread(N_("A selector is one line of at most so many characters"), LONGEST)
    try:
        parsed = parser.parse(selector)
    except (SelectorError, ValueError, RecursionError) as error:
        raise Misread(N_("The selector cannot be read"), selector) from error
    return tuple(_steps(one) for one in parsed)


def _steps(selector: parser.Selector) -> tuple[Step, ...]:
    if selector.pseudo_element is not None:
        _refuse(f"::{selector.pseudo_element}")
    steps, tree = [], selector.parsed_tree
    while isinstance(tree, parser.CombinedSelector):
        steps.append(Step(str(tree.combinator), _tests(tree.subselector)))
        tree = tree.selector
    steps.append(Step("", _tests(tree)))
    return tuple(reversed(steps))


def _tests(tree: object) -> tuple[Test, ...]:
    """What an element must be to fit a part without combinators."""
    if isinstance(tree, parser.Element):
        return () if tree.element is None else (_is_a(tree.element.lower()),)
    if isinstance(tree, parser.Hash):
        return (*_tests(tree.selector), _has("id", "=", tree.id))
    if isinstance(tree, parser.Class):
        return (*_tests(tree.selector), _has("class", "~=", tree.class_name))
    if isinstance(tree, parser.Attrib):
        value = tree.value.value if tree.value else None
        return (*_tests(tree.selector), _has(tree.attrib.lower(), tree.operator, value or ""))
    if isinstance(tree, parser.Negation):
        without = _tests(tree.subselector)
        return (*_tests(tree.selector), lambda place: not all(test(place) for test in without))
    if isinstance(tree, parser.Pseudo):
        return (*_tests(tree.selector), _standing(tree.ident))
    if isinstance(tree, parser.Function):
        return (*_tests(tree.selector), _counted(tree))
    return _refuse(str(tree)[:60])


def _refuse(part: str) -> tuple[Test, ...]:
    raise Misread(N_("We do not understand this part of a selector"), part)


def _is_a(tag: str) -> Test:
    return lambda place: place.element.tag == tag


def _has(attribute: str, operator: str, wanted: str) -> Test:
    compare = _COMPARE[operator]

    def test(place: Place) -> bool:
        value = place.element.get(attribute)
        return value is not None and compare(str(value), wanted)

    return test


_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "exists": lambda value, wanted: True,
    "=": lambda value, wanted: value == wanted,
    "~=": lambda value, wanted: wanted in value.split(),
    "|=": lambda value, wanted: value == wanted or value.startswith(f"{wanted}-"),
    "^=": lambda value, wanted: bool(wanted) and value.startswith(wanted),
    "$=": lambda value, wanted: bool(wanted) and value.endswith(wanted),
    "*=": lambda value, wanted: bool(wanted) and wanted in value,
}


def _standing(name: str) -> Test:
    tests: dict[str, Test] = {
        "first-child": lambda place: place.number == 1,
        "first-of-type": lambda place: place.number_of_its_kind == 1,
        "last-child": lambda place: place.element.getnext() is None,
        "only-child": lambda place: place.number == 1 and place.element.getnext() is None,
    }
    return tests[name] if name in tests else _refuse(f":{name}")[0]


def _counted(function: parser.Function) -> Test:
    if function.name not in ("nth-child", "nth-of-type"):
        _refuse(f":{function.name}()")
    try:
        step, start = parser.parse_series(function.arguments)
    except ValueError as error:
        raise Misread(N_("The selector cannot be read"), f":{function.name}()") from error

    def test(place: Place) -> bool:
        of_kind = function.name == "nth-of-type"
        beyond = (place.number_of_its_kind if of_kind else place.number) - start
        return beyond == 0 if step == 0 else beyond % step == 0 and beyond // step >= 0

    return test
