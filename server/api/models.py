"""Which models this server answers for, and what each of them takes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from server.api.about import About
from server.api.inputs import Outpaint, SmartResize
from server.api.runflow import RunflowOutpaint, RunflowSmartResize
from server.api.schemas import FAILURES
from server.errors import ModelNotFound


class Input(Protocol):
    """The wire form of a model's ``input``, a pydantic model."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """For those who want to know before they ask."""
        ...

    @property
    def sources(self) -> list[str]:
        """Where the pictures are."""
        ...

    def wishes(self) -> dict[str, Any]:
        """The fields of an order, but for its sources and, where none was given, its seed."""
        ...


MODELS: Mapping[str, type[Input]] = MappingProxyType(
    {
        "local/smart-resize": SmartResize,
        "local/outpaint": Outpaint,
        "runflow/smart-resize": RunflowSmartResize,
        "runflow/outpaint": RunflowOutpaint,
    }
)


def find_model(name: str) -> type[Input]:
    """The input of a model; raises ModelNotFound."""
    try:
        return MODELS[name]
    except KeyError:
        msg = f"there is no model {name!r}; there are {', '.join(MODELS)}"
        raise ModelNotFound(msg) from None


def describe(name: str) -> dict[str, Any]:
    """A model as the API shows it."""
    schema = find_model(name).model_json_schema()
    return {
        "id": name,
        "owner": name.partition("/")[0],
        "description": schema.get("description", ""),
        "run_url": f"/v1/models/{name}/runs",
        "input_schema": schema,
    }


def make_router(about: About) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["models"], responses=FAILURES)

    @router.get("/v1/models")
    async def list_models() -> dict[str, Any]:
        """All models, each with the schema of its input; the version and the engines at work."""
        items = [describe(name) for name in MODELS]
        return {"items": items, **await run_in_threadpool(about.to_json)}

    @router.get("/v1/models/{owner}/{model}")
    async def get_model(owner: str, model: str) -> dict[str, Any]:
        """One model."""
        return describe(f"{owner}/{model}")

    return router
