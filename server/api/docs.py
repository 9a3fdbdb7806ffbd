"""What keeps the API's pages from doing more than they are for.

They share an origin with the page, whose browser may hold a key.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.door import begins
from server.api.page import HEADERS, POLICY

DOCS = "/docs"

INLINE = ("script-src", "style-src")
"""The library's pages begin with a script of their own, and bring styles."""

DOCS_POLICY = "; ".join(
    f"{rule} 'unsafe-inline'" if rule.startswith(INLINE) else rule for rule in POLICY
)


class SafeDocs:
    """Wraps the application; whatever lies below ``/docs`` gets the page's headers."""

    def __init__(self, app: ASGIApp) -> None:
        """Pass everything on to ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers."""
        if scope["type"] != "http" or not begins(scope["path"], DOCS):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**HEADERS, "Content-Security-Policy": DOCS_POLICY})
            await send(message)

        await self._app(scope, receive, sending)
