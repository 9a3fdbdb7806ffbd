"""Compiling the UNet, and keeping what the compiler made from one start to the next.

Not the UNet as a whole but the blocks that it repeats: they hold nearly all of its work, and one
graph serves all blocks of a width. Sides and rows stay symbols, so that every bucket and batch runs
through the same graphs; a single row has some of its own, and so has the few-step adapter.
"""

import hashlib
import logging
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from torch._dynamo.utils import counters

from pipelines.errors import ModelError
from pipelines.geometry import Size
from pipelines.models.device import Device
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.lora import adapted

log = logging.getLogger(__name__)

REGIONS = (BasicTransformerBlock, ResnetBlock2D)
"""95 % of a UNet's operations at full size."""

MOST_GRAPHS = 128
"""Graphs per kind of region; beyond them torch would go back to eager without a word.

The published UNet has 12 kinds of ResNet block by their widths, each for one row and for many, and
all of that again with the few-step adapter.
"""

LEADS = (Size(152, 104), Size(128, 128))
"""Latents to warm up with at full size."""

Compiler = Callable[[torch.fx.GraphModule, list[torch.Tensor]], Callable[..., Any]]
"""What torch calls a backend."""

HEAD = b"smart-resize compiled graphs 1\n"
DIGEST = 32


def prefers_compiling(device: Device) -> bool:
    """Whether compiling pays: on a card that holds the UNet for good.

    There it saves launches and passes over memory. On the processor it takes minutes, and there is
    nothing to launch.
    """
    return device.hardware.type == "cuda" and device.turns is None


def compile_unet(
    components: Components,
    device: Device,
    *,
    rows: int = 1,
    latents: Sequence[Size] = LEADS,
    backend: str | Compiler = "inductor",
) -> int:
    """Compile the UNet and warm it up; how many graphs there are.

    A batch has at most ``rows`` pictures, with guidance twice as many: what was compiled for two
    may be right for a few only. Where the compiler fails, for want of a C compiler say, the UNet
    works on as it was, and 0 is returned. To be called in the thread that will paint.

    Raises:
        ModelError: the device could not run it at all.
    """
    unet = components.unet
    compile_regions(unet, backend)
    try:
        graphs = 0
        for wanted in (False, True) if components.has_few_step else (False,):
            with adapted(unet, wanted=wanted):
                graphs += warm_up(unet, device, latents, dict.fromkeys((2, 1, 2 * rows)))
    except ModelError:
        raise
    except Exception:  # compilers fail in as many ways as there are tools that they call
        log.warning("the UNet could not be compiled and runs without", exc_info=True)
        leave_eager(unet)
        return 0
    return graphs


def compile_regions(unet: UNet2DConditionModel, backend: str | Compiler = "inductor") -> int:
    """Have the repeated blocks compiled, in place, when they are first called; how many there are.

    The UNet stays the same module with the same weights.
    """
    regions = find_regions(unet)
    # before 2.13 torch has one limit for all that it compiles, and no argument for it
    own: dict[str, Any] = {"recompile_limit": MOST_GRAPHS}
    if not own.keys() <= signature(torch.compile).parameters.keys():
        torch._dynamo.config.recompile_limit = MOST_GRAPHS  # noqa: SLF001
        own = {}
    for region in regions:
        region.compile(dynamic=True, backend=backend, **own)
    return len(regions)


def leave_eager(unet: UNet2DConditionModel) -> None:
    """Undo ``compile_regions``."""
    for region in find_regions(unet):
        region._compiled_call_impl = None  # noqa: SLF001  torch has no public way back


def find_regions(unet: UNet2DConditionModel) -> list[torch.nn.Module]:
    """The blocks that are compiled."""
    return [module for module in unet.modules() if isinstance(module, REGIONS)]


def count_graphs() -> int:
    """Graphs that this process has compiled so far; after warming up the number must stay."""
    return int(counters["stats"]["unique_graphs"])


def warm_up(
    unet: UNet2DConditionModel,
    device: Device,
    latents: Iterable[Size] = LEADS,
    rows: Iterable[int] = (2, 1),
) -> int:
    """Run the UNet once for every size, in latents, and number of rows; how many graphs it took.

    The first of each leads the way, and must be unlike what is alike by chance: neither square
    nor of a side that is also a width of the model, or the compiler takes the two for one.
    """
    before = count_graphs()
    with device.working():
        for size in latents:
            for count in rows:
                _run(unet, device, size, count)
    return count_graphs() - before


def _run(unet: UNet2DConditionModel, device: Device, size: Size, rows: int) -> None:
    config: Any = unet.config
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    view = _draw(unet, device, rows, config.in_channels, size.height, size.width)
    unet(
        view,
        device.upload(torch.tensor(500.0)),
        encoder_hidden_states=_draw(unet, device, rows, 77, config.cross_attention_dim),
        added_cond_kwargs={
            "text_embeds": _draw(unet, device, rows, pooled),
            "time_ids": device.upload(torch.zeros(rows, 6)),
        },
        return_dict=False,
    )


def _draw(unet: UNet2DConditionModel, device: Device, *shape: int) -> torch.Tensor:
    return device.upload(torch.randn(*shape)).to(unet.dtype)


@dataclass(frozen=True, slots=True)
class GraphCache:
    """A file of compiled graphs, of use to one version of torch on one kind of device only.

    It holds code that torch will run: keep it where only those write who may change the program.
    A file that is missing, damaged or of another machine costs the time to compile, no more.
    """

    folder: Path
    device: Device

    @property
    def path(self) -> Path:
        """Where the graphs of this torch and this device are."""
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", self._maker).strip("-").lower()
        return self.folder / f"{readable}.graphs"

    @property
    def _maker(self) -> str:
        hardware = self.device.hardware
        cuda = hardware.type == "cuda"
        name = torch.cuda.get_device_name(hardware) if cuda else hardware.type
        return f"torch {torch.__version__} on {name}"

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What is compiled inside is taken from the file where it is there, and written to it."""
        self.load()
        yield
        self.save()

    def load(self) -> bool:
        """Give torch the graphs of an earlier run, before anything is compiled; whether it took."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return False
        except OSError:
            log.warning("compiled graphs cannot be read", extra={"path": str(self.path)})
            return False
        head = HEAD + self._maker.encode() + b"\n"
        digest, graphs = content[len(head) :][:DIGEST], content[len(head) + DIGEST :]
        whole = content.startswith(head) and hashlib.sha256(graphs).digest() == digest
        if not whole or torch.compiler.load_cache_artifacts(graphs) is None:
            log.warning("compiled graphs are damaged or foreign", extra={"path": str(self.path)})
            return False
        return True

    def save(self) -> bool:
        """Write down all that was compiled; False where there is nothing, or no place for it.

        Once in a process: of what an earlier call wrote torch finds nothing in a later one's file.
        """
        made = torch.compiler.save_cache_artifacts()
        if made is None:
            return False
        graphs, _ = made
        head = HEAD + self._maker.encode() + b"\n"
        try:
            self._replace(head + hashlib.sha256(graphs).digest() + graphs)
        except OSError:
            log.warning("compiled graphs cannot be written", extra={"path": str(self.path)})
            return False
        return True

    def _replace(self, content: bytes) -> None:
        """The whole file or what was there before: another process may be reading it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".graphs-", delete=False) as file:
            part = Path(file.name)
            try:
                file.write(content)
                file.close()
                part.replace(self.path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
