"""C2PA's own reader finds what was made of what, by what; nobody else is asked anything."""

import io
import json
import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import c2pa
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from pipelines import preview
from pipelines.codec.decode import Source, decode
from pipelines.codec.encode import Format, encode
from pipelines.codec.notice import Notice
from pipelines.errors import InvalidOption, SourceUnsignable, UnreachableBudget
from pipelines.export.files import Material, export
from pipelines.export.provenance import ALTERED, EDITED_BY_MODEL, MADE_BY_MODEL, TOOL, version
from pipelines.export.signing import SIGNABLE, Algorithm, Signer
from pipelines.export.wishes import Export, Extra
from pipelines.fill import Fill
from pipelines.geometry import Box, PixelBox, Size
from pipelines.plan import Plan
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from tests.drawings import draw_meadow, to_png
from tests.pipelines.export.credentials import make_credential
from tests.pipelines.export.house import WEIGHTS, finish

FORMATS = sorted(SIGNABLE)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(*make_credential(), Algorithm.ES256)


def read(data: bytes, form: Format) -> dict[str, Any]:
    """The whole store of manifests, and whether they are valid."""
    with c2pa.Reader(form.media_type, io.BytesIO(data)) as reader:
        found: dict[str, Any] = json.loads(reader.json())
    return found


def manifest(found: dict[str, Any]) -> dict[str, Any]:
    active: dict[str, Any] = found["manifests"][found["active_manifest"]]
    return active


def actions(found: dict[str, Any]) -> list[dict[str, Any]]:
    (said,) = (
        each["data"]["actions"]
        for each in manifest(found)["assertions"]
        if each["label"].startswith("c2pa.actions")
    )
    return list(said)


@pytest.mark.parametrize("form", FORMATS)
def test_a_signed_file_is_valid_and_says_what_it_was_made_of(form: Format, signer: Signer) -> None:
    made = export(finish(models=WEIGHTS), Export(form), signer)
    found = read(made.file.data, form)
    assert found["validation_state"] == "Valid"
    (source,) = manifest(found)["ingredients"]
    assert (source["relationship"], source["format"]) == ("parentOf", "image/png")
    opened, edited = actions(found)
    assert opened["action"] == "c2pa.opened"
    assert edited["action"] == "c2pa.edited"
    assert edited["digitalSourceType"] == EDITED_BY_MODEL
    assert edited["softwareAgent"] == {"name": TOOL, "version": version()}
    assert made.provenance.c2pa
    assert made.file.notes == ()


@pytest.mark.parametrize("form", FORMATS)
def test_signing_changes_no_pixel_and_adds_little(form: Format, signer: Signer) -> None:
    material = finish()
    plain, signed = (export(material, Export(form), each).file.data for each in (None, signer))
    assert decode(plain).picture.tobytes() == decode(signed).picture.tobytes()
    assert 0 < len(signed) - len(plain) < 6_000


def test_a_changed_file_is_not_valid(signer: Signer) -> None:
    data = bytearray(export(finish(), Export(Format.JPEG), signer).file.data)
    data[-200] ^= 1
    assert read(bytes(data), Format.JPEG)["validation_state"] == "Invalid"


@pytest.mark.parametrize(
    "algorithm", [Algorithm.ES384, Algorithm.ES512, Algorithm.PS256, Algorithm.ED25519]
)
def test_other_keys_sign_too(algorithm: Algorithm) -> None:
    made = export(finish(), Export(), Signer(*make_credential(algorithm), algorithm))
    assert read(made.file.data, Format.PNG)["validation_state"] == "Valid"


@pytest.mark.parametrize("usage", ["1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.36"])
def test_certificates_for_c2pa_and_for_documents_sign_too(usage: str) -> None:
    credential = make_credential(usage=ObjectIdentifier(usage))
    assert export(finish(), Export(c2pa=True), Signer(*credential, Algorithm.ES256)).provenance.c2pa


