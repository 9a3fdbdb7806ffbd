"""The page's modules that need no browser, in Node, and what Python makes of their results."""

import ast
import base64
import io
import json
import random
import re
import shlex
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pipelines.geometry import Size
from pipelines.plan import Plan
from pipelines.planner import make_plan
from server.cli import app
from tests.drawings import NOTHING_SEEN
from tests.house.house import ROOT
from tests.house.tools import need

PAGE = ROOT / "server/page"
HERE = Path(__file__).parent
MOST_LINES = 300


def tell(act: str, given: Any) -> Any:
    """What the page's own code makes of ``given``."""
    ended = subprocess.run(
        [need("node"), HERE / "tell.mjs"],
        input=json.dumps({"act": act, "given": given}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("path", sorted(PAGE.glob("*.js")), ids=lambda path: path.name)
def test_a_module_parses_opens_with_a_sentence_and_stays_small(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "// @ts-check"
    assert re.match(r"/\*\*( [A-Z“].*|$)", lines[1]), lines[1]
    assert len(lines) <= MOST_LINES
    checked = subprocess.run(
        [need("node"), "--input-type=module", "--check"],
        input=path.read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_the_parts_keep_their_promises(path: Path) -> None:
    ended = subprocess.run(
        [need("node"), "--test", path], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout


def test_whatever_is_dragged_is_a_plan_that_the_server_takes() -> None:
    chance = random.Random(5)
    given = []
    for _ in range(400):
        source = Size(chance.randint(1, 5000), chance.randint(1, 5000))
        target = Size(chance.randint(60, 2000), chance.randint(200, 600))
        if max(target) / min(target) > 10 or max(source) / min(source) > 60:
            continue
        spot = {
            "x": chance.uniform(-4000, 4000),
            "y": chance.uniform(-4000, 4000),
            "scale": 10 ** chance.uniform(-3, 2),
        }
        plan = make_plan(source, NOTHING_SEEN, target)
        given.append({"plan": plan.to_json(), "spot": spot})
    edited = tell("plans", given)
    assert len(edited) > 200
    for plan in edited:
        Plan.from_fields(plan)  # raises where it would not be taken


def test_the_zip_is_one() -> None:
    files = [["a.png", "one"], ["ä b.jpg", "two" * 500], ["a.png", "three"], ["empty", ""]]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(tell("zip", files)))) as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist() == ["a.png", "ä b.jpg", "a-2.png", "empty"]
        assert zipped.read("a-2.png") == b"three"
        assert zipped.read("ä b.jpg") == b"two" * 500
        assert zipped.getinfo("a.png").date_time == (2026, 11, 21, 14, 30, 8)


NASTY = """it's "$(rm -rf ~)" `id` \\ ;type=x\nline é"""


def test_code_for_the_shell_holds_whatever_was_written() -> None:
    given = {
        "base": "http://127.0.0.1:8000/",
        "input": {"prompt": NASTY, "presets": ["meta/story"], "strict": True, "seed": 7},
        "pictures": [{"name": """a';"b".png""", "url": None}],
        "withKey": True,
    }
    code = tell("code", given)
    words = shlex.split(code["curl"])
    assert words[words.index("--form-string") + 1] == f"input={compact(given['input'])}"
    assert words[words.index("-F") + 1] == """image=@"a';\\"b\\".png\""""
    assert "Authorization: Bearer $KEY" in words
    options = shlex.split(code["command"])
    assert options[options.index("--prompt") + 1] == NASTY
    assert options[options.index("--preset") + 1] == "meta/story"
    assert "--strict" in options


def test_the_command_line_fetches_what_lies_at_an_address() -> None:
    pictures = [{"name": "-a b.png", "url": "https://h/a?b=1&c='2"}]
    given = {"base": "http://h", "input": {"seed": 7}, "pictures": pictures, "withKey": False}
    fetch, run = tell("code", given)["command"].splitlines()[:2]
    assert shlex.split(fetch)[-3:] == ["--output", "./-a b.png", "https://h/a?b=1&c='2"]
    assert shlex.split(run)[:3] == ["smart-resize", "run", "./-a b.png"]


def test_every_option_of_the_page_is_one_of_the_command_line() -> None:
    page = (PAGE / "options.js").read_text()
    names = re.findall(r'^ +\["([a-z_0-9]+)", "', page, re.MULTILINE)
    assert {"policy", "prompt", "output_format"} <= set(names)
    wishes: dict[str, Any] = {
        name: ["x"] if name in {"extras", "protect_kinds"} else "x" for name in names
    }
    wishes |= {"strict": True, "xmp": False, "c2pa": True, "target_sizes": ["9x9"]}
    pictures = [{"name": "-a.png", "url": None}]
    given = {"base": "http://h", "input": wishes, "pictures": pictures, "withKey": False}
    written = re.findall(r"--[a-z0-9-]+", tell("code", given)["command"])
    command: Any = get_command(app)
    params = command.commands["run"].params
    known = {option for param in params for option in param.opts + param.secondary_opts}
    assert "--no-xmp" in written
    assert set(written) <= known


def test_code_in_python_says_the_same() -> None:
    wishes = {"prompt": NASTY, "protect": [[0, 0, 0.5, 1]], "store": False, "c2pa": None}
    given = {"base": "http://h", "input": wishes, "pictures": [], "withKey": False}
    tree = ast.parse(tell("code", given)["python"])
    written = [ast.literal_eval(node) for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    assert {"input": wishes} in written


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


PAIRS = [
    ("ink", "ground"),
    ("ink", "surface"),
    ("muted", "ground"),
    ("muted", "surface"),
    ("muted", "sunken"),
    ("accent", "ground"),
    ("accent", "surface"),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("bad", "surface"),
    ("bad", "bad-soft"),
]


def test_words_stand_out_from_their_ground_in_both_themes() -> None:
    themes = (PAGE / "page.css").read_text().split("prefers-color-scheme: dark")
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", theme))
        for text, ground in PAIRS:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def contrast(one: str, other: str) -> float:
    """As WCAG has it, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
