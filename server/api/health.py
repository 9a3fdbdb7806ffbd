"""Is it alive, can it work: for supervisors, load balancers and clients."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.errors import ReframeError
from server.api.about import About

Check = Callable[[], None]
"""Returns where all is well, else raises one of our errors."""


def make_router(checks: Mapping[str, Check], about: About) -> APIRouter:
    """The routes; readiness is that every check returns."""
    router = APIRouter(tags=["health"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz")
    async def is_alive() -> dict[str, Any]:
        """200 as long as requests are answered at all."""
        return {"status": "ok"}

    @router.head("/v1/health", include_in_schema=False)
    @router.get("/v1/health")
    async def is_alive_as_hosted() -> dict[str, Any]:
        """The same, as the hosted API words it, with the version and the engines at work."""
        return {"status": "ok", "ok": True, **await run_in_threadpool(about.to_json_always)}

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz")
    async def is_ready() -> JSONResponse:
        """200 when jobs would be accepted and done; 503 and the reasons when not."""
        found = await run_in_threadpool(_run, checks)
        ready = all(words == "ok" for words in found.values())
        body = {"status": "ready" if ready else "not ready", "checks": found}
        return JSONResponse(body, 200 if ready else 503)

    return router


def _run(checks: Mapping[str, Check]) -> dict[str, str]:
    found = {}
    for name, check in checks.items():
        try:
            check()
            found[name] = "ok"
        except ReframeError as error:
            found[name] = error.detail
    return found
