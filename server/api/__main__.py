"""The API's own process: ``python -m server.api``, with its settings in the environment."""

import socket
import sys

import uvicorn

from server.api.app import create_app
from server.logs import configure_logs
from server.settings import Settings


def main() -> None:
    """Listen until told to stop; the address is printed once requests are answered."""
    settings = Settings()
    configure_logs(settings.log_level, "api")
    listener = socket.create_server((settings.host, settings.port), backlog=2048)
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        create_app(settings),
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
