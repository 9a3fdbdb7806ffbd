"""A program for the hosted services, which knows of no others: each of them once, as they want it.

Prints the addresses of what was made, and the size of each picture.
"""

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fal_client
import httpx2
from fashn import Fashn
from PIL import Image

KEY = os.environ["FAL_KEY"]  # noqa: TID251  as programs for hosted services have it
PICTURE = Path("photo.png")
ENDED = {"COMPLETED", "FAILED", "ERROR", "succeeded", "failed", "canceled"}


def ask_fal() -> list[str]:
    """Upload, queue, run."""
    url = fal_client.upload_file(PICTURE)
    asked = {"image_url": url, "target_sizes": ["96x96"]}
    first = fal_client.subscribe("fal-ai/smart-resize", arguments=asked)
    again = {"image_url": first["images"][0]["url"], "target_sizes": ["48x96"]}
    second = fal_client.run("fal-ai/smart-resize", arguments=again)
    return [url, first["images"][0]["url"], second["images"][0]["url"]]


def ask_fashn() -> list[str]:
    """Run, and poll."""
    with Fashn() as client:
        ask: Any = client.predictions.subscribe
        inputs = {"image": fal_client.encode_file(PICTURE), "aspect_ratio": "1:1"}
        return list(ask(model_name="reframe", inputs=inputs).output)


def ask_pixazo() -> list[str]:
    """Submit, and poll where the answer says."""
    base = "https://gateway.pixazo.ai/smart-resize/v1"
    with httpx2.Client(headers={"Ocp-Apim-Subscription-Key": KEY}) as client:
        body = {"image_url": fal_client.encode_file(PICTURE), "target_sizes": ["64x64"]}
        accepted = client.post(f"{base}/smart-resize-request", json=body).raise_for_status().json()
        seen = _poll(lambda: client.get(accepted["polling_url"]).json(), "status")
        return list(seen["output"]["media_url"])


def ask_runflow() -> list[str]:
    """Upload in three steps, run, and poll."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx2.Client(base_url="https://api.runflow.io", headers=headers) as client:
        data = PICTURE.read_bytes()
        announced = {"filename": PICTURE.name, "mime_type": "image/png", "size_bytes": len(data)}
        place = client.post("/v1/asset-uploads", json=announced).json()
        httpx2.put(place["upload_url"], content=data).raise_for_status()
        asset = client.post(f"/v1/asset-uploads/{place['asset_id']}/confirmations", json={}).json()
        asked = {"image_url": asset["url"], "aspect_ratio": "4:3", "resolution": "1K"}
        run = client.post("/v1/models/runflow/smart-resize/runs", json={"input": asked}).json()
        seen = _poll(lambda: client.get(f"/v1/runs/{run['id']}").json(), "status_code")
        return [output["url"] for output in seen["output"]["outputs"]]


def _poll(look: Callable[[], Any], status: str) -> Any:
    while (seen := look())[status] not in ENDED:
        time.sleep(0.1)
    return seen


def _measure(url: str) -> list[int]:
    return list(Image.open(io.BytesIO(httpx2.get(url).raise_for_status().content)).size)


if __name__ == "__main__":
    made = [*ask_fal(), *ask_fashn(), *ask_pixazo(), *ask_runflow()]
    print(json.dumps([[url, _measure(url)] for url in made]))  # noqa: T201
