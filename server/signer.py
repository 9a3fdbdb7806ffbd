"""The certificate that outputs are signed with, as the operator gives it.

What is wrong with the files themselves is found here, when a process starts; what C2PA thinks of a
certificate shows when something is signed, and is tried by ``smart-resize doctor``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL import Image

from pipelines.codec.decode import decode
from pipelines.codec.encode import Format, encode
from pipelines.errors import InvalidOption
from pipelines.export.signing import OPENED, Algorithm, Signer, Unsigned
from server.settings import Settings

_CURVES = {
    Algorithm.ES256: ec.SECP256R1,
    Algorithm.ES384: ec.SECP384R1,
    Algorithm.ES512: ec.SECP521R1,
}


@dataclass(frozen=True, slots=True)
class Credential:
    """A signer, and what its certificate says."""

    signer: Signer
    subject: str
    begins: datetime
    ends: datetime


def load_signer(settings: Settings) -> Signer | None:
    """Who signs outputs; None where no certificate is set.

    Raises:
        InvalidOption: the certificate or the key cannot be read, or they do not belong together.
    """
    credential = load_credential(settings)
    return credential.signer if credential else None


def load_credential(settings: Settings) -> Credential | None:
    """The same, with what doctors want to know."""
    if settings.c2pa_certificate is None and settings.c2pa_key is None:
        return None
    if settings.c2pa_certificate is None or settings.c2pa_key is None:
        raise InvalidOption("settings c2pa-certificate and c2pa-key go together")
    chain, key = _read(settings.c2pa_certificate), _read(settings.c2pa_key)
    algorithm = Algorithm(settings.c2pa_algorithm)
    try:
        own = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        msg = f"{settings.c2pa_certificate} is not a chain of certificates (PEM)"
        raise InvalidOption(msg) from error
    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{settings.c2pa_key} is not a private key without a password (PEM)"
        raise InvalidOption(msg) from error
    if private.public_key() != own.public_key():
        raise InvalidOption("the C2PA key is not that of the chain's first certificate")
    if not _suits(private, algorithm):
        msg = f"the C2PA key cannot sign with {algorithm}: see setting c2pa-algorithm"
        raise InvalidOption(msg)
    return Credential(
        Signer(chain, key, algorithm),
        own.subject.rfc4514_string(),
        own.not_valid_before_utc,
        own.not_valid_after_utc,
    )


def find_fault(credential: Credential) -> str | None:
    """Why outputs would stay unsigned, in words: a picture is signed to see; None if it is well."""
    now = datetime.now(UTC)
    if now > credential.ends:
        return f"expired on {credential.ends:%Y-%m-%d}"
    if now < credential.begins:
        return f"not valid before {credential.begins:%Y-%m-%d}"
    picture = encode(Image.new("RGB", (8, 8)), Format.PNG).data
    try:
        credential.signer.sign(picture, Format.PNG.media_type, decode(picture), [OPENED])
    except Unsigned as error:
        return str(error)
    return None


def _read(path: Path) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise InvalidOption(msg) from error


def _suits(key: PrivateKeyTypes, algorithm: Algorithm) -> bool:
    match key:
        case ec.EllipticCurvePrivateKey():
            curve = _CURVES.get(algorithm)
            return curve is not None and isinstance(key.curve, curve)
        case rsa.RSAPrivateKey():
            return algorithm.startswith("ps")
        case ed25519.Ed25519PrivateKey():
            return algorithm is Algorithm.ED25519
        case _:
            return False
