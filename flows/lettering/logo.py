"""Logos: SVG and pictures opened safely, drawn sharp at the size that is wanted.

An SVG is a program for whoever renders it. Only what outlines need is let through: no script, no
text (fonts differ from machine to machine), no address but `#name`, no entities, no more parts than
a logo has. SVG 2: https://www.w3.org/TR/SVG2/.
"""

from __future__ import annotations

import io
import re
from dataclasses import astuple, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, tostring

from flows.errors import BadInput, Fault
from flows.pictures import Terms, UnreadableError, form_of, shown

if TYPE_CHECKING:
    from PIL import Image

LARGEST_SVG = 500_000
"""Bytes."""
MOST_PARTS = 5_000
"""Elements, each `use` counted as often as it is drawn."""
MOST_PIXELS = 40_000_000
"""Of a logo that is a picture."""
MOST_RATIO = 20
"""Longer side over shorter."""
_LOOKED_AT = 512
"""Pixels of the longer side at which an SVG is searched for what can be seen."""
_NOTHING = "nothing can be seen of it"
_DEEPEST = 60

_SVG = "{http://www.w3.org/2000/svg}"
_DRAWN = frozenset(
    ("svg", "g", "defs", "title", "desc", "metadata", "path", "rect", "circle", "ellipse", "line",
     "polyline", "polygon", "use", "symbol", "clipPath", "mask", "linearGradient", "radialGradient",
     "stop", "style", "a", "switch", "view")
)  # fmt: skip
_REMEDIES = {
    "text": "turn the words into outlines",
    "image": "draw it as outlines, or give the logo as PNG",
    "filter": "export it flat, without effects",
    "pattern": "export it without patterns",
}
_ELSEWHERE = re.compile(
    r"url\(\s*['\"]?\s*(?!#)[^)\s]|@import|expression\s*\(|javascript:", re.IGNORECASE
)
_REACHES = re.compile(r"url\(\s*['\"]?\s*#([^)'\"\s]+)")


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of an SVG's page in its own units."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo that may be drawn."""

    ratio: float
    """Width over height of what can be seen."""
    data: bytes = field(repr=False)
    frame: Frame | None
    """Where in an SVG's page something is to be seen; None of a picture."""
    height: int
    """Pixels of a picture; 0 of an SVG, which has none."""

    @property
    def is_svg(self) -> bool:
        return self.frame is not None


@lru_cache(maxsize=8)
def opened(data: bytes, place: str = "brand.logo") -> Logo:
    """The logo, looked through.

    Raises:
        BadInput: no picture and no SVG, broken, empty, or an SVG with parts that are not let
            through; they are named.

    """
    is_svg = form_of(data) is None and b"<svg" in data[:4096].lower() + data[-4096:].lower()
    if is_svg:
        frame = _frame(data, place)
        return Logo(_possible(frame.width / frame.height, place), data, frame, 0)
    box = _box_of_seen(_picture(data, place))
    if box is None:
        raise _refused(place, _NOTHING)
    width, height = box[2] - box[0], box[3] - box[1]
    return Logo(_possible(width / height, place), data, None, height)


def _possible(ratio: float, place: str) -> float:
    if not 1 / MOST_RATIO <= ratio <= MOST_RATIO:
        allowed = f"1/{MOST_RATIO} to {MOST_RATIO} times"
        raise _refused(place, f"it is {ratio:.3g} times as wide as high", allowed)
    return ratio


def drawn(logo: Logo, width: int, height: int) -> Image.Image:
    """The logo as RGBA of exactly this size, without the blank edges of its file."""
    from PIL import Image

    if logo.frame is not None:
        return _drawn_svg(logo.data, logo.frame, (width, height), "brand.logo")
    picture = _picture(logo.data, "brand.logo")
    box = _box_of_seen(picture)
    return picture.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _box_of_seen(picture: Image.Image) -> tuple[int, int, int, int] | None:
    return picture.getchannel("A").point(lambda level: 255 if level > 8 else 0).getbbox()


def _picture(data: bytes, place: str) -> Image.Image:
    try:
        return shown(data, Terms(most_pixels=MOST_PIXELS, alpha="kept")).convert("RGBA")
    except UnreadableError as error:
        raise _refused(place, str(error), "SVG, PNG, WebP, JPEG, AVIF or TIFF") from error


def _frame(data: bytes, place: str) -> Frame:
    """What can be seen of an SVG: found on its page, and then more finely around there."""
    _looked_through(data, place)
    frame = _page(_parsed(data, place), place)
    for _ in range(3):
        scale = _LOOKED_AT / max(frame.width, frame.height)
        size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
        box = _box_of_seen(_drawn_svg(data, frame, size, place))
        if box is None:
            raise _refused(place, _NOTHING)
        x, y = frame.width / size[0], frame.height / size[1]
        left, top = frame.left + box[0] * x, frame.top + box[1] * y
        found = Frame(left, top, (box[2] - box[0]) * x, (box[3] - box[1]) * y)
        if found.width > 0.5 * frame.width or found.height > 0.5 * frame.height:
            return found
        frame = found
    return frame


