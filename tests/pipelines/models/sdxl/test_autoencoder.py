"""Nothing is encoded twice, and tiles cost few operations and little accuracy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from pipelines.geometry import Size
from pipelines.models.device import CPU, Device
from pipelines.models.sdxl.autoencoder import Autoencoder
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.encodings import Encodings
from pipelines.models.sdxl.view import View
from tests.drawings import draw_coordinates
from tests.pipelines.models.sdxl.replica import make_unet
from tests.pipelines.models.sdxl.scenes import count_calls
from tests.pipelines.models.sdxl.vaes import make_frozen_vae, tile_as_the_library_does


def encode(autoencoder: Autoencoder, *views: View, thrifty: bool = False) -> list[torch.Tensor]:
    with CPU.working():
        return autoencoder.encode(views, thrifty=thrifty)


def draw_view(number: int) -> View:
    return View.through(Image.new("RGB", (32, 16), (number, 0, 0)))


def test_a_picture_is_encoded_once(components: Components) -> None:
    autoencoder, view = Autoencoder(components, CPU), View.through(draw_coordinates(64, 32))
    with count_calls(components.vae.encoder) as calls:
        (first,), (again,) = (encode(autoencoder, view) for _ in range(2))
    assert calls == [(1, 3, 32, 64)]
    assert torch.equal(first, again)


def test_those_not_yet_known_are_encoded_in_one_call_each_of_them_once(
    components: Components,
) -> None:
    autoencoder = Autoencoder(components, CPU)
    encode(autoencoder, draw_view(1))
    with count_calls(components.vae.encoder) as calls:
        rows = encode(autoencoder, *map(draw_view, (2, 1, 3, 2)))
    assert calls == [(2, 3, 16, 32)]
    assert torch.equal(rows[0], rows[3])
    for number, row in zip((2, 1, 3), rows, strict=False):
        (alone,) = encode(Autoencoder(components, CPU), draw_view(number))
        torch.testing.assert_close(row, alone, atol=1e-4, rtol=1e-4)


def test_the_thrifty_way_encodes_one_at_a_time(components: Components) -> None:
    with count_calls(components.vae.encoder) as calls:
        encode(Autoencoder(components, CPU), *map(draw_view, range(3)), thrifty=True)
    assert calls == [(1, 3, 16, 32)] * 3


def test_what_is_not_known_does_not_count_and_what_is_known_does() -> None:
    picture, other = Image.new("RGB", (32, 16), "red"), Image.new("RGB", (32, 16), "red")
    other.paste("blue", (0, 0, 16, 16))
    right = np.arange(32) >= np.full((16, 1), 16)
    looks = [View.through(picture), View.through(other), View.through(picture, right)]
    looks += [View.through(picture, ~right), View.through(picture.resize((16, 32)))]
    assert len({view.digest for view in looks}) == 5
    assert View.through(other, right).digest == looks[2].digest
    assert View.through(picture, right | ~right).digest == looks[0].digest


def test_black_is_not_the_grey_of_what_is_not_known(components: Components) -> None:
    nothing, black = np.zeros((16, 32), bool), Image.new("RGB", (32, 16))
    unseen, seen = View.through(black, nothing), View.through(black)
    grey = torch.zeros(1, 3, 16, 32)
    with CPU.working():
        expected = components.vae.encode(grey).latent_dist.mode()[0] * 0.13025
    first, second = encode(Autoencoder(components, CPU), unseen, seen)
    torch.testing.assert_close(first, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(first, second, atol=1e-2)


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    encodings, batch = Encodings(2), torch.arange(12.0).reshape(3, 4)
    for digest, row in zip((b"a", b"b"), batch, strict=False):
        encodings.keep(digest, row)
    assert encodings.get(b"a") is not None
    encodings.keep(b"c", batch[2])
    assert encodings.get(b"b") is None
    kept = encodings.get(b"c")
    assert kept is not None
    assert kept.tolist() == [8, 9, 10, 11]
    assert kept.untyped_storage().nbytes() == 16  # and not the whole batch


def make_autoencoder(vae: AutoencoderKL, native: int, device: Device = CPU) -> Autoencoder:
    """One whose thrifty tiles have half of ``native`` px."""
    with torch.device("meta"):
        unet = make_unet()
    unet.register_to_config(sample_size=native // 8)
    texts: Any = (None, None)
    training: Any = None
    return Autoencoder(Components(unet, vae, texts, texts, training, empty_is_zero=True), device)


def draw_latents(width: int, height: int) -> torch.Tensor:
    """Smooth ones, as pictures have."""
    broad = torch.randn(1, 4, height // 8, width // 8, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(broad, size=(height, width), mode="bilinear")


def decode_thrice(vae: AutoencoderKL) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """As a whole, by our tiles and by the library's, which have the same size and overlap."""
    autoencoder, latents = make_autoencoder(vae, native=512), draw_latents(56, 40)
    with CPU.working():
        whole = autoencoder.decode(latents)
        with count_calls(vae.decoder) as calls:
            ours = autoencoder.decode(latents, thrifty=True)
        tile_as_the_library_does(vae, 256)
        theirs = autoencoder.decode(latents)
    assert calls == [(1, 4, 32, 32)] * 4
    assert whole.std() > 5
    return whole, ours, theirs


def test_tiles_of_a_decoder_without_statistics_come_out_like_the_whole() -> None:
    whole, ours, theirs = decode_thrice(make_frozen_vae(statistics=False))
    assert (ours - whole).abs().max() < 1
    assert (theirs - whole).abs().max() > 1


def test_tiles_know_as_little_of_one_anothers_colours_as_the_librarys_and_not_less() -> None:
    whole, ours, theirs = decode_thrice(make_frozen_vae())
    assert (ours - whole).abs().mean() < (theirs - whole).abs().mean()


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations, but not the decoder's own."""

    def __init__(self, decoder: torch.nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0
        self._inside = False
        decoder.register_forward_pre_hook(lambda *_: self._enter(inside=True))
        decoder.register_forward_hook(lambda *_: self._enter(inside=False))

    def _enter(self, *, inside: bool) -> None:
        self._inside = inside

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self.count += not self._inside
        return func(*args, **(kwargs or {}))


def test_tiles_cost_a_fiftieth_of_the_librarys_operations() -> None:
    """On the meta device, tiles of 512 px with a quarter shared, for both."""
    meta = Device(torch.device("meta"), torch.float32, CPU.attention)
    with torch.device("meta"):
        vae = make_frozen_vae()
        latents = torch.zeros(1, 4, 96, 160)
    autoencoder = make_autoencoder(vae, native=1024, device=meta)
    with meta.working():
        with Counter(vae.decoder) as ours, count_calls(vae.decoder) as calls:
            autoencoder.decode(latents, thrifty=True)
        tile_as_the_library_does(vae, 512)
        with Counter(vae.decoder) as theirs:
            assert autoencoder.decode(latents).shape == (1, 3, 768, 1280)
    assert calls == [(1, 4, 64, 64)] * 6
    assert theirs.count > 5000
    assert ours.count <= theirs.count / 50


def test_a_small_picture_is_one_tile(components: Components) -> None:
    autoencoder, latents = Autoencoder(components, CPU), draw_latents(8, 8)
    with CPU.working():
        tiled, whole = (autoencoder.decode(latents, thrifty=thrifty) for thrifty in (True, False))
    torch.testing.assert_close(tiled, whole)
    assert Size(*whole.shape[:1:-1]) == (64, 64)
