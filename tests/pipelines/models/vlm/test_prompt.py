"""Pictures and the question as the model reads them."""

from dataclasses import replace

import pytest

from pipelines.errors import ModelError
from pipelines.models.device import CPU
from pipelines.models.vlm.components import Vlm
from pipelines.models.vlm.look import MOST_TOKENS
from pipelines.models.vlm.prompt import MESSAGES, Prompt
from pipelines.models.vlm.wording import QUESTION, SYSTEM
from tests.drawings import draw_meadow
from tests.pipelines.models.vlm.scenes import draw_pictures


def test_a_row_is_the_folders_template_with_the_picture_in_its_place(vlm: Vlm) -> None:
    batch = Prompt(vlm, CPU)([draw_meadow(640, 480)])
    text = vlm.tokenizer.decode(batch["input_ids"][0])
    picture = "<|image_pad|>" * (640 // 32 * 480 // 32)
    assert text == (
        f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
        f"<|im_start|>user\n<|vision_start|>{picture}<|vision_end|>{QUESTION}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_shorter_rows_are_padded_on_their_left(vlm: Vlm) -> None:
    pictures = draw_pictures()
    prompt = Prompt(vlm, CPU)
    together = prompt(pictures)
    lengths = set()
    for row, picture in enumerate(pictures):
        alone = prompt([picture])["input_ids"][0]
        ids, mask = together["input_ids"][row], together["attention_mask"][row]
        assert mask.sum() == len(alone)
        assert ids[-len(alone) :].tolist() == alone.tolist()
        assert mask.tolist() == sorted(mask.tolist())
        lengths.add(len(alone))
    assert len(lengths) > 2


def test_positions_are_told_where_the_pictures_are(vlm: Vlm) -> None:
    batch = Prompt(vlm, CPU)(draw_pictures())
    in_picture = batch["input_ids"] == vlm.model.config.image_token_id
    assert batch["mm_token_type_ids"].tolist() == in_picture.int().tolist()
    cells = batch["image_grid_thw"].prod(dim=1) // 4
    assert in_picture.sum(dim=1).tolist() == cells.tolist()


def test_no_prompt_is_longer_than_announced(vlm: Vlm) -> None:
    prompt = Prompt(vlm, CPU)
    largest = prompt([draw_meadow(1024, 1280)])
    assert largest["image_grid_thw"].prod() // 4 == MOST_TOKENS
    assert largest["input_ids"].shape[1] == prompt.longest


@pytest.mark.parametrize(
    "template", ["{{ messages[0].content }}", "{% for %}", "{{ messages.nothing.at_all }}"]
)
def test_a_template_without_a_place_for_a_picture_is_refused(vlm: Vlm, template: str) -> None:
    assert len(MESSAGES) == 2
    with pytest.raises(ModelError, match="template"):
        Prompt(replace(vlm, template=template), CPU)
