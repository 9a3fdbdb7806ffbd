"""``python -m server`` is ``smart-resize``."""

from server.cli import main

main()
