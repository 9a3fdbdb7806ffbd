"""Where uploads lie, and who may put what there.

A link to an upload reads, a *place* writes, a *token* begins another upload; each is signed for its
own purpose and good for no other. What came whole, or was completed, never changes.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from server.api.fal.source import UPLOADED, to_blob
from server.errors import (
    BlobMissing,
    BodyTooLarge,
    InvalidBody,
    LinkInvalid,
    NotFound,
    Unauthenticated,
)
from server.images.assets import Asset, Assets
from server.images.label import clean_label
from server.images.links import Links
from server.images.store import ImageStore

PLACE = "falplaces/"
"""Begins what a place is signed for."""

TOKEN = "falkeys/0/"  # noqa: S105  a beginning, no secret
"""Begins what a token is signed for: a key's id and a time."""

LIFETIME = 3600
"""Seconds of a token."""

BYTES = "application/octet-stream"

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)


class Token(NamedTuple):
    """What an upload to the other host is sent with; ``expires`` is in Unix seconds."""

    text: str
    expires: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """The uploads; none has more than ``most_bytes``."""

    assets: Assets
    store: ImageStore
    links: Links
    most_bytes: int

    def announce(self, owner: str, name: str, media_type: str) -> Asset:
        """A new upload, of which nobody says how large it will be."""
        known = _MEDIA_TYPE.fullmatch(media_type) is not None
        return self.assets.announce(owner, clean_label(name), media_type if known else BYTES, 0)

    def keep(self, asset: Asset, data: bytes) -> None:
        """Keep all of an upload, once; the same again changes nothing.

        Raises:
            LinkInvalid: something else lies there.
            InvalidBody, BodyTooLarge: nothing came, or too much.
        """
        self._measure(data)
        if asset.confirmed_at is None:
            self.assets.receive(replace(asset, size=len(data)), data)
            self.assets.confirm(asset.owner, asset.id)
        elif self.store.read(asset.blob) != data:
            raise LinkInvalid

    def keep_part(self, asset: Asset, number: int, data: bytes) -> str:
        """Keep a part, and give the tag that it is known by; raises as ``keep``."""
        self._measure(data)
        if asset.confirmed_at is not None:
            raise LinkInvalid
        self.store.put(_part(asset, number), data)
        return _tag(data)

    def complete(self, asset: Asset, tags: Mapping[int, str]) -> None:
        """Put the parts together; raises InvalidBody where one is not what its tag says."""
        if asset.confirmed_at is not None:
            return  # it is said twice
        whole = bytearray()
        for number, tag in sorted(tags.items()):
            part = self._read_part(asset, number)
            if _tag(part) != tag:
                msg = f"part {number} is not here as its etag says"
                raise InvalidBody(msg)
            whole += part
            self._measure(whole)
        self.keep(asset, bytes(whole))
        for number in tags:
            self.store.delete(_part(asset, number))

    def read(self, link: str) -> tuple[Asset, bytes]:
        """An upload and its bytes; raises NotFound."""
        asset = self._find(link, UPLOADED)
        if asset.confirmed_at is None:
            raise NotFound
        try:
            return asset, self.store.read(asset.blob)
        except BlobMissing as error:
            raise NotFound from error

    def sign_link(self, asset: Asset) -> str:
        """For those who read."""
        return self.links.sign(f"{UPLOADED}{asset.id}/0")

    def sign_place(self, asset: Asset) -> str:
        """For the one who writes."""
        return self.links.sign(f"{PLACE}{asset.id}/0")

    def find_place(self, place: str) -> Asset:
        """What is to lie there; raises NotFound."""
        return self._find(place, PLACE)

    def make_token(self, owner: str) -> Token:
        """For the holder of a key, who then needs no key for a while."""
        expires = int(time.time()) + LIFETIME
        return Token(self.links.sign(f"{TOKEN}{owner}.{expires}"), expires)

    def read_token(self, text: str) -> str:
        """Whose it is; raises Unauthenticated."""
        try:
            name = self.links.open(text)
        except LinkInvalid as error:
            raise Unauthenticated from error
        owner, _, expires = name.removeprefix(TOKEN).rpartition(".")
        if not name.startswith(TOKEN) or int(expires) <= time.time():
            raise Unauthenticated
        return owner

    def _find(self, signed: str, purpose: str) -> Asset:
        name = self.links.open(signed)
        if not name.startswith(purpose):
            raise LinkInvalid
        return self.assets.find_blob(to_blob(name))

    def _read_part(self, asset: Asset, number: int) -> bytes:
        """Nothing where it has not come."""
        try:
            return self.store.read(_part(asset, number))
        except BlobMissing:
            return b""

    def _measure(self, data: bytes | bytearray) -> None:
        if not data:
            msg = "nothing came"
            raise InvalidBody(msg)
        if len(data) > self.most_bytes:
            msg = f"an upload has at most {self.most_bytes} bytes"
            raise BodyTooLarge(msg)


def _part(asset: Asset, number: int) -> str:
    return f"assets/{asset.id}/{number}"


def _tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'
