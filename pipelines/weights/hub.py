"""The one place that speaks to a model hub, through huggingface_hub, which is an extra.

The hub's answers are believed about nothing but where a file is: what arrives is recognized by the
lock. Whether the library uses a proxy, a token or its Xet transport is its own business and that of
its environment variables; its telemetry is off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipelines.errors import ReframeError, WeightsError, WeightsMismatch
from pipelines.weights.digest import Meter


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
        """Raises WeightsError when huggingface_hub is not installed."""
        try:
            import huggingface_hub  # noqa: PLC0415  an extra
            from huggingface_hub import constants  # noqa: PLC0415
        except ImportError as error:
            raise WeightsError(
                "this needs huggingface_hub, which is not installed (extra: cuda)"
            ) from error
        # A setting of the library, whose environment variable is only read when it is imported.
        settings: Any = constants
        settings.HF_HUB_DISABLE_TELEMETRY = True
        self._library: Any = huggingface_hub
        self._library.logging.set_verbosity_error()
        self._endpoint = endpoint.rstrip("/") if endpoint else None

    def list_files(self, repository: str, revision: str) -> Listing:
        """Ask what is in ``repository`` at a branch, tag or commit; raises WeightsError."""
        with _translated_errors(repository):
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
        """

        def make_bar(**_: Any) -> _Bar:
            return _Bar(path, size, meter)

        with _translated_errors(f"{repository}: {path}"):
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


@contextmanager
def _translated_errors(what: str) -> Iterator[None]:
    try:
        yield
    except ReframeError:
        raise
    except Exception as error:  # the library, its transport and Xet have no common class
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise WeightsError(f"{what} could not be had from the hub: {reason}") from error
