"""Absolute links to outputs and upload places, as the caller can reach this server."""

from dataclasses import dataclass

from fastapi import Request

from server.callbacks.payload import Link
from server.images.data_uri import write_data_uri
from server.images.links import Links
from server.images.store import ImageStore


def inline(store: ImageStore) -> Link:
    """Instead of addresses, the pictures themselves; raises BlobMissing once they are gone."""
    return lambda output: write_data_uri(store.read(output.blob), output.media_type)


@dataclass(frozen=True, slots=True)
class Linker:
    """``base`` is the operator's public address; without it, the one that the caller used."""

    links: Links
    base: str | None = None

    def for_request(self, request: Request) -> Link:
        """Links to outputs for whoever sent ``request``."""
        base = self.base_of(request)
        return lambda output: base + self.links.path(output.blob, output.file_name)

    def base_of(self, request: Request) -> str:
        """Scheme and host, without a slash at the end."""
        return (self.base or str(request.base_url)).rstrip("/")
