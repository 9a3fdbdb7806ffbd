"""Which models run how on a card of which size: decided once, from its memory.

A card's memory holds the models' weights, what one batch needs on top, and the driver's and the
libraries' own share, taken to be 0.6 GB. Weights in half precision, by the sizes of their files:
UNet 5.14, text encoders 0.25 and 1.39, VAE 0.17, few-step adapter 0.39, NSFW classifier 0.34,
describer 8.88 (``vlm``, 4B) or 4.26 GB (``vlm-light``, 2B). On top comes for one picture of 1 MP:
0.33 GB in the UNet with guidance, 1.35 GB to be encoded, 1.61 GB to be decoded or 0.40 GB by tiles
of 512 px; and 0.53 GB for one description. What is thrifty encodes and decodes one by one. Where
all models stay on the card and the describer is compiled, it keeps a cache for every row that it
may be given: 0.25 GB each (4B) or 0.19 GB (2B).

    card   describer  models    decoding  rows  needs    most of it
    8 GB   2B         in turns  tiles     2      6.8 GB  UNet and adapter 5.5, two rows 0.7
    12 GB  2B         in turns  tiles     4      7.5 GB  UNet and adapter 5.5, four rows 1.3
    16 GB  2B         all on    tiles     2     14.3 GB  weights 11.9, encoding 1.3, cache 0.4
    24 GB  4B         all on    whole     2     20.9 GB  weights 16.6, decoding 3.2, cache 0.5
    48 GB  4B         all on    whole     8     32.0 GB  weights 16.6, decoding 12.9, cache 2.0
    80 GB  4B         all on    whole     8     32.0 GB  the same: more rows would gain nothing

All of this is arithmetic, and none of it was measured on a card: the weights are bytes of files,
what comes on top is the largest sum of tensors alive at once, counted on the full-size models
without their numbers, and for a description taken generously. Fragments of the allocator,
workspaces of convolutions and what captured graphs hold are not in it. Pictures above 1 MP need
more on top, in proportion to their area: on 16 GB no more than 2 MP can be encoded in one piece.
"""

from dataclasses import dataclass
from typing import Literal

from pipelines.errors import EngineUnavailable

GIB = 1 << 30

SHARE = 0.9
"""Of the size on a card's box, it must report this much; error correction takes up to 9 %."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How the models share a device.

    ``vlm`` is the describer's role in the lock of weights. With ``offload`` the models take turns
    on the device; with ``thrifty`` the VAE always decodes in tiles. A batch has at most ``rows``
    pictures of 1 MP.
    """

    vlm: Literal["vlm", "vlm-light"]
    offload: bool
    thrifty: bool
    rows: int


PROFILES: tuple[tuple[int, Profile], ...] = (
    (48, Profile("vlm", offload=False, thrifty=False, rows=8)),
    (24, Profile("vlm", offload=False, thrifty=False, rows=2)),
    (16, Profile("vlm-light", offload=False, thrifty=True, rows=2)),
    (12, Profile("vlm-light", offload=True, thrifty=True, rows=4)),
    (8, Profile("vlm-light", offload=True, thrifty=True, rows=2)),
)
"""By the size on the card's box, GiB, the largest first."""

WITHOUT_CARD = Profile("vlm-light", offload=False, thrifty=False, rows=1)
"""The host's memory holds everything, and a second row would only take twice as long."""


def choose_profile(total_bytes: int | None) -> Profile:
    """What suits a card with ``total_bytes`` of memory, or None for no card.

    Raises:
        EngineUnavailable: the card is too small.
    """
    if total_bytes is None:
        return WITHOUT_CARD
    for size, profile in PROFILES:
        if total_bytes >= SHARE * size * GIB:
            return profile
    least, _ = PROFILES[-1]
    msg = (
        f"the SDXL engine needs a card of {least} GB; this one has {total_bytes / GIB:.1f} GB. "
        "The preview engine needs no card"
    )
    raise EngineUnavailable(msg)
