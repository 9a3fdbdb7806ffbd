"""Where fal's four servers lie here, and what links to them look like from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import Request

from server.api.links import Linker
from server.callbacks.payload import Link

RUN, QUEUE, REST, CDN = "/fal/run", "/fal/queue", "/fal/rest", "/fal/cdn"

CDN_HOST = "v3.fal.media"
HOSTS: Mapping[str, str] = MappingProxyType(
    {"fal.run": RUN, "queue.fal.run": QUEUE, "rest.fal.ai": REST, CDN_HOST: CDN}
)
"""Their names, for those who let these lead here, and the paths that theirs lie below."""


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute links for whoever sent a request.

    Who came by one of their names gets links by their names, with nothing before the path; all
    others, and everybody where the operator has said what the public address is, get our paths.
    """

    linker: Linker

    def queue(self, request: Request) -> str:
        """Where the queue's paths begin."""
        base = self.linker.base_of(request)
        return base if self._is_by_name(request) else base + QUEUE

    def cdn(self, request: Request) -> str:
        """Where the paths of pictures and uploads begin."""
        if self._is_by_name(request):
            return str(request.base_url.replace(hostname=CDN_HOST)).rstrip("/")
        return self.linker.base_of(request) + CDN

    def link_from(self, request: Request) -> Link:
        """The addresses of outputs."""
        cdn, links = self.cdn(request), self.linker.links
        return lambda output: cdn + links.path(output.blob, output.file_name)

    def _is_by_name(self, request: Request) -> bool:
        return self.linker.base is None and (request.url.hostname or "") in HOSTS


def is_for_queue(request: Request) -> bool:
    """Whether a request without a mount was sent to some ``queue.`` host."""
    return (request.url.hostname or "").startswith("queue.")
