"""fal's Python client as its environment tells it where to go: one call, its outcome as JSON."""

import json
import sys
from typing import Any

import fal_client

MODEL = "fal-ai/smart-resize"


def call(arguments: dict[str, Any]) -> dict[str, Any]:
    """Subscribe and run, and say what was heard."""
    heard: list[Any] = []
    result = fal_client.subscribe(
        MODEL, arguments=arguments, with_logs=True, on_queue_update=heard.append
    )
    handle = fal_client.submit(MODEL, arguments=arguments)
    return {
        "subscribe": result,
        "heard": [type(status).__name__ for status in heard],
        "logs": [line["message"] for line in heard[-1].logs],
        "run": fal_client.run(MODEL, arguments=arguments),
        "submit": handle.get(),
        "again": fal_client.result(MODEL, handle.request_id),
    }


if __name__ == "__main__":
    print(json.dumps(call(json.loads(sys.argv[1]))))  # noqa: T201
