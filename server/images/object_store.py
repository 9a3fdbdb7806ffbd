"""The image store in an S3-compatible bucket, for workers on several machines.

Volatile blobs are refused: a bucket is somebody's disk, and a folder in this machine's memory
would not be seen by a worker on another one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.errors import InvalidOption
from server.errors import BlobMissing, StorageFull, Unavailable
from server.images.blob_name import check_blob_name, check_prefix, is_blob_name, is_volatile

_MISSING = "NoSuchKey"
_FULL = frozenset({"507", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"})
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_TRIES = 4


class ObjectStore:
    """An ImageStore in a bucket; safe to share between threads.

    Credentials and region come from where boto3 looks for them.
    """

    def __init__(self, address: str, endpoint: str | None = None) -> None:
        """``address`` is ``s3://NAME`` or ``s3://NAME/PREFIX``; ``endpoint`` the service's URL.

        Connects when first used.

        Raises:
            InvalidOption: not such an address, or boto3 is not installed (extra: s3).
        """
        scheme, _, rest = address.partition("://")
        self._bucket, _, folder = rest.partition("/")
        if scheme != "s3" or not self._bucket:
            raise InvalidOption("a bucket is given as s3://NAME or s3://NAME/PREFIX")
        self._folder = f"{folder.strip('/')}/" if folder.strip("/") else ""
        self._client = _connect(endpoint)

    def put(self, name: str, data: bytes) -> None:
        """See ImageStore; a volatile name raises InvalidOption."""
        check_blob_name(name)
        if is_volatile(name):
            raise InvalidOption("this server keeps pictures in a bucket and cannot promise not to")
        with _translated_errors():
            self._client.put_object(Bucket=self._bucket, Key=self._folder + name, Body=data)

    def read(self, name: str) -> bytes:
        """See ImageStore."""
        if is_volatile(name) or not is_blob_name(name):
            raise BlobMissing
        with _translated_errors():
            answer = self._client.get_object(Bucket=self._bucket, Key=self._folder + name)
            with answer["Body"] as body:
                data: bytes = body.read()
        return data

    def delete(self, prefix: str) -> int:
        """See ImageStore; only whole parts of a name count, and an id must be among them."""
        wanted = check_prefix(prefix)
        if is_volatile(prefix):
            return 0
        with _translated_errors():
            keys = [key for key in self._list(wanted) if _belongs(key, self._folder + wanted)]
            for key in keys:  # one by one: not every service knows how to delete many
                self._client.delete_object(Bucket=self._bucket, Key=key)
        return len(keys)

    def check(self) -> None:
        """See ImageStore; asks the service."""
        with _translated_errors():
            self._client.head_bucket(Bucket=self._bucket)

    def _list(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._folder + prefix):
            yield from (entry["Key"] for entry in page.get("Contents", ()))


def _belongs(key: str, wanted: str) -> bool:
    return key == wanted or key.startswith(f"{wanted}/")


def _connect(endpoint: str | None) -> Any:
    try:
        import boto3  # noqa: PLC0415  an optional extra
        from botocore.config import Config  # noqa: PLC0415  an optional extra
    except ImportError as error:
        raise InvalidOption("a bucket needs boto3, which is not installed (extra: s3)") from error
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _TRIES, "mode": "standard"},
        # services other than Amazon's refuse the newer checksums and names of buckets as hosts
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    try:
        return boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)
    except ValueError as error:
        raise InvalidOption("the bucket's endpoint is not a URL") from error


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Only ours get out; what the service said goes to the log as the cause."""
    try:
        yield
    except Exception as error:
        code = _code_of(error)
        if code == _MISSING:
            raise BlobMissing from error
        if code in _FULL:
            raise StorageFull from error
        raise Unavailable("the bucket of the pictures cannot be used") from error


def _code_of(error: Exception) -> str:
    answer = getattr(error, "response", None) or {}
    status = str(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    return status if status in _FULL else str(answer.get("Error", {}).get("Code", ""))
