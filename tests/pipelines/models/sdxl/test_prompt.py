"""Prompts through both text encoders."""

import torch

from pipelines.models.device import CPU
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.prompt import PromptEncoder
from tests.pipelines.models.sdxl.replica import WORDS
from tests.pipelines.models.sdxl.scenes import count_calls


def test_a_prompt_is_encoded_once(components: Components) -> None:
    encode = PromptEncoder(components, CPU)
    one, two = (encoder.get_input_embeddings() for encoder in components.text_encoders)
    with CPU.working(), count_calls(one) as first_calls, count_calls(two) as second_calls:
        first, again = encode("the red sky"), encode("the red sky")
        encode("another")
    assert first is again
    assert first_calls == second_calls == [(1, 77)] * 2


def test_both_encoders_speak_side_by_side(components: Components) -> None:
    with CPU.working():
        words = PromptEncoder(components, CPU)("the red sky")
    assert words.tokens.shape == (77, 2 * WORDS)
    assert words.pooled.shape == (WORDS,)


def test_no_prompt_at_all_is_silence(components: Components) -> None:
    with CPU.working():
        words = PromptEncoder(components, CPU).absence()
    assert not words.tokens.any()
    assert not words.pooled.any()


def test_a_prompt_longer_than_the_model_reads_is_cut(components: Components) -> None:
    encode = PromptEncoder(components, CPU)
    with CPU.working():
        long, longer = encode("x y z " * 100), encode("x y z " * 200)
    assert torch.equal(long.tokens, longer.tokens)


def test_words_in_any_script_are_read(components: Components) -> None:
    encode = PromptEncoder(components, CPU)
    with CPU.working():
        sky, sea = encode("небо 空 ☁️"), encode("море 海 🌊")
    assert not torch.equal(sky.tokens, sea.tokens)