def test_what_a_signed_source_brings_is_kept(signer: Signer) -> None:
    first = export(finish(models=WEIGHTS), Export(Format.JPEG), signer).file.data
    second = export(finish(source=decode(first)), Export(), signer).file.data
    found = read(second, Format.PNG)
    assert found["validation_state"] == "Valid"
    assert len(found["manifests"]) == 2
    assert "active_manifest" in manifest(found)["ingredients"][0]


def test_crop_and_scale_are_said_and_no_edit_where_nothing_was_added(signer: Signer) -> None:
    picture = draw_meadow(90, 60)
    plan = Plan(Size(90, 60), Size(40, 40), Box(10, 0, 70, 60), PixelBox(0, 0, 40, 40))
    request = ReframeRequest(plan.target, plan=plan, export=Export())
    (made,) = Reframer(preview.load(), signer=signer)(to_png(picture), [request])
    said = [action["action"] for action in actions(read(made.file.data, Format.PNG))]
    assert said == ["c2pa.opened", "c2pa.cropped", "c2pa.resized"]


def test_the_engine_without_weights_is_not_called_a_model(signer: Signer) -> None:
    rules = Rules(policy=Policy.EXPAND)
    request = ReframeRequest(Size(120, 60), rules, fill=Fill.GENERATE)
    (made,) = Reframer(preview.load(), signer=signer)(to_png(draw_meadow(90, 60)), [request])
    edited = actions(read(made.file.data, Format.PNG))[-1]
    assert edited["digitalSourceType"] == ALTERED
    assert made.to_json()["provenance"] == {
        "xmp": True,
        "c2pa": True,
        "digital_source_type": ALTERED,
    }


def test_what_was_done_is_said_apart_from_what_the_source_was(signer: Signer) -> None:
    source = decode(to_png(draw_meadow(90, 60)))
    source = replace(source, notice=Notice(source_type=MADE_BY_MODEL))
    made = export(finish(source=source), Export(), signer)
    assert actions(read(made.file.data, Format.PNG))[-1]["digitalSourceType"] == ALTERED
    assert made.provenance.digital_source_type == MADE_BY_MODEL


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF", "TIFF", "GIF"])
def test_any_source_can_be_the_one_that_was_opened(form: str, signer: Signer) -> None:
    file = io.BytesIO()
    draw_meadow(90, 60).save(file, form)
    made = export(finish(source=decode(file.getvalue())), Export(), signer)
    assert made.file.notes == ()
    assert read(made.file.data, Format.PNG)["validation_state"] == "Valid"


def test_nothing_is_signed_unless_there_is_a_certificate_and_no_one_objects(
    signer: Signer,
) -> None:
    material = finish()
    assert not export(material, Export()).provenance.c2pa
    assert not export(material, Export(c2pa=False), signer).provenance.c2pa
    assert not export(material, Export(Format.PSD), signer).provenance.c2pa
    assert export(material, Export(c2pa=True), signer).provenance.c2pa


@pytest.mark.parametrize(("form", "there"), [(Format.PNG, False), (Format.PSD, True)])
def test_a_signature_that_cannot_be_had_is_refused_before_anything_is_done(
    form: Format, there: bool, signer: Signer
) -> None:
    reframer = Reframer(preview.load(), signer=signer if there else None)
    request = ReframeRequest(Size(10, 10), export=Export(form, c2pa=True))
    with pytest.raises(InvalidOption, match="C2PA"):
        list(reframer(b"not even a picture", [request]))


def test_a_budget_goes_before_a_signature(signer: Signer) -> None:
    material = finish()
    limit = len(export(material, Export(Format.JPEG)).file.data) + 1_000
    made = export(material, Export(Format.JPEG, max_bytes=limit), signer)
    assert len(made.file.data) <= limit
    assert not made.provenance.c2pa
    assert made.file.notes[-1].startswith("not signed: with its signature the file has")
    with pytest.raises(UnreachableBudget, match="with its signature"):
        export(material, Export(Format.JPEG, max_bytes=limit, c2pa=True), signer)


