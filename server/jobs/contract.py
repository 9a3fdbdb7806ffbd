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

AT_ONCE = 2
"""Jobs that a worker takes up: one has the device while the other's sources come.

More for an engine that makes batches of several jobs' canvases.
"""

CALLBACKS_AT_ONCE = 16
POLL = 0.1
"""Seconds between two looks into an empty queue."""

REFRAME_JOB = "reframe_job"
DELIVER_CALLBACK = "deliver_callback"


def callback_id(job_id: str, number: int = 0) -> str:
    """The workflow that tells of a job's end: one, however often the end is written down.

    ``number`` above 0 is for those that somebody asks for again.
    """
    return f"cb-{job_id}-{number}" if number else f"cb-{job_id}"
