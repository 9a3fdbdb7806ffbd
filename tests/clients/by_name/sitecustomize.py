"""Stands for the network's DNS: Python reads it first, and the hosted services' names lead here."""

import os
import socket
from typing import Any

NAMES = frozenset(os.environ["HOSTED_NAMES"].split())  # noqa: TID251  nothing else reaches it
PORT = int(os.environ["HOSTED_PORT"])  # noqa: TID251

look_up = socket.getaddrinfo


def look_up_here(host: Any, service: Any, *rest: Any, **more: Any) -> Any:
    """The answer for this machine, and the port that a test cannot choose."""
    name = host.decode() if isinstance(host, bytes) else host
    assert name in NAMES, name
    return look_up("127.0.0.1", PORT, *rest, **more)


setattr(socket, "getaddrinfo", look_up_here)  # noqa: B010  its types are overloads