def make_misfits() -> list[Signer]:
    late = make_credential(ends=timedelta(days=-1))
    for_servers = make_credential(usage=ExtendedKeyUsageOID.SERVER_AUTH)
    mixed = make_credential()._replace(key=make_credential().key)
    return [Signer(*each, Algorithm.ES256) for each in (late, for_servers, mixed)]


@pytest.mark.parametrize("misfit", make_misfits(), ids=["expired", "for servers", "other key"])
def test_a_certificate_that_will_not_do_leaves_files_unsigned(misfit: Signer) -> None:
    made = export(finish(), Export(), misfit)
    assert not made.provenance.c2pa
    assert made.file.notes[-1].startswith("not signed: ")
    with pytest.raises(InvalidOption, match="cannot be signed"):
        export(finish(), Export(c2pa=True), misfit)


def test_a_source_that_points_elsewhere_is_not_followed(signer: Signer) -> None:
    """Its XMP names a manifest on a server; nobody may call there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
        source = point(address)
        made = export(finish(source=source), Export(), signer)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert made.provenance.c2pa


def point(address: str) -> Source:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{address}"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    file = io.BytesIO()
    draw_meadow(90, 60).save(file, "JPEG", xmp=packet.encode())
    return decode(file.getvalue())


def test_a_source_whose_own_store_is_broken_does_no_harm(signer: Signer) -> None:
    signed = bytearray(export(finish(), Export(Format.JPEG), signer).file.data)
    place = signed.index(b"c2pa.assertions")
    signed[place : place + 400] = b"\xff" * 400
    made = export(finish(source=decode(bytes(signed))), Export(), signer)
    assert not made.provenance.c2pa
    assert made.file.notes == ("not signed: the source's own C2PA data is damaged",)
    with pytest.raises(SourceUnsignable, match="cannot be signed: the source's own C2PA data"):
        export(finish(source=decode(bytes(signed))), Export(c2pa=True), signer)


def test_a_source_that_was_changed_after_it_was_signed_is_said_to_be_so(signer: Signer) -> None:
    changed = bytearray(export(finish(), Export(Format.JPEG), signer).file.data)
    changed[-200] ^= 1
    made = export(finish(source=decode(bytes(changed))), Export(), signer)
    found = read(made.file.data, Format.PNG)
    assert found["validation_state"] == "Valid"
    results = manifest(found)["ingredients"][0]["validation_results"]
    failures = [each["code"] for each in results["activeManifest"]["failure"]]
    assert "assertion.dataHash.mismatch" in failures


def test_the_record_beside_a_signed_file_has_its_hash(signer: Signer) -> None:
    wishes = Export(extras=frozenset({Extra.MASK, Extra.RECORD}))
    request = ReframeRequest(Size(120, 60), export=wishes)
    (made,) = Reframer(preview.load(), signer=signer)(to_png(draw_meadow(90, 60)), [request])
    mask, record = made.extras
    said = json.loads(record.data)
    assert (mask.kind, record.kind) == (Extra.MASK, Extra.RECORD)
    assert said["output"] == made.to_json()["output"]
    assert [each["kind"] for each in said["extras"]] == ["mask"]
    assert said["extras"][0]["bytes"] == len(mask.data)


def test_pictures_beside_an_output_are_not_signed(signer: Signer) -> None:
    material = finish()
    wishes = Export(extras=frozenset({Extra.MASK}))
    signed, plain = export(material, wishes, signer), export(material, wishes)
    assert signed.extras == plain.extras


def test_the_first_output_of_a_material_does_not_change_the_next(signer: Signer) -> None:
    material: Material = finish()
    before = encode(material.composed.output, Format.PNG).data
    export(material, replace(Export(), c2pa=True), signer)
    assert encode(material.composed.output, Format.PNG).data == before
