"""The README's request, sent as it stands to a live server."""

import json
import re
import subprocess
from pathlib import Path

from tests.drawings import draw_meadow
from tests.house.house import ROOT
from tests.server.live import serve

README = (ROOT / "README.md").read_text()
PRINTED = "http://127.0.0.1:8000"


def test_one_request_makes_six_ad_sizes(tmp_path: Path) -> None:
    draw_meadow(240, 160).save(tmp_path / "photo.jpg")
    data = tmp_path / "data"
    data.mkdir()
    (request,) = re.findall(r"^\$ (curl .*?[^\\])$", README, re.DOTALL | re.MULTILINE)
    with serve(data) as (base, secret):
        answer = subprocess.run(
            ["bash", "-euc", request.replace(PRINTED, base)],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "KEY": secret},
            capture_output=True,
            check=True,
            timeout=120,
        )
    record = json.loads(answer.stdout)
    assert record["status_code"] == "succeeded", record["failure_message"]
    assert len(record["output"]["outputs"]) == 6
