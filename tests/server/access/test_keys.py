"""Keys in a real database, and the commands that make and end them."""

import json
from pathlib import Path

import pytest

from server.access import key_store
from server.access.audit import FILE
from server.access.key_store import KeyStore
from server.database.engine import database_url, open_database
from server.database.upgrade import upgrade_tables
from tests.server.console import Call


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    engine = open_database(database_url(tmp_path, None))
    upgrade_tables(engine)
    return KeyStore(engine)


def test_a_key_is_found_by_its_secret_alone(keys: KeyStore) -> None:
    key, secret = keys.create("studio", rate=60, concurrency=3)
    assert keys.find(secret) == key
    assert keys.find(secret[:-1]) is None
    assert keys.find(key.digest) is None
    assert keys.find("") is None


def test_the_secret_is_not_kept(keys: KeyStore, tmp_path: Path) -> None:
    _, secret = keys.create("studio")
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()


def test_secrets_have_only_letters_that_every_client_takes(keys: KeyStore) -> None:
    secrets = {keys.create("many")[1] for _ in range(5)}
    assert len(secrets) == 5
    assert all(secret.replace("_", "").isalnum() and len(secret) == 46 for secret in secrets)


def test_a_revoked_key_opens_nothing(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_store, "FRESH", 0.0)
    assert not keys.any()
    _, first = keys.create("studio")
    kept, second = keys.create("print")
    assert keys.any()
    assert [key.name for key in keys.revoke("studio")] == ["studio"]
    assert keys.find(first) is None
    assert keys.find(second) is not None
    assert keys.revoke("studio") == []
    keys.revoke(kept.id)
    assert keys.any(), "a server whose last key leaked is not open to all"
    assert [key.revoked_at is None for key in keys.list()] == [False, False]


def test_create_prints_the_secret_and_nothing_else(call: Call, tmp_path: Path) -> None:
    done = call("keys", "create", "--name", "studio", "--data", tmp_path)
    assert done.returncode == 0
    secret = done.stdout.decode().strip()
    assert secret.startswith("sr_")
    assert done.stdout == secret.encode() + b"\n"
    assert done.stderr == b""
    listed = call("keys", "list", "--data", tmp_path)
    assert "studio" in listed.stdout.decode()
    assert "valid" in listed.stdout.decode()
    assert secret not in listed.stdout.decode()


def test_revoke_ends_it_and_what_administrators_did_is_noted(call: Call, tmp_path: Path) -> None:
    secret = call("keys", "create", "--name", "studio", "--data", tmp_path).stdout.decode().strip()
    assert call("keys", "revoke", "studio", "--data", tmp_path).returncode == 0
    assert "revoked" in call("keys", "list", "--data", tmp_path).stdout.decode()
    again = call("keys", "revoke", "studio", "--data", tmp_path)
    assert again.returncode == 2
    assert "invalid_option" in again.stderr.decode()
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [line["act"] for line in lines] == ["key created", "key revoked"]
    assert secret not in (tmp_path / FILE).read_text()


def test_a_key_has_defaults_that_list_and_the_record_show(call: Call, tmp_path: Path) -> None:
    given = ["--default", "xmp=false", "--default", "extras=record,mask", "--default", "store=no"]
    done = call("keys", "create", "--name", "studio", "--data", tmp_path, *given)
    assert done.returncode == 0, done.stderr
    listed = call("keys", "list", "--data", tmp_path).stdout.decode()
    assert "studio  xmp=false extras=record,mask store=false\n" in listed
    (line,) = (tmp_path / FILE).read_text().splitlines()
    expected = {"xmp": False, "extras": ["record", "mask"], "store": False}
    assert json.loads(line)["defaults"] == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colour=red", "one of xmp, c2pa, metadata, extras, store"),
        ("xmp", "xmp"),
        ("xmp=maybe", "xmp"),
        ("metadata=all", "metadata"),
        ("extras=mask,soup", "extras"),
    ],
)
def test_a_default_that_there_is_not_is_refused(
    call: Call, tmp_path: Path, text: str, reason: str
) -> None:
    done = call("keys", "create", "--name", "a", "--data", tmp_path, "--default", text)
    assert done.returncode == 2
    assert reason in done.stderr.decode()
    assert not (tmp_path / FILE).exists()
