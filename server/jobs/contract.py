"""What the API and the workers agree on besides the tables: names, and a number for their shape."""

APPLICATION = "smart-resize"
"""Owner of our workflows in the database."""

CONTRACT = "1"
"""Raised when the steps of a workflow change, so that no worker goes on with another one's steps.

It stands for the program's version in DBOS, which otherwise is a hash of the code: then every
upgrade would leave running jobs behind.
"""

JOBS = "reframe"
"""The queue that the devices work on."""

CALLBACKS = "callbacks"
"""The queue of callbacks, which holds no device."""

CALLBACKS_AT_ONCE = 16

FETCHES = "fetches"
"""The queue of jobs whose sources lie elsewhere; slow addresses hold no device, nor its queue."""

FETCHES_AT_ONCE = 32
"""Jobs whose sources a worker fetches."""

FETCHES_OF_ONE = 4
"""Of these, jobs of the same API key, so that nobody's slow addresses are in another one's way."""

POLL = 0.1
"""Seconds between two looks into an empty queue."""

FETCH_SOURCES = "fetch_sources"
REFRAME_JOB = "reframe_job"
DELIVER_CALLBACK = "deliver_callback"

BLOB = "blob:"
"""Begins a source that lies in the image store; its name may end with ``?`` and a label."""

QUEUES = {FETCH_SOURCES: FETCHES, REFRAME_JOB: JOBS, DELIVER_CALLBACK: CALLBACKS}
"""Where each workflow waits."""


def fetch_id(job_id: str) -> str:
    """The workflow that fetches a job's sources."""
    return f"fetch-{job_id}"


def job_of(workflow_id: str) -> str:
    """The job that a workflow fetches for or reframes."""
    return workflow_id.removeprefix("fetch-")


def callback_id(job_id: str, number: int = 0, past: int = 0) -> str:
    """The workflow that tells of a job's end: one, however often the end is written down.

    ``number`` above 0 is for those that somebody asks for again; where it goes on after a pause,
    ``past`` tries were made before.
    """
    name = f"cb-{job_id}-{number}" if number else f"cb-{job_id}"
    return f"{name}.{past}" if past else name


def tries_before(workflow_id: str) -> int:
    """How many tries were made before this workflow of a callback."""
    return int(workflow_id.partition(".")[2] or 0)
