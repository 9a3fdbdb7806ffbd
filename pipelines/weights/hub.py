"""The one place that speaks to a model hub, through huggingface_hub, which is an extra.

The hub's answers are believed about nothing but where a file is: what arrives is recognized by the
lock. Whether the library uses a proxy, a token or its Xet transport is its own business and that of
its environment variables; its telemetry is off.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pipelines.errors import ReframeError, WeightsError, WeightsMismatch
from pipelines.weights.digest import Meter

ANSWERS = {
    401: "it wants a token, or knows no such repository",
    403: "it does not allow this: a token may lack the right, a mirror may have a rule",
    404: "it does not have it",
    407: "the proxy wants a password",
    429: "it was asked too often: try again later",
}
"""What an answer's status means to who runs this."""

OUR_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO)
"""Failures of this machine and not of the hub."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """What a hub says of a file."""

    path: str
    size: int | None
    sha256: str | None
    """Only of large files."""
    git_blob: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a hub says of a repository at one revision."""

    revision: str
    licence: str | None
    files: tuple[HubFile, ...]


class Hub:
    """A hub or its mirror at ``endpoint``; the library's own choice when that is None."""

    def __init__(self, endpoint: str | None = None) -> None:
        """Raises WeightsError when huggingface_hub is not installed, or told to stay offline."""
        try:
            import huggingface_hub  # noqa: PLC0415  an extra
            from huggingface_hub import constants  # noqa: PLC0415
        except ImportError as error:
            raise WeightsError(
                "this needs huggingface_hub, which is not installed (extra: cuda)"
            ) from error
        if constants.is_offline_mode():
            raise WeightsError(
                "HF_HUB_OFFLINE is set, so no hub may be asked: set HF_HUB_OFFLINE=0 for this "
                "command, or bring the weights with: smart-resize weights bundle import"
            )
        # A setting of the library, whose environment variable is only read when it is imported.
        settings: Any = constants
        settings.HF_HUB_DISABLE_TELEMETRY = True
        self._library: Any = huggingface_hub
        self._library.logging.set_verbosity_error()
        self._endpoint = (endpoint or str(constants.ENDPOINT)).rstrip("/")

    def list_files(self, repository: str, revision: str) -> Listing:
        """Ask what is in ``repository`` at a branch, tag or commit; raises WeightsError."""
        with self._translated_errors(repository):
            api = self._library.HfApi(endpoint=self._endpoint)
            answer = api.model_info(repository, revision=revision, files_metadata=True, timeout=60)
        files = tuple(
            HubFile(
                path=file.rfilename,
                size=file.size,
                sha256=file.lfs.sha256 if file.lfs else None,
                git_blob=None if file.lfs else file.blob_id,
            )
            for file in answer.siblings or ()
        )
        licence = answer.card_data.license if answer.card_data else None
        return Listing(str(answer.sha), licence if isinstance(licence, str) else None, files)

    def download(
        self, repository: str, revision: str, path: str, folder: Path, meter: Meter, size: int
    ) -> Path:
        """Fetch one file into ``folder``; a cut connection is taken up where it broke.

        Raises:
            WeightsError: the file could not be had.
            WeightsMismatch: it has more than ``size`` bytes.
            OSError: this machine's disk failed or was full.
        """
        meter(path, 0)

        def make_bar(**_: Any) -> _Bar:
            return _Bar(path, size, meter)

        with self._translated_errors(f"{repository}: {path}"):
            fetched: str = self._library.hf_hub_download(
                repository,
                path,
                revision=revision,
                local_dir=folder,
                cache_dir=folder / ".cache",
                endpoint=self._endpoint,
                tqdm_class=make_bar,
            )
        return Path(fetched)

    @contextmanager
    def _translated_errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except ReframeError:
            raise
        except Exception as error:  # the library, its transport and Xet have no common class
            if isinstance(error, OSError) and error.errno in OUR_DISK:
                raise
            asked, answer = _explain(error)
            msg = f"{what} could not be had from {asked or self._endpoint}: {answer}"
            raise WeightsError(msg) from error


class _Bar:
    """What huggingface_hub takes for a tqdm bar: passes the bytes on, and stops a flood."""

    def __init__(self, path: str, size: int, meter: Meter) -> None:
        self.total, self.n = size, 0
        self._path, self._meter = path, meter

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""

    def update(self, count: float | None = 1) -> None:
        """Hear of bytes that were written."""
        self.n += int(count or 0)
        if self.n > self.total:
            raise WeightsMismatch(f"{self._path}: more than the {self.total} bytes that it has")
        self._meter(self._path, int(count or 0))

    def update_transfer(self, count: float | None = 1) -> None:
        """Bytes on the wire are fewer with Xet and of no interest here."""

    def set_postfix_str(self, *_: object, **__: object) -> None:
        """Speed is for others to show."""

    set_transfer_postfix_str = set_postfix_str


def _explain(error: BaseException) -> tuple[str | None, str]:
    """Who answered, if somebody did, and what is to be said of it."""
    cause = error
    while True:
        response = getattr(cause, "response", None)
        if response is not None:
            where, status = urlsplit(str(response.url)), int(response.status_code)
            answer = f"it answered {status} {response.reason_phrase}".rstrip()
            meaning = ANSWERS.get(status, "try again later, or ask those who run it")
            return f"{where.scheme}://{where.netloc}", f"{answer}; {meaning}"
        if type(cause).__name__ == "FileMetadataError":
            return None, "it does not answer like a hub, with X-Repo-Commit and ETag in the head"
        if cause.__cause__ is None:
            break
        cause = cause.__cause__
    return None, str(cause).strip().partition("\n")[0] or type(cause).__name__
