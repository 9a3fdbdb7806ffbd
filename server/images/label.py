"""What a picture is called: a word for people to read, and never a way to a file."""

import re

_LONGEST = 120
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\"<>|:*?]")


def clean_label(name: str) -> str:
    """``name`` without anything that a terminal, a header or a path could take amiss.

    Folders stay, with ``/`` between them; steps upwards and roots go. ``image`` where nothing is
    left. At most 120 characters; the end, where the file's type is, is kept.
    """
    parts = (_UNFIT.sub("", part).strip() for part in re.split(r"[/\\]", name))
    kept = "/".join(part for part in parts if part.strip("."))
    return kept[-_LONGEST:].strip("/. ") or "image"


def base_name(label: str) -> str:
    """A label without its folders."""
    return label.rpartition("/")[2]
