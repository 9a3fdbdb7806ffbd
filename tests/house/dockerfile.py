"""The image's recipe, read as Docker reads it: one instruction after another."""

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from tests.house.house import ROOT

PATH = ROOT / "Dockerfile.cuda"


class Instruction(NamedTuple):
    """One step: ``name`` in capitals, and what follows on the line and its continuations."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """As a list in JSON or as a shell would split them."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return shlex.split(self.text)


def read_instructions(path: Path = PATH) -> list[Instruction]:
    """Every instruction of every stage, in order, without comments."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [Instruction(name, rest.strip()) for name, _, rest in pairs]


def read_environment() -> dict[str, str]:
    """What ENV sets in all stages together."""
    words = [step.words for step in read_instructions() if step.name == "ENV"]
    pairs = (word.partition("=") for line in words for word in line)
    return {name: value for name, _, value in pairs}
