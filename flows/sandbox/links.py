"""Addresses that the sandbox hands out: results and uploaded references, each with a lifetime."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from starlette.requests import Request

from flows.sandbox.clock import Clock
from flows.sandbox.pictures import Picture

FOR_EVER = float("inf")


@dataclass(slots=True)
class Link:
    """One address. Holds a picture still to be drawn, or bytes that came in."""

    host: str
    path: str
    media_type: str
    dies_at: float
    picture: Picture | None = None
    data: bytes | None = field(default=None, repr=False)
    task: str = ""
    image: int = 0
    owner: str = field(default="", repr=False)
    name: str = ""

    async def read(self) -> bytes:
        """The bytes; a picture is drawn in a thread, when it is first wanted."""
        if self.data is not None:
            return self.data
        assert self.picture is not None
        return await asyncio.to_thread(self.picture.draw)


@dataclass(slots=True)
class Awaited:
    """A presigned address to which bytes may be put once: `path` takes them, `link` will show them.

    `media_type` is the Content-Type that the PUT must carry; None: any.
    """

    path: str
    link: Link
    media_type: str | None
    dies_at: float
    most_bytes: int


class Links:
    """All addresses of one server. Absolute URLs are built from the request's own Host header."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._links: dict[str, Link] = {}
        self._awaited: dict[str, Awaited] = {}

    def publish(
        self, prefix: str, picture: Picture, *, host: str, task: str, image: int, lives_s: float
    ) -> Link:
        """Give a result an address below `prefix` that lives for so many sandbox seconds."""
        return self._keep(
            Link(
                host=host,
                path=f"/{prefix}/files/{secrets.token_urlsafe(18)}.{picture.extension}",
                media_type=picture.media_type,
                dies_at=self._clock.now() + lives_s,
                picture=picture,
                task=task,
                image=image,
            )
        )

    def store(
        self,
        prefix: str,
        data: bytes | None,
        media_type: str,
        *,
        host: str,
        owner: str,
        name: str = "",
        lives_s: float = FOR_EVER,
    ) -> Link:
        """Keep an uploaded reference (None: its bytes are still to come) and give it an address."""
        extension = (media_type.partition("/")[2] or "bin").partition(";")[0].replace("jpeg", "jpg")
        return self._keep(
            Link(
                host=host,
                path=f"/{prefix}/files/{secrets.token_urlsafe(18)}.{extension}",
                media_type=media_type,
                dies_at=self._clock.now() + lives_s,
                data=data,
                owner=owner,
                name=name,
            )
        )

    def expect(
        self, prefix: str, link: Link, *, media_type: str | None, lives_s: float, most_bytes: int
    ) -> Awaited:
        """Open a presigned PUT address whose bytes will stand behind `link`."""
        path = f"/{prefix}/put/{secrets.token_urlsafe(18)}"
        awaited = Awaited(path, link, media_type, self._clock.now() + lives_s, most_bytes)
        self._awaited[path] = awaited
        return awaited

    def awaited(self, path: str) -> Awaited | None:
        """The presigned address, while it lives."""
        awaited = self._awaited.get(path)
        return awaited if awaited and awaited.dies_at > self._clock.now() else None

    def find(self, path: str) -> Link | None:
        """The link at a path, dead ones too; None was never given out or was deleted."""
        return self._links.get(path)

    def is_alive(self, link: Link) -> bool:
        """Whether the link can still be fetched."""
        return link.dies_at > self._clock.now()

    def delete(self, link: Link) -> None:
        """Take an address back."""
        self._links.pop(link.path, None)

    def of(self, owner: str, host: str) -> list[Link]:
        """The uploads of an account that still live."""
        return [
            link
            for link in self._links.values()
            if link.owner == owner and link.host == host and owner and self.is_alive(link)
        ]

    def _keep(self, link: Link) -> Link:
        self._links[link.path] = link
        return link


def absolute(request: Request, path: str) -> str:
    """A path of the sandbox as a URL, under the name by which this client reached it."""
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}{path}"
