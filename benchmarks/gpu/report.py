"""What was found: readings by key, how each part ended, and the goals they are held to."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import torch

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft")


class Reading(NamedTuple):
    """One number; ``spread`` is that of its rounds as a share of it, 0 where there was one."""

    key: str
    value: float
    unit: str
    spread: float = 0.0


class Goal(NamedTuple):
    """``key``, divided by ``by`` where that is given, is to be at most ``bound``, or at least.

    A ``key`` that is no reading's stands for all that begin with it and a colon, added up.
    """

    words: str
    key: str
    by: str
    bound: float
    at_least: bool = False

    def settle(self, values: Mapping[str, float]) -> float | None:
        """The number to compare, None where a part of it was not measured."""
        parts = [value for key, value in values.items() if key.startswith(f"{self.key}: ")]
        found = [values[self.key]] if self.key in values else parts
        if not found or (self.by and not values.get(self.by)):
            return None
        return sum(found) / (values[self.by] if self.by else 1)

    def is_met(self, value: float) -> bool:
        """Whether ``value`` will do."""
        return value >= self.bound if self.at_least else value <= self.bound


GOALS = (
    Goal("denoising of 8 pictures / matmul rate", "ours 8: efficiency", "", 0.55, at_least=True),
    Goal("images/s, 20 CFG steps, 1 MP, H200", "ours 8: images", "", 1.44, at_least=True),
    Goal("one picture / stock, same maths", "ours 1: 20 CFG steps", "stock: 20 CFG steps", 0.65),
    Goal("balanced / stock at 30 steps", "ours 1: balanced", "stock: 30 CFG steps", 0.35),
    Goal("fast / stock at 30 steps", "ours 1: fast", "stock: 30 CFG steps", 0.15),
    Goal("describer / eager generate", "vlm 1: ours", "vlm 1: eager generate", 0.25),
    Goal("2K / 1 MP, refined whole", "2K, all new", "ours 1: balanced", 2.2),
    Goal("4K / 1 MP, refined whole", "4K, all new", "ours 1: balanced", 5.5),
    Goal("4K: a quarter new / all new", "4K, a quarter new", "4K, all new", 0.5),
    Goal("device idle, closed loop", "closed loop: idle", "", 0.02),
    Goal("mixed closed loop / one at a time", "closed loop: images", "ours 1: images", 1.25, True),
    Goal("waits for the device in the loop", "waits in the loop", "", 0),
    Goal("graphs compiled after warming up", "graphs after warm-up", "", 0),
    Goal("warm start / cold start", "warm start", "cold start", 0.35),
)


@dataclass(slots=True)
class Report:
    """Fills while the parts run, so that a run which is cut short has its numbers."""

    tiny: bool
    hardware: torch.device
    readings: list[Reading] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.time)

    @property
    def values(self) -> dict[str, float]:
        """Readings by key."""
        return {reading.key: reading.value for reading in self.readings}

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        values = self.values
        return {
            "note": "tiny models: the numbers mean nothing" if self.tiny else "random weights",
            "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime(self.began)),
            "machine": describe_machine(self.hardware),
            "parts": self.parts,
            "readings": [reading._asdict() for reading in self.readings],
            "goals": [
                {**goal._asdict(), "value": value, "met": self._judge(goal, value)}
                for goal in GOALS
                if (value := goal.settle(values)) is not None
            ],
        }

    def write(self, path: Path) -> None:
        """Put the whole into a file, in the place of what was there."""
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(self.to_json(), indent=1) + "\n")
        part.replace(path)

    def print(self) -> None:
        """The table."""
        content = self.to_json()
        print(f"\n{content['machine']}, {content['date']}: {content['note']}\n")
        print("| reading | value | unit | spread |\n|---|---:|---|---:|")
        for reading in self.readings:
            spread = f"{reading.spread:.0%}" if reading.spread else ""
            print(f"| {reading.key} | {reading.value:.4g} | {reading.unit} | {spread} |")
        print("\n| goal | bound | value | met |\n|---|---:|---:|---|")
        for goal in content["goals"]:
            sign = ">=" if goal["at_least"] else "<="
            met = {True: "yes", False: "no", None: "not judged"}[goal["met"]]
            print(f"| {goal['words']} | {sign} {goal['bound']} | {goal['value']:.3g} | {met} |")
        print()
        for name, end in self.parts.items():
            print(f"{name}: {end}")

    def _judge(self, goal: Goal, value: float) -> bool | None:
        return None if self.tiny else goal.is_met(value)


def describe_machine(hardware: torch.device) -> dict[str, Any]:
    """The device, its driver's version of CUDA and the libraries."""
    cuda = hardware.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(hardware) if cuda else platform.processor() or "cpu",
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
