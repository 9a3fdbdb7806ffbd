"""Absolute links to outputs and upload places, as the caller can reach this server."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from server.images.links import Links
from server.jobs.job import Output


@dataclass(frozen=True, slots=True)
class Linker:
    """``base`` is the operator's public address; without it, the one that the caller used."""

    links: Links
    base: str | None = None

    def for_request(self, request: Request) -> Callable[[Output], str]:
        """Links to outputs for whoever sent ``request``."""
        base = self.base_of(request)
        return lambda output: base + self.links.path(output.blob, output.file_name)

    def base_of(self, request: Request) -> str:
        """Scheme and host, without a slash at the end."""
        return (self.base or str(request.base_url)).rstrip("/")
