"""Every error a caller can meet, in one tree.

    ReframeError
    ├── RequestError          the caller's to fix; never retried
    │   ├── InvalidOption
    │   ├── InvalidPlan
    │   ├── UnreachableTarget
    │   ├── UnreachablePlan
    │   ├── UnreachableBudget
    │   ├── SourceUnavailable
    │   ├── ImageUndecodable
    │   ├── ImageTooLarge
    │   ├── SourceUnsignable
    │   ├── ContentRejected
    │   └── OutputUnwritable
    ├── JobError              what became of the job
    │   └── JobCancelled
    ├── ModelError            the machine's to fix; another try may be worth it
    │   ├── EngineUnavailable
    │   ├── OutOfMemory
    │   └── DeviceFailed
    └── WeightsError          the operator's to fix, before anything runs
        ├── LockInvalid
        ├── LicenceNotAccepted
        ├── WeightsMissing
        └── WeightsMismatch

Each class carries a stable ``code`` and its docstring's first line is the default public text.
A message given to the constructor must be fit for the caller's eyes; the private cause goes
into ``raise ... from``.
"""

from typing import ClassVar


class ReframeError(Exception):
    """The picture could not be reframed."""

    code: ClassVar[str] = "reframe_error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "") -> None:
        """Keep ``detail``, or the first line of the class's docstring, as the public text."""
        self.detail = detail or (self.__doc__ or "").partition("\n")[0]
        super().__init__(self.detail)


class RequestError(ReframeError):
    """The request cannot be carried out as it is."""

    code = "request_error"


class InvalidOption(RequestError):
    """An option has a value that it cannot have."""

    code = "invalid_option"


class InvalidPlan(RequestError):
    """The plan contradicts itself or does not belong to this source."""

    code = "invalid_plan"


class UnreachableTarget(RequestError):
    """The target is outside the sizes or ratios that can be made."""

    code = "unreachable_target"


class UnreachablePlan(RequestError):
    """No plan keeps every rule, and a strict request forbids giving one up."""

    code = "unreachable_plan"


class UnreachableBudget(RequestError):
    """The output cannot be encoded within the byte limit."""

    code = "unreachable_budget"


class SourceUnavailable(RequestError):
    """The source could not be read."""

    code = "source_unavailable"


class ImageUndecodable(RequestError):
    """The source is not a picture in a supported format, or it is damaged."""

    code = "image_undecodable"


class ImageTooLarge(RequestError):
    """The source is larger than the limits allow."""

    code = "image_too_large"


class SourceUnsignable(RequestError):
    """The source's own C2PA data is damaged, so that nothing made of it can be signed."""

    code = "source_unsignable"


class ContentRejected(RequestError):
    """A picture is probably not safe for work, and the caller wants such ones blocked."""

    code = "content_rejected"


class OutputUnwritable(RequestError):
    """The output could not be written to its place."""

    code = "output_unwritable"


class JobError(ReframeError):
    """The job did not end with an output."""

    code = "job_error"


class JobCancelled(JobError):
    """The job was cancelled."""

    code = "job_cancelled"


class ModelError(ReframeError):
    """The engine could not do its part."""

    code = "model_error"
    retryable = True


class EngineUnavailable(ModelError):
    """The engine asked for is not available on this machine."""

    code = "engine_unavailable"
    retryable = False


class OutOfMemory(ModelError):
    """The picture does not fit into the device's memory."""

    code = "out_of_memory"


class DeviceFailed(ModelError):
    """The device failed; the process that used it must be started anew."""

    code = "device_failed"


class WeightsError(ReframeError):
    """The weights could not be made ready."""

    code = "weights_error"


class LockInvalid(WeightsError):
    """The list of weights contradicts itself or names a file that must not be loaded."""

    code = "lock_invalid"


class LicenceNotAccepted(WeightsError):
    """A model's licence has conditions that somebody has to accept first."""

    code = "licence_not_accepted"


class WeightsMissing(WeightsError):
    """Weights that are needed are not on this machine."""

    code = "weights_missing"


class WeightsMismatch(WeightsError):
    """A file of weights is not the one that the lock names."""

    code = "weights_mismatch"
