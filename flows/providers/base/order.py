"""Order: one take to be made, in our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from flows.nouns.campaign import Role
from flows.nouns.recipe import Recipe
from flows.providers.base.shapes import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A reference as a host gets it: within its limits, upright, sRGB, without private metadata.

    `sha256` is that of `data`. `media_type` is `image/jpeg` or `image/png`.
    """

    role: Role
    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    sha256: str

    @property
    def file_name(self) -> str:
        """A name that no other contents have."""
        return f"{self.sha256[:32]}.{'png' if self.media_type == 'image/png' else 'jpg'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A picture that the host has: the address to name it by, and until when it lives there."""

    address: str = field(repr=False)  # it may be signed
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One take: the recipe, the size as this host makes it, its references.

    `addresses` are those of the pictures, in their order, at a host that takes addresses (see
    `Provider.hand_over`), else empty. `callback` is where the host may announce the end.
    """

    recipe: Recipe
    size: Size
    pictures: tuple[Picture, ...] = ()
    addresses: tuple[str, ...] = field(default=(), repr=False)
    callback: str | None = None
    mark: str = ""
    """Our own mark, letters, digits and dashes, where a host logs one: never an idempotency key."""

    @property
    def is_edit(self) -> bool:
        """Whether references guide the model: hosts sell that as another endpoint."""
        return bool(self.pictures)
