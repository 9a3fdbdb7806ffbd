"""Nothing leaves the machine."""

import subprocess
import sys
from pathlib import Path

from tests.drawings import draw_meadow
from tests.house.house import ROOT

WATCHED = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(f"the network was asked for: {event} {arguments}")
sys.addaudithook(refuse)
sys.argv = ["smart-resize", "run", sys.argv[1], "--aspect", "16:9", "--output", sys.argv[2]]
from server.cli import main
main()
"""


def test_a_reframing_never_asks_for_the_network(tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    draw_meadow(120, 90).save(photo)
    command = [sys.executable, "-c", WATCHED, str(photo), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert out.exists()
