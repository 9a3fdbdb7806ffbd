"""C2PA: a signed statement inside a file of what it was made from, by what, and how.

Signed with the operator's own certificate, and with no other machine: no timestamp authority, no
question whether a certificate was revoked, and nothing fetched that a source points to. Of the
source only its hash goes in, and what it brings of C2PA itself; no thumbnails.
"""

import io
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from pipelines.codec.decode import Source
from pipelines.codec.encode import Format
from pipelines.export.material import Material
from pipelines.export.provenance import TOOL, name_edit, version
from pipelines.geometry import Box

SIGNABLE = frozenset(Format) - {Format.PSD}
"""Formats that C2PA has a place in."""

_USAGES = (
    "1.3.6.1.4.1.62558.2.1",  # C2PA
    "1.3.6.1.5.5.7.3.4",  # e-mail protection
    "1.3.6.1.5.5.7.3.36",  # document signing
)
"""What a certificate may be for, one of these (extended key usage)."""

_SETTINGS = {
    "trust": {"trust_config": "\n".join(_USAGES)},
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False},
}
_SOURCE = "source"
_INGREDIENT = {"title": _SOURCE, "relationship": "parentOf", "label": _SOURCE}

OPENED = {"action": "c2pa.opened", "parameters": {"ingredientIds": [_SOURCE]}}
"""How everything begins that is made from a source."""


class Algorithm(StrEnum):
    """How to sign: it has to suit the key."""

    ES256 = "es256"
    ES384 = "es384"
    ES512 = "es512"
    PS256 = "ps256"
    PS384 = "ps384"
    PS512 = "ps512"
    ED25519 = "ed25519"


class Unsigned(Exception):
    """A file could not be signed; the text says why, fit for anybody's eyes."""


class SourceDamaged(Unsigned):
    """It could not be signed for what the source brings of C2PA; another source may do."""


class Signer:
    """One certificate and its key; may be called from several threads."""

    def __init__(self, chain: bytes, key: bytes, algorithm: Algorithm) -> None:
        """Keep a PEM ``chain``, the signer's own certificate first, and its PEM ``key``."""
        self._chain, self._key, self._algorithm = chain, key, algorithm

    def __call__(self, data: bytes, format: Format, material: Material) -> bytes:  # noqa: A002
        """The file with a statement of how it was made; its picture is the same.

        Raises:
            Unsigned: the certificate, the key or the source is not what C2PA can work with.
        """
        return self.sign(data, format.media_type, material.source, list(list_actions(material)))

    def sign(
        self, data: bytes, media_type: str, source: Source, actions: Sequence[dict[str, Any]]
    ) -> bytes:
        """The same for any picture, any source and what was done to it."""
        try:
            import c2pa  # noqa: PLC0415  an optional extra
        except ImportError as error:
            raise Unsigned("c2pa-python is not installed (extra: c2pa)") from error
        info = c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg[self._algorithm.name],
            sign_cert=self._chain,
            private_key=self._key,
            ta_url=None,
        )
        out, fault = io.BytesIO(), Unsigned("the certificate or its key cannot be read")
        try:
            with (
                c2pa.Settings.from_dict(_SETTINGS) as settings,
                c2pa.Context(settings) as context,
                c2pa.Builder(_make_manifest(actions), context=context) as builder,
                c2pa.Signer.from_info(info) as signer,
            ):
                fault = SourceDamaged("the source's own C2PA data is damaged")
                kind = f"image/{source.format.lower()}"
                builder.add_ingredient(_INGREDIENT, kind, io.BytesIO(source.data))
                fault = Unsigned("the certificate does not do for C2PA")
                builder.sign(signer, media_type, io.BytesIO(data), out)
        except c2pa.C2paError as error:
            raise fault from error
        return out.getvalue()


def list_actions(material: Material) -> Iterator[dict[str, Any]]:
    """What was done to the source, in C2PA's words, in order."""
    plan = material.plan
    yield OPENED
    if plan.crop != Box(0, 0, *plan.source):
        yield {"action": "c2pa.cropped"}
    if not plan.copied:
        yield {"action": "c2pa.resized"}
    if material.fill is not None:
        yield {
            "action": "c2pa.edited",
            "description": f"filled beyond the source's borders: {material.fill}",
            "softwareAgent": {"name": TOOL, "version": version()},
            "digitalSourceType": name_edit(material),
        }


def _make_manifest(actions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "claim_generator_info": [{"name": TOOL, "version": version()}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}],
    }
