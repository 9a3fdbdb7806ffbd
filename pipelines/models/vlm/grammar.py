"""The grammar of an answer, and who holds the model to it token by token.

An answer is one line of JSON with the shortest of keys: ``c`` caption, ``s`` scene, ``e`` edges
that cut through a subject, ``o`` subjects, each a kind, a weight and a box in thousandths. Text
is plain ASCII without escapes, so that it can end after any token.

What it costs, in the pieces that the published tokenizer cuts text into, a word, a digit or a
run of signs: 13 for keys and brackets, about 9 for a caption and 20 for a scene at their longest,
1 or 2 for edges, and 20 for a subject, of which 12 are digits. Rare words and long runs of signs
take a token more. That is about 65 tokens with one subject and 125 with four. From token
``BUDGET`` on every text ends and no further subject follows: two surely had their turn by then,
and a third has begun. Even a model that writes letter by letter is done ``REST`` tokens later.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer

from pipelines.composition import SubjectKind
from pipelines.models.device import Device
from pipelines.models.vlm.components import Vlm

CAPTION, SCENE = 40, 96
"""Letters of the two texts, at most."""

MOST_SUBJECTS = 4
HEAVIEST = 9
GRID = 1000
"""Boxes are told in these parts of a side, as the model has learned it."""

EDGES = "ltrb"
"""One letter for each edge, always in this order."""

BUDGET = 96
"""Tokens after which an answer hurries to its end."""

LAST = [max(SubjectKind, key=len), HEAVIEST, [GRID] * 4]
REST = len(json.dumps({"c": "", "s": "", "e": "", "o": [LAST]}, separators=(",", ":"))) + 1
"""Tokens that hurrying takes at most, a letter each: no text, one more subject, and the end."""

TEXT = r"^[ !#-\[\]-~]*$"


def _write_schema() -> dict[str, Any]:
    box = {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": GRID},
        "minItems": 4,
        "maxItems": 4,
    }
    subject = {
        "type": "array",
        "prefixItems": [
            {"enum": [kind.value for kind in SubjectKind]},
            {"type": "integer", "minimum": 1, "maximum": HEAVIEST},
            box,
        ],
        "items": False,
        "minItems": 3,
    }
    properties = {
        "c": {"type": "string", "pattern": TEXT, "maxLength": CAPTION},
        "s": {"type": "string", "pattern": TEXT, "maxLength": SCENE},
        "e": {"type": "string", "pattern": f"^{''.join(f'{edge}?' for edge in EDGES)}$"},
        "o": {"type": "array", "items": subject, "maxItems": MOST_SUBJECTS},
    }
    return {
        "x-guidance": {"whitespace_flexible": False},
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMA = _write_schema()


class Grammar:
    """The schema, made ready for one tokenizer; takes about a second at full size."""

    def __init__(self, vlm: Vlm) -> None:
        """Read the tokenizer and compile the schema."""
        tokenizer = from_tokenizer(vlm.tokenizer, n_vocab=vlm.vocabulary, eos_token=vlm.ends)
        self.vocabulary = vlm.vocabulary
        self.end = vlm.ends[0]
        self.quote, self.comma, self.bracket = (tokenizer.tokenize_str(sign)[0] for sign in '",]')
        self._start = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema(SCHEMA))
        assert not self._start.is_error(), self._start.get_error()

    def start(self) -> LLMatcher:
        """A matcher before the first token."""
        return self._start.deep_copy()


class Guide:
    """Lets every row of one batch choose only what its answer may go on with.

    Called by ``generate`` before each token, as one of its logits processors.
    """

    def __init__(self, grammar: Grammar, rows: int, budget: int, device: Device) -> None:
        """``budget`` is the number of tokens after which answers hurry to their end."""
        self._grammar = grammar
        self._matchers = [grammar.start() for _ in range(rows)]
        self._budget = budget
        self._device = device
        self._written = 0

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores (B, V) with everything forbidden at minus infinity; ``ids`` are (B, L)."""
        if self._written:
            for matcher, token in zip(self._matchers, ids[:, -1].tolist(), strict=True):
                if not matcher.is_stopped():
                    matcher.consume_token(token)
        allowed = np.stack([self._allow(matcher) for matcher in self._matchers])
        self._written += 1
        return scores.masked_fill(~self._device.upload(torch.from_numpy(allowed)), -torch.inf)

    def _allow(self, matcher: LLMatcher) -> npt.NDArray[np.bool_]:
        """Which tokens (V,) may come next; after the end only the end."""
        grammar = self._grammar
        if matcher.is_stopped():
            return self._only(grammar.end)
        bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
        allowed = bits[: grammar.vocabulary].astype(bool)
        if self._written >= self._budget:
            if allowed[grammar.quote]:
                return self._only(grammar.quote)  # a text may end here
            if allowed[grammar.comma] and allowed[grammar.bracket]:
                return self._only(grammar.bracket)  # the list of subjects may end here
        return allowed

    def _only(self, token: int) -> npt.NDArray[np.bool_]:
        allowed = np.zeros(self._grammar.vocabulary, bool)
        allowed[token] = True
        return allowed
