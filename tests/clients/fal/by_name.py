"""fal's Python client as it is, where fal's names lead here; looking them up stands for DNS."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import fal_client

MODEL = "fal-ai/smart-resize"
NAMES = {"fal.run", "queue.fal.run", "rest.fal.ai", "v3.fal.media"}


def lead_here(port: int) -> None:
    """Let fal's names mean this machine, and https this port."""
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, service: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        assert name in NAMES, name
        return look_up("127.0.0.1", port, *rest, **more)

    setattr(socket, "getaddrinfo", look_up_here)  # noqa: B010  its types are overloads


def call(picture: Path) -> dict[str, Any]:
    """Upload a picture and have it resized, then once more with its own result."""
    url = fal_client.upload_file(picture)
    first = fal_client.subscribe(MODEL, {"image_url": url, "target_sizes": ["96x96"]})
    made = first["images"][0]["url"]
    second = fal_client.run(MODEL, {"image_url": made, "target_sizes": ["48x96"]})
    return {"upload": url, "first": first, "second": second}


if __name__ == "__main__":
    lead_here(int(sys.argv[1]))
    print(json.dumps(call(Path(sys.argv[2]))))  # noqa: T201
