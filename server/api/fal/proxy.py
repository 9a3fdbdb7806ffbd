"""The proxy that one client is pointed at: it dispatches here and forwards nothing anywhere."""

from urllib.parse import unquote, urlsplit

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.fal.place import HOSTS
from server.errors import MalformedBody

TARGET = "x-fal-target-url"


class Inside(Response):
    """Answers as another path of ours does, with the request's own body and headers."""

    def __init__(self, app: ASGIApp, path: str, query: str) -> None:
        """``app`` answers ``path``."""
        super().__init__()
        self._app, self._path, self._query = app, path, query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing of the request has been read yet."""
        changed = {
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": self._query.encode(),
            "path_params": {},
        }
        await self._app({**scope, **changed}, receive, send)


def dispatch(request: Request, app: ASGIApp) -> Inside:
    """The answer to what the request would have asked of one of the hosted servers.

    Raises:
        MalformedBody: it names no address, or one of another server.
    """
    target = request.headers.get(TARGET, "")
    msg = f"{TARGET} is an https URL of {', '.join(HOSTS)}"
    try:
        url = urlsplit(target)
        host = url.hostname or ""
    except ValueError as error:
        raise MalformedBody(msg) from error
    if host not in HOSTS or url.scheme != "https":
        raise MalformedBody(msg)
    return Inside(app, HOSTS[host] + unquote(url.path), url.query)
