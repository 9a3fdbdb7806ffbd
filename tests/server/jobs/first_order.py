"""An order as the first version of the program wrote it, with all that it knew."""

from typing import Any

FIRST_ORDER: dict[str, Any] = {
    "sources": ["blob:uploads/x/0"],
    "targets": [{"kind": "size", "width": 64, "height": 64}],
    "seed": 7,
    "member": "",
    "rules": {
        "policy": "auto",
        "max_crop": 1.0,
        "protect": [],
        "keep_clear": [],
        "anchor": None,
        "prefer": None,
        "feather": None,
        "strict": False,
    },
    "plan": None,
    "fill": "auto",
    "prompt": "",
    "mode": "balanced",
    "variants": 1,
    "format": "png",
    "quality": None,
    "max_bytes": None,
    "nsfw": "flag",
    "strictness": 3,
    "volatile": False,
}
