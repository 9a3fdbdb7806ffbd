"""Settings reach a child as they are."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from server.settings import EngineName, Settings
from server.work.environment import make_environment


def test_a_child_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        data=Path("some where"),
        database_url=SecretStr("postgresql://me:p%40ss@db/x"),
        engine=EngineName.SDXL,
        allow_private_hosts=True,
        allow_hosts=("db.example", "10.0.0.0/8"),
        drain=2.5,
    )
    variables = make_environment(settings)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings
    assert variables["PATH"]


def test_what_was_set_otherwise_before_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMART_RESIZE_PUBLIC_URL", "https://old.example")
    settings = Settings(data=Path("x")).model_copy(update={"public_url": None})
    assert "SMART_RESIZE_PUBLIC_URL" not in make_environment(settings)
