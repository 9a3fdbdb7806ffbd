"""Which presets there are, for whoever wants to choose one."""

from typing import Any

from fastapi import APIRouter

from pipelines.errors import InvalidOption
from pipelines.presets.catalogue import Catalogue
from pipelines.presets.preset import Grade
from server.api.schemas import FAILURES
from server.errors import NotFound

GRADES = {grade.value: grade.words for grade in Grade}


def make_router(catalogue: Catalogue) -> APIRouter:
    """The routes; what they answer with does not change while the server runs."""
    router = APIRouter(tags=["presets"], responses=FAILURES)

    @router.get("/v1/presets")
    async def list_presets(platform: str | None = None) -> dict[str, Any]:
        """All presets, or those of one platform, the collections, and what grades mean."""
        try:
            presets = catalogue.presets if platform is None else catalogue.of(platform)
        except InvalidOption as error:
            raise NotFound(error.detail) from None
        return {
            "items": [preset.to_json() for preset in presets],
            "platforms": list(catalogue.platforms),
            "collections": [collection.to_json() for collection in catalogue.collections],
            "grades": GRADES,
        }

    @router.get("/v1/presets/{platform}/{name}")
    async def get_preset(platform: str, name: str) -> dict[str, Any]:
        """One preset: its size, format, byte limit, keep-clear zones, and their source."""
        try:
            return catalogue.find(f"{platform}/{name}").to_json()
        except InvalidOption as error:
            raise NotFound(error.detail) from None

    return router
