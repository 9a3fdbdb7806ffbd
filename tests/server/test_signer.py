"""An operator's certificate is looked at before anything depends on it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import get_args

import c2pa
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from pipelines.errors import InvalidOption
from pipelines.export.signing import Algorithm
from server.settings import Settings
from server.signer import find_fault, load_credential, load_signer
from server.work.environment import make_environment
from tests.drawings import draw_meadow, to_png
from tests.pipelines.export.credentials import Credential, make_credential
from tests.server.console import Call


def write(folder: Path, credential: Credential, algorithm: Algorithm = Algorithm.ES256) -> Settings:
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(credential.chain)
    key.write_bytes(credential.key)
    return Settings.model_validate(
        {"c2pa_certificate": chain, "c2pa_key": key, "c2pa_algorithm": algorithm.value}
    )


@pytest.fixture
def signed_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Credential], None]:
    """The environment of an operator who has a certificate."""

    def furnish(credential: Credential) -> None:
        settings = write(tmp_path, credential)
        for name, value in make_environment(settings).items():
            if "C2PA" in name:
                monkeypatch.setenv(name, value)

    return furnish


def test_without_a_certificate_nobody_signs() -> None:
    assert load_signer(Settings()) is None


@pytest.mark.parametrize("algorithm", [Algorithm.ES256, Algorithm.PS256, Algorithm.ED25519])
def test_a_good_certificate_signs(algorithm: Algorithm, tmp_path: Path) -> None:
    found = load_credential(write(tmp_path, make_credential(algorithm), algorithm))
    assert found
    assert found.subject == "CN=Test signer,O=Test"
    assert find_fault(found) is None


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    settings = write(tmp_path, make_credential()).model_copy(update={"c2pa_key": None})
    with pytest.raises(InvalidOption, match="go together"):
        load_signer(settings)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = write(tmp_path, make_credential())
    (tmp_path / "key.pem").unlink()
    with pytest.raises(InvalidOption, match=r"key\.pem cannot be read: No such file"):
        load_signer(settings)


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        (Credential(b"no", make_credential().key), "not a chain"),
        (Credential(b"", make_credential().key), "not a chain"),
        (Credential(make_credential().chain, b"no"), "not a private key"),
        (Credential(make_credential().chain, make_credential().key), "not that of the chain"),
    ],
)
def test_what_does_not_fit_is_refused(credential: Credential, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=words):
        load_signer(write(tmp_path, credential))


def test_the_algorithm_has_to_suit_the_key(tmp_path: Path) -> None:
    for algorithm in (Algorithm.ES384, Algorithm.PS256, Algorithm.ED25519):
        with pytest.raises(InvalidOption, match=f"cannot sign with {algorithm}"):
            load_signer(write(tmp_path, make_credential(), algorithm))


@pytest.mark.parametrize(
    ("credential", "fault"),
    [
        (make_credential(ends=timedelta(days=-2)), "expired on 20"),
        (make_credential(usage=ExtendedKeyUsageOID.SERVER_AUTH), "does not do for C2PA"),
    ],
)
def test_what_c2pa_would_not_take_is_found_by_signing(
    credential: Credential, fault: str, tmp_path: Path
) -> None:
    found = load_credential(write(tmp_path, credential))
    assert found
    assert fault in (find_fault(found) or "")


def test_settings_know_every_algorithm() -> None:
    field = Settings.model_fields["c2pa_algorithm"]
    assert get_args(field.annotation) == tuple(Algorithm)


def test_the_doctor_says_who_signs_and_until_when(
    call: Call, signed_house: Callable[[Credential], None]
) -> None:
    signed_house(make_credential())
    finding = examine(call)
    assert finding["good"]
    assert finding["detail"].startswith("signs as CN=Test signer,O=Test, until 20")


def test_the_doctor_says_why_nothing_is_signed(
    call: Call, signed_house: Callable[[Credential], None]
) -> None:
    assert not examine(call)["good"]
    assert "no certificate is set" in examine(call)["detail"]
    signed_house(make_credential(ends=timedelta(days=-2)))
    assert "outputs stay unsigned: expired on" in examine(call)["detail"]
    signed_house(Credential(make_credential().chain, make_credential().key))
    assert "not that of the chain" in examine(call, code=3)["detail"]


def examine(call: Call, code: int = 0) -> dict[str, str]:
    done = call("doctor", "--json")
    assert done.returncode == code
    (finding,) = [each for each in json.loads(done.stdout) if each["subject"] == "C2PA"]
    return dict(finding)


def test_the_command_line_signs_what_it_makes(
    call: Call, photo: Path, tmp_path: Path, signed_house: Callable[[Credential], None]
) -> None:
    signed_house(make_credential())
    output = tmp_path / "wide.jpg"
    assert call("run", photo, "-a", "16:9", "-o", output).returncode == 0
    with output.open("rb") as file, c2pa.Reader("image/jpeg", file) as reader:
        assert reader.get_validation_state() == "Valid"


def test_a_wrong_certificate_ends_the_server_before_it_starts(
    call: Call, tmp_path: Path, signed_house: Callable[[Credential], None]
) -> None:
    signed_house(Credential(b"no", b"no"))
    done = call("serve", "--data", tmp_path / "data")
    assert done.returncode == 2
    assert b"chain of certificates" in done.stderr
    assert not (tmp_path / "data").exists()


def test_one_source_that_cannot_be_signed_for_stops_no_other(
    signed_house: Callable[[Credential], None], call: Call, tmp_path: Path
) -> None:
    signed_house(make_credential())
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "b.png").write_bytes(to_png(draw_meadow(60, 40)))
    call("run", folder / "b.png", "-s", "40x40", "-o", folder / "a.jpg", "--c2pa")
    data = bytearray((folder / "a.jpg").read_bytes())
    place = data.index(b"c2pa.assertions")
    data[place : place + 400] = b"\xff" * 400
    (folder / "a.jpg").write_bytes(data)
    done = call("run", folder, "-s", "30x30", "-o", out, "--c2pa")
    assert done.returncode == 1
    assert b"a.jpg: the file cannot be signed" in done.stderr
    assert [path.name for path in out.iterdir()] == ["b.png"]
