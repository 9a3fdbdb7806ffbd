"""What the log lets through."""

import pytest

from server.logs import mask_secrets


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("key sr_abcDEF0123456789 was used", "key *** was used"),
        ("whsec_abcd+/EFGH12345678=", "***"),
        ("/files/WyJvdXRwdXRz.x-y_z/photo.png", "/files/***/photo.png"),
        ("http://here/uploads/WyJhc3NldHM.abc", "http://here/uploads/***"),
        ("/v1/runs/0199c0de", "/v1/runs/0199c0de"),
    ],
)
def test_secrets_are_masked_wherever_they_stand(said: str, kept: str) -> None:
    assert mask_secrets(None, "info", {"event": "x", "words": said})["words"] == kept
