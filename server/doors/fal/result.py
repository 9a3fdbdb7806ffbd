"""What a request made: every image once in a row, and once more target by target."""

from typing import Any

from pipelines.geometry import Size
from pipelines.target import Tier
from server.callbacks.payload import Link
from server.doors.fal.preset import find_preset
from server.jobs.job import Job, Output
from server.jobs.order import SizeTarget


def render_result(job: Job, link: Link) -> dict[str, Any]:
    """The output of a job that succeeded; ``link`` gives an address, or the picture itself."""
    made = [_find_outputs(job, number) for number in range(len(job.order.targets))]
    results = [_render_target(job, number, made[number], link) for number in range(len(made))]
    body = {
        "images": [image for result in results for image in result["images"]],
        "description": results[0]["description"],
        "results": results,
        "seed": job.order.seed,
    }
    if job.nsfw is not None:
        seen = [bool(each.record.get("nsfw_detected")) for outputs in made for each in outputs]
        body["has_nsfw_concepts"] = seen
    return body


def _find_outputs(job: Job, target: int) -> list[Output]:
    """What was made for a target; a zip is several sources, and their outputs follow each other."""
    found = [output for output in job.outputs if output.target == target]
    return sorted(found, key=lambda output: (output.source, output.variant))


def _render_target(job: Job, number: int, made: list[Output], link: Link) -> dict[str, Any]:
    target = job.order.targets[number]
    assert isinstance(target, SizeTarget)
    least = Tier((job.metadata or {}).get("resolution", Tier.ONE_K))
    preset = find_preset(Size(target.width, target.height), least)
    return {
        "images": [_render_image(output, link) for output in made],
        "description": str(made[0].record.get("prompt") or "") if made else "",
        "aspect_ratio": preset.aspect_ratio,
        "resolution": preset.resolution.value,
        "width": target.width,
        "height": target.height,
    }


def _render_image(output: Output, link: Link) -> dict[str, Any]:
    return {
        "url": link(output),
        "content_type": output.media_type,
        "file_name": output.file_name,
        "file_size": output.bytes,
        "width": output.width,
        "height": output.height,
    }
