"""``smart-resize plan``, and plans carried out."""

import json
from pathlib import Path

from PIL import Image

from tests.server.console import Call, size_of


def test_a_plan_can_be_edited_and_carried_out(call: Call, photo: Path, tmp_path: Path) -> None:
    planned = call("plan", photo, "-s", "180x60", "--policy", "expand", "--json")
    plan = json.loads(planned.stdout)
    plan["place"] = [0, 0, 90, 60]
    edited = tmp_path / "plan.json"
    edited.write_text(json.dumps(plan))
    out = tmp_path / "out.png"
    done = call("run", photo, "--plan", edited, "-o", out)
    assert done.returncode == 0, done.stderr
    with Image.open(out) as picture, Image.open(photo) as source:
        assert picture.crop((0, 0, 90, 60)).tobytes() == source.tobytes()


def test_a_plan_is_drawn_and_put_in_words(call: Call, photo: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "plan.png"
    done = call("plan", photo, "-a", "9:16", "--overlay", overlay, "--protect", "0.1,0.1,0.5,0.5")
    assert done.returncode == 0, done.stderr
    assert "576x1024" in done.stdout.decode()
    assert b"warning: described without a model" in done.stderr
    assert max(size_of(overlay)) == 1200


def test_plans_of_many_name_their_input_and_survive_a_bad_one(
    call: Call, photo: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"text")
    done = call("plan", bad, photo, "-a", "1:1", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [line["input"] for line in lines] == [str(bad), str(photo)]
