"""Sources that this very server has handed out: an upload, or what an earlier request made.

They are taken from the store by their signed links, and nothing is fetched: which host a link names
does not matter, for only this server can have signed it.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pipelines.errors import SourceUnavailable
from server.api.reception import ASSET
from server.errors import AssetNotFound, BlobMissing, LinkInvalid
from server.images.assets import Asset, Assets
from server.images.links import Links
from server.images.store import VOLATILE, ImageStore

UPLOADED = "faluploads/"
"""Begins what a link to an upload is signed for."""

MADE = ("outputs/", f"{VOLATILE}outputs/")
GONE = "the picture at image_url is gone"

_OURS = re.compile(r"/(?:files|uploads)/(?P<token>[^/]+)/(?P<label>[^/]*)$")


class Found(NamedTuple):
    """A source as the reception takes it: named, or brought along."""

    sources: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Looks where a source is."""

    links: Links
    assets: Assets
    store: ImageStore

    def find(self, url: str, owner: str) -> Found:
        """The source of one of the owner's requests; whoever has a link may use what it is for.

        Raises:
            SourceUnavailable: it was here and is gone, or has not come yet.
        """
        name, label = self._open(url)
        try:
            if name.startswith(UPLOADED):
                return self._find_upload(self.assets.find_blob(to_blob(name)), owner)
            if name.startswith(MADE):
                return Found(files=((label, self.store.read(name)),))
        except (AssetNotFound, BlobMissing) as error:
            raise SourceUnavailable(GONE) from error
        return Found((url,))

    def _find_upload(self, asset: Asset, owner: str) -> Found:
        if asset.confirmed_at is None:
            msg = "nothing has been uploaded to image_url yet"
            raise SourceUnavailable(msg)
        if asset.owner == owner:
            return Found((ASSET + asset.id,))
        return Found(files=((asset.name, self.store.read(asset.blob)),))

    def _open(self, url: str) -> tuple[str, str]:
        """What a link is signed for, and its label; nothing for any other URL."""
        if not url.startswith(("https://", "http://")):
            return "", ""
        try:
            found = _OURS.search(urlsplit(url).path)
            return (self.links.open(found["token"]), unquote(found["label"])) if found else ("", "")
        except (ValueError, LinkInvalid):
            return "", ""


def to_blob(name: str) -> str:
    """The blob of the upload that a link is signed for."""
    return f"assets/{name.split('/')[1]}/0"
