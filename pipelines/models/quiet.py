"""Loading without the libraries' progress bars and remarks on our standard error.

They remark on leftovers of training in the published files; what matters is checked by us.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging


@contextmanager
def quietly() -> Iterator[None]:
    """Nothing but errors is said inside."""
    talkers = (diffusers_logging, transformers_logging)
    levels: list[int] = [talker.get_verbosity() for talker in talkers]
    shown: bool = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    for talker in talkers:
        talker.set_verbosity_error()
    try:
        yield
    finally:
        for talker, level in zip(talkers, levels, strict=True):
            talker.set_verbosity(level)
        if shown:
            transformers_logging.enable_progress_bar()
