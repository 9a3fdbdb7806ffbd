"""Tiny VAEs to take apart, and the library's own tiles to compare with."""

import torch
from diffusers import AutoencoderKL

from tests.pipelines.models.sdxl.replica import make_vae


def make_frozen_vae(*, statistics: bool = True) -> AutoencoderKL:
    """The same random weights each time.

    Without ``statistics`` its decoder has convolutions only: what is far away has no say.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = make_vae().eval().requires_grad_(requires_grad=False)
    if not statistics:
        decoder = vae.decoder
        decoder.conv_norm_out = torch.nn.Identity()
        decoder.mid_block.attentions[0] = None
        for part in (*decoder.up_blocks, decoder.mid_block):
            for block in part.resnets:
                block.norm1 = block.norm2 = torch.nn.Identity()
    return vae


def tile_as_the_library_does(vae: AutoencoderKL, side: int) -> None:
    """From now on it decodes by tiles of ``side`` px."""
    vae.enable_tiling()
    vae.tile_sample_min_size, vae.tile_latent_min_size = side, side // 8
