"""What Content Credentials say of a take and of a file cut from it, as C2PA's builder wants it.

Actions, relationships and which of them carry a source type: C2PA technical specification,
https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html, and the
conformance programme, https://github.com/c2pa-org/conformance-public.

Two manifests tell the story. The take's says how it was made, by which system and from what; the
file's opens the take and says what was done to it. So all files of a take share one account of its
origin, and a take that a host has signed keeps the host's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from flows.nouns.campaign import Format, Role
from flows.nouns.rendition import AI_COMPOSITE, SourceType
from flows.pictures import Form, form_of

Step = Literal["cropped", "resized", "extended", "text"]
"""What was done to a take: its edges cut off; scaled; filled up at its edges; words laid over."""

Json = str | bool | list["Json"] | dict[str, "Json"]

# the terms of https://cv.iptc.org/newscodes/digitalsourcetype/: words are laid by ordinary software
_LAID_BY_SOFTWARE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"

TAKE = "take"
"""What a master is called within the builder."""
_SPECIFICATION = "2.4.0"

_MIME: Mapping[Form, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "tiff": "image/tiff",
    "gif": "image/gif",
}
"""What can hold a manifest; a BMP cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A picture that the model was given. Its name and address stay out of the credentials."""

    role: Role
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How a take came to be: the same for all its files. A proof has none, it is never signed."""

    take: bytes
    source_type: SourceType
    """The value that its tags carry too."""
    software: str
    """Name and version of what makes the claim, such as `Shotlist 0.1.0`."""
    system: str
    system_version: str
    references: tuple[Reference, ...] = ()
    created: str = ""
    """ISO 8601 with a zone, or empty where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """A take that carries an account of its origin: what files are derived from."""

    origin: Origin
    account: bytes | None
    """What the library keeps of the signed take as an ingredient, a few kB in place of the
    picture. None: the take's format (BMP) cannot hold an account, its files tell it themselves.
    """
    sha256: str = ""
    """Of the signed take. The account has the library's dice in it, which do not come through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was done to a master to make one file."""

    master: Master
    title: str
    steps: tuple[Step, ...] = ()
    placed: tuple[bytes, ...] = ()
    """Pictures that were laid in, such as a logo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A picture that a manifest names, and the builder's words for it."""

    says: dict[str, Json]
    mime: str | None
    """None where the library cannot look into it: it is named, and nothing is read from it."""
    data: bytes
    is_account: bool = False
    """`data` is a master's account in place of a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A manifest before it is signed."""

    says: dict[str, Json]
    ingredients: tuple[Ingredient, ...]


def mime_of(form: Form | None) -> str | None:
    """The media type of a format that can hold a manifest, or None."""
    return None if form is None else _MIME.get(form)


def take_ingredient(signed_take: bytes) -> Ingredient:
    """The signed take as its files name it."""
    return _ingredient(TAKE, "parentOf", "Generated picture", signed_take)


def of_take(origin: Origin, *, is_host_signed: bool = False) -> Definition:
    """How the take was made: created from a prompt, or a photo that was opened and edited.

    `is_host_signed`: the take has an account already, which says nothing of a model; it is kept,
    and that a model was at work is added.
    """
    actions, ingredients = _birth(origin, origin.take if is_host_signed else None)
    says = _manifest(origin.software, "Generated picture", actions)
    return Definition(says=says, ingredients=tuple(ingredients))


def of_file(story: Story, form: Format) -> Definition:
    """What was done to the master to make this file."""
    origin = story.master.origin
    agent = _agent(origin.software)
    account = story.master.account
    if account is not None:
        says: dict[str, Json] = {"label": TAKE, "sha256": story.master.sha256}
        parent = Ingredient(says=says, mime=None, data=account, is_account=True)
        actions, ingredients = [_action("c2pa.opened", uses=[TAKE])], [parent]
    else:
        actions, ingredients = _birth(origin, None)
    for step in story.steps:
        match step:
            case "cropped":
                actions.append(_action("c2pa.cropped", agent, origin.source_type))
            case "resized":
                actions.append(_action("c2pa.resized.proportional", agent))
            case "extended":
                actions.append(_action("c2pa.edited", agent, origin.source_type))
            case "text":
                actions.append(_action("c2pa.addedText", agent, _LAID_BY_SOFTWARE))
    for number, data in enumerate(dict.fromkeys(story.placed)):
        label = f"placed-{number}"
        ingredients.append(_ingredient(label, "componentOf", "Placed picture", data))
        actions.append(_action("c2pa.placed", agent, uses=[label]))
    converted = form_of(origin.take) != form
    actions.append(_action("c2pa.converted" if converted else "c2pa.transcoded", agent))
    actions.append(_action("c2pa.edited.metadata", agent))
    manifest = _manifest(origin.software, story.title, actions)
    return Definition(says=manifest, ingredients=tuple(ingredients))


def _birth(origin: Origin, parent: bytes | None) -> tuple[list[dict[str, Json]], list[Ingredient]]:
    model: dict[str, Json] = {"name": origin.system, "version": origin.system_version}
    guides = list(dict.fromkeys(origin.references))
    if parent is None and origin.source_type == AI_COMPOSITE:
        canvas = next((one for one in guides if one.role == "canvas"), None)
        if canvas is not None:
            guides.remove(canvas)
            parent = canvas.data
    actions: list[dict[str, Json]] = []
    ingredients: list[Ingredient] = []
    if parent is not None:
        ingredients.append(_ingredient("parent", "parentOf", "Edited picture", parent))
        actions.append(_action("c2pa.opened", uses=["parent"]))
    for number, guide in enumerate(guides):
        title = f"{guide.role.capitalize()} reference"
        ingredients.append(_ingredient(f"reference-{number}", "inputTo", title, guide.data))
    made = _action(
        "c2pa.created" if parent is None else "c2pa.edited",
        model,
        origin.source_type,
        uses=[f"reference-{number}" for number in range(len(guides))],
    )
    if origin.created:
        made["when"] = origin.created
    return [*actions, made], ingredients


def _manifest(software: str, title: str, actions: Sequence[dict[str, Json]]) -> dict[str, Json]:
    said: list[Json] = list(actions)
    return {
        "title": title,
        "claim_generator_info": [_agent(software) | {"specVersion": _SPECIFICATION}],
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "created": True,
                "data": {"actions": said, "allActionsIncluded": True},
            }
        ],
    }


def _action(
    name: str,
    agent: dict[str, Json] | None = None,
    source_type: str | None = None,
    *,
    uses: Iterable[str] = (),
) -> dict[str, Json]:
    said: dict[str, Json] = {"action": name}
    if agent is not None:
        said["softwareAgent"] = agent
    if source_type is not None:
        said["digitalSourceType"] = source_type
    if labels := list[Json](uses):
        said["parameters"] = {"ingredientIds": labels}
    return said


def _agent(software: str) -> dict[str, Json]:
    name, _, version = software.rpartition(" ")
    return {"name": name, "version": version} if name else {"name": software}


def _ingredient(label: str, relationship: str, title: str, data: bytes) -> Ingredient:
    digest = hashlib.sha256(data).hexdigest()
    mime = mime_of(form_of(data))
    says: dict[str, Json] = {
        "label": label,
        "title": title,
        "relationship": relationship,
        "instance_id": f"xmp.iid:{digest}",
    }
    if mime is not None:
        says["format"] = mime
    return Ingredient(says=says, mime=mime, data=data)
