"""What a run leaves out, and that it says so."""

import importlib.util

HAS_TORCH = importlib.util.find_spec("torch") is not None

collect_ignore = [] if HAS_TORCH else ["pipelines/models"]


def pytest_report_header() -> list[str]:
    if HAS_TORCH:
        return []
    return ["left out: tests/pipelines/models, for torch is not installed (make test-models)"]
