"""Every error that only a server can meet, below the tree of ``pipelines.errors``.

    ReframeError
    ├── AccessError           the caller may not
    │   ├── Unauthenticated
    │   └── Forbidden
    ├── NotFound              there is no such thing, or it is somebody else's
    │   ├── JobNotFound
    │   ├── AssetNotFound
    │   ├── ModelNotFound
    │   ├── LinkInvalid
    │   └── MethodNotAllowed
    ├── InvalidBody           the body is not what is asked for
    │   └── MalformedBody
    ├── BodyTooLarge
    ├── Conflict              it contradicts what was said before
    │   └── IdempotencyConflict
    ├── Overloaded            later, with a time
    │   ├── QueueFull
    │   └── RateLimited
    ├── Unavailable           the operator's to mend
    │   ├── DatabaseUnavailable
    │   ├── StorageFull
    │   └── BlobMissing
    ├── SourceForbidden       an address that this server does not fetch from
    ├── ArchiveInvalid        a zip that cannot be opened safely
    ├── WorkerLost            the job killed its worker again and again
    ├── JobExpired            the job did not begin before its deadline
    ├── OrderUnreadable       a newer version took the job than the one that was to do it
    └── InternalError         a defect of ours

The same rules hold: a stable code, a text fit for the caller's eyes.
"""

from typing import Any, ClassVar

from pipelines.errors import ReframeError


class AccessError(ReframeError):
    """The caller may not do this."""

    code = "access_error"


class Unauthenticated(AccessError):
    """A valid API key is needed."""

    code = "unauthenticated"


class Forbidden(AccessError):
    """This API key may not do this."""

    code = "forbidden"


class NotFound(ReframeError):
    """There is nothing at this address."""

    code = "not_found"


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class AssetNotFound(NotFound):
    """There is no such upload."""

    code = "asset_not_found"


class ModelNotFound(NotFound):
    """There is no such model."""

    code = "model_not_found"


class LinkInvalid(NotFound):
    """The link is not valid, or no longer."""

    code = "link_invalid"


class MethodNotAllowed(NotFound):
    """This address does not take that method."""

    code = "method_not_allowed"


class InvalidBody(ReframeError):
    """The request's body is not what is asked for here."""

    code = "invalid_body"

    def __init__(self, detail: str = "", errors: list[dict[str, Any]] | None = None) -> None:
        """``errors`` has an entry for each field, with ``loc``, ``msg`` and ``type``."""
        super().__init__(detail)
        self.errors = errors or []


class MalformedBody(InvalidBody):
    """The request's body is not JSON, or not an object."""

    code = "malformed_body"


class BodyTooLarge(ReframeError):
    """The request's body is larger than this server takes."""

    code = "body_too_large"


class Conflict(ReframeError):
    """This contradicts what is already there."""

    code = "conflict"


class IdempotencyConflict(Conflict):
    """This idempotency key was used with another request."""

    code = "idempotency_conflict"


class Overloaded(ReframeError):
    """The server has too much to do; try later."""

    code = "overloaded"
    retryable = True

    def __init__(self, detail: str = "", retry_after: float = 1.0) -> None:
        """``retry_after`` seconds is when another try may be worth it."""
        super().__init__(detail)
        self.retry_after = retry_after


class QueueFull(Overloaded):
    """The queue is full; try later."""

    code = "queue_full"


class RateLimited(Overloaded):
    """This API key asks too often; try later."""

    code = "rate_limited"


class Unavailable(ReframeError):
    """The server cannot do this at the moment."""

    code = "unavailable"
    retryable = True
    retry_after: ClassVar[float] = 5.0


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"


class StorageFull(Unavailable):
    """There is no room left for pictures."""

    code = "storage_full"


class BlobMissing(Unavailable):
    """A stored picture is gone."""

    code = "blob_missing"
    retryable = False


class SourceForbidden(ReframeError):
    """This server does not fetch from that address."""

    code = "source_forbidden"


class ArchiveInvalid(ReframeError):
    """The zip cannot be opened safely, or holds no pictures."""

    code = "archive_invalid"


class WorkerLost(ReframeError):
    """The job ended its worker process several times and was set aside."""

    code = "worker_lost"


class JobExpired(ReframeError):
    """The job did not begin before its deadline."""

    code = "job_expired"


class OrderUnreadable(ReframeError):
    """A newer version of this program took the job than the one that was to do it; ask again."""

    code = "order_unreadable"
    retryable = True


class InternalError(ReframeError):
    """Something went wrong on the server; the log knows more."""

    code = "internal_error"
    retryable = True
