"""The API's own process: ``python -m server.api``, with its settings in the environment."""

import socket
import sys

import uvicorn
from fastapi import FastAPI

from pipelines.errors import InvalidOption, ReframeError
from server.api.app import create_app
from server.api.patience import PatientProtocol
from server.errors import Unavailable
from server.logs import configure_logs
from server.settings import Settings, read_settings

WRONG_SETTING = 2
"""The exit code where a setting cannot be what it is: another try would end the same way."""


def main() -> None:
    """Listen until told to stop; the address is printed once requests are answered."""
    try:
        settings = read_settings()
        configure_logs(settings.log_level, "api")
        app = create_app(settings)
        listener = _listen(settings.host, settings.port)
    except ReframeError as error:
        sys.stderr.write(f"smart-resize: {error.detail} ({error.code})\n")
        sys.exit(WRONG_SETTING if isinstance(error, InvalidOption) else 1)
    _serve(settings, app, listener)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        words = error.strerror or "not an address of this machine"
        msg = f"cannot listen on {host}:{port}: {words.lower()}"
        raise Unavailable(msg) from error


def _serve(settings: Settings, app: FastAPI, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",  # there is nothing of that kind here
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain),
        proxy_headers=settings.public_url is None,
    )
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