def _drawn_svg(data: bytes, frame: Frame, size: tuple[int, int], place: str) -> Image.Image:
    """A part of an SVG's page at exactly this size. Its page is put into one of our own, so that
    lengths in percent stay what they were.
    """
    import resvg_py
    from PIL import Image

    root = _parsed(data, place)
    page = _page(root, place)
    for name in ("width", "height", "x", "y", "preserveAspectRatio"):
        root.attrib.pop(name, None)
    root.set("viewBox", f"{page.left} {page.top} {page.width} {page.height}")
    for name, value in zip(("x", "y", "width", "height"), astuple(page), strict=True):
        root.set(name, str(value))
    view = f"{frame.left} {frame.top} {frame.width} {frame.height}"
    outer = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" width="{size[0]}" '
        f'height="{size[1]}" preserveAspectRatio="none">{tostring(root, encoding="unicode")}</svg>'
    )
    try:
        png = resvg_py.svg_to_bytes(svg_string=outer, skip_system_fonts=True)
        with Image.open(io.BytesIO(bytes(png))) as picture:
            return picture.convert("RGBA")
    except (ValueError, OSError) as error:
        raise _refused(place, f"an SVG that cannot be drawn: {error}") from error


def _page(root: Element, place: str) -> Frame:
    numbers = re.findall(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?", root.get("viewBox", ""))
    page = Frame(0.0, 0.0, _length(root.get("width", "")), _length(root.get("height", "")))
    if len(numbers) == 4:
        page = Frame(*map(float, numbers))
    if not (0.01 < page.width < 1e6 and 0.01 < page.height < 1e6):
        raise _refused(place, "an SVG without a usable viewBox", remedy="give its <svg> a viewBox")
    if not 1 / MOST_RATIO <= page.width / page.height <= MOST_RATIO:
        found = f"its page is {page.width:g} x {page.height:g}"
        raise _refused(place, found, f"a shape from 1:{MOST_RATIO} to {MOST_RATIO}:1")
    return page


def _length(text: str) -> float:
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(px|pt|mm|cm|in|pc)?\s*", text)
    return float(match[1]) if match else 0.0


def _parsed(data: bytes, place: str) -> Element:
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if len(data) > LARGEST_SVG:
        raise _refused(place, f"an SVG of {len(data):,} bytes", f"up to {LARGEST_SVG:,}")
    try:
        root: Element = ElementTree.fromstring(data)
    except DefusedXmlException as error:
        raise _refused(
            place, "an SVG with entities of its own", remedy="export it again"
        ) from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise _refused(place, f"an SVG that is not well-formed: {error}") from error
    return root


def _looked_through(data: bytes, place: str) -> None:
    root = _parsed(data, place)
    if root.tag != f"{_SVG}svg":
        raise _refused(place, f"its root is <{_name(root)}>, not <svg>")
    by_id: dict[str, Element] = {}
    stack = [(root, 1)]
    while stack:
        element, depth = stack.pop()
        if depth > _DEEPEST:
            raise _refused(place, f"parts nested deeper than {_DEEPEST}")
        _let_through(element, place)
        if element.get("id"):
            by_id.setdefault(element.get("id", ""), element)
        stack += [(child, depth + 1) for child in element]
    parts = _counted(root, by_id, {}, (), place)
    if parts > MOST_PARTS:
        raise _refused(place, f"{parts:,} parts are drawn", f"up to {MOST_PARTS:,}")


def _let_through(element: Element, place: str) -> None:
    name = _name(element)
    if not element.tag.startswith(_SVG):
        return  # an editor's own notes, which are not drawn
    if name not in _DRAWN:
        remedy = _REMEDIES.get(name, "export it as plain outlines")
        raise _refused(place, f"an SVG with <{name}>", remedy=remedy)
    for attribute, value in element.attrib.items():
        short = attribute.rpartition("}")[2]
        if short.casefold().startswith("on"):
            raise _refused(place, f"an SVG with a script in {short}", remedy="take it out")
        if (short == "href" and name != "a" and not value.lstrip().startswith("#")) or (
            _ELSEWHERE.search(value)
        ):
            remedy = 'only parts of the same file may be used, as in href="#shape"'
            raise _refused(place, f"an SVG that points elsewhere in {short}", remedy=remedy)
    if name == "style" and _ELSEWHERE.search(element.text or ""):
        raise _refused(place, "an SVG whose style points elsewhere", remedy="take the address out")


def _counted(
    element: Element,
    by_id: dict[str, Element],
    known: dict[Element, int],
    above: tuple[Element, ...],
    place: str,
) -> int:
    """How many elements are drawn for this one, with those that it uses, masks and fills by."""
    if element in above:
        raise _refused(place, "an SVG with a part that uses itself", remedy="export it again")
    if len(above) > 4 * _DEEPEST:
        raise _refused(place, f"parts that use each other deeper than {4 * _DEEPEST}")
    if element in known:
        return known[element]
    count = 1
    around = (*above, element)
    for child in element:
        count += _counted(child, by_id, known, around, place)
    for attribute, value in element.attrib.items():
        names = [value.strip()[1:]] if attribute.endswith("href") else _REACHES.findall(value)
        for name in names:
            if name in by_id:
                count += _counted(by_id[name], by_id, known, around, place)
    known[element] = min(count, 10 * MOST_PARTS)
    return known[element]


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _refused(place: str, found: str, allowed: str = "", remedy: str = "") -> BadInput:
    return BadInput("the logo cannot be used", [Fault(place, found, allowed, remedy)])
