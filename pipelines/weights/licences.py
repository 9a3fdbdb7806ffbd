"""The licences of models: what they are called, where they stand, and who has accepted them.

A licence with conditions on use has to be accepted before its model is brought to a machine. The
acceptance is a line in the store, so that a copied store brings it along.
"""

import importlib.metadata
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.errors import LicenceNotAccepted, WeightsError
from pipelines.weights.lock import LICENCE_TEXT, LockedModel
from pipelines.weights.store import Store

HUB = "https://huggingface.co"
TEXTS = Path(__file__).with_name("texts")


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as the hub identifies it."""

    id: str
    name: str
    url: str
    is_free_of_conditions: bool = False
    """Whether a notice is all it asks for; else somebody has to accept it."""
    origin: str = ""
    """Where the text in this package was published, word for word; none is here without."""


LICENCES = {
    licence.id: licence
    for licence in (
        Licence(
            "apache-2.0",
            "Apache License 2.0",
            "https://www.apache.org/licenses/LICENSE-2.0",
            is_free_of_conditions=True,
        ),
        Licence("mit", "MIT License", "https://opensource.org/license/mit", True),
        Licence(
            "openrail++",
            "CreativeML Open RAIL++-M License of July 26, 2023",
            f"{HUB}/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
            origin="https://github.com/Stability-AI/generative-models"
            "/blob/953831438e7cdcc80e3de19b3adc0b6eb9663296/model_licenses/LICENSE-SDXL1.0",
        ),
    )
}


def licence_of(model: LockedModel) -> Licence:
    """The licence of ``model``; one that is not known here has to be accepted too."""
    unknown = Licence(model.licence, model.licence, f"{HUB}/{model.repository}")
    return LICENCES.get(model.licence, unknown)


def read_text(licence: Licence) -> str | None:
    """The whole text of ``licence``, or None where only its address is known."""
    if licence.id == "apache-2.0":
        return _read_apache()
    if licence.origin:
        return (TEXTS / f"{licence.id}.txt").read_text("utf-8")
    return None


def read_acceptances(store: Store) -> dict[str, str]:
    """Which licences were accepted in this store, and when."""
    try:
        noted = json.loads(store.acceptances.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in noted.items()} if type(noted) is dict else {}


def accept(licences: Iterable[str], store: Store, when: datetime) -> None:
    """Note that these licences were accepted; an earlier acceptance keeps its time."""
    noted = dict.fromkeys(licences, when.isoformat(timespec="seconds")) | read_acceptances(store)
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
        store.acceptances.write_text(json.dumps(noted, indent=2, sort_keys=True) + "\n", "utf-8")
    except OSError as error:
        raise WeightsError(f"{store.acceptances} could not be written") from error


def require_acceptance(models: Iterable[LockedModel], store: Store) -> None:
    """Raises LicenceNotAccepted when one of ``models`` has conditions that nobody accepted."""
    accepted = read_acceptances(store)
    for model in models:
        licence = licence_of(model)
        if not licence.is_free_of_conditions and licence.id not in accepted:
            raise LicenceNotAccepted(
                f"{model.repository} comes under the {licence.name}; read it {_where(licence)}"
                " and, if you accept it for yourself and pass its restrictions on to those you "
                f"serve, say so with: --accept-licence {licence.id}"
            )


def write_notice(licence: Licence, models: Iterable[LockedModel]) -> str:
    """A text to carry along: what is under this licence, and all of it or where it stands."""
    lines = [licence.name, licence.url, "", "Applies to:"]
    for model in models:
        lines.append(f"- {model.repository} at {model.revision}")
        lines += [
            f"  (the model's own copy: {file.path})"
            for file in model.files
            if LICENCE_TEXT.fullmatch(file.path)
        ]
    if not licence.is_free_of_conditions:
        lines += ["", "Its restrictions on use bind everybody these weights are passed on to."]
    if licence.origin:
        lines += ["", f"What follows is its text as published at {licence.origin}"]
    if text := read_text(licence):
        lines += ["", text]
    return "\n".join(lines).rstrip() + "\n"


def keep_notices(models: Iterable[LockedModel], store: Store) -> None:
    """Leave beside each model what it is licensed under; may raise OSError."""
    for model in models:
        store.notice_of(model).write_text(write_notice(licence_of(model), [model]), "utf-8")


def _where(licence: Licence) -> str:
    if licence.origin:
        return f"with: smart-resize weights licence {licence.id} (or at {licence.url})"
    return f"at {licence.url}"


def _read_apache() -> str:
    """This program's own licence is the same text."""
    checkout = Path(__file__).parents[2] / "LICENSE"
    if checkout.is_file():
        return checkout.read_text("utf-8")
    return importlib.metadata.distribution("smart-resize").read_text("licenses/LICENSE") or ""
