"""The certificate that an application signs in with: PEM or PKCS#12, as text, as base64, or in a file.

Whatever the form, MSAL is given the private key and the certificate as PEM, from which it makes both thumbprints
(dataverse-api.md §1.2).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backhaul.errors import ConfigurationError

_BEGIN = b"-----BEGIN "
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
WANTED = "a PEM with certificate and private key, or a PKCS#12 (PFX), each also as base64"


@dataclass(frozen=True, slots=True)
class Pair:
    """Private key and certificate, both PEM, the key without a password."""

    key: str = field(repr=False)
    certificate: str


def load(account: str, auth: Any, *, now: datetime | None = None) -> Pair:
    """The pair that `auth` (`certificate` or `certificate_file`, `password`) names. Raises ConfigurationError."""
    if auth.certificate_file is not None:
        try:
            content = auth.certificate_file.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"account '{account}': the certificate file {auth.certificate_file} cannot be read "
                f"({error.strerror or type(error).__name__})",
                hint="check certificate_file in the profile",
            ) from None
    else:
        content = auth.certificate.get_secret_value().encode()
    password = auth.password.get_secret_value().encode() if auth.password is not None else None
    try:
        return _pair(content, password, now or datetime.now(UTC))
    except _NoPair as error:
        raise ConfigurationError(f"account '{account}': the certificate {error}", hint=f"give {WANTED}") from None


class _NoPair(ValueError):
    """Its text goes on with "the certificate"."""


def _pair(content: bytes, password: bytes | None, now: datetime) -> Pair:
    if _BEGIN not in content:
        content = _decoded(content)
    key, certificate = _of_pem(content, password) if _BEGIN in content else _of_pkcs12(content, password)
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if key.public_key() != certificate.public_key():
        raise _NoPair("and its private key do not belong together")
    if certificate.not_valid_after_utc < now:
        raise _NoPair(f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    return Pair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate.public_bytes(Encoding.PEM).decode(),
    )


def _decoded(content: bytes) -> bytes:
    """Of base64, what it stands for; binary as it is."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return content


def _of_pem(content: bytes, password: bytes | None) -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    # A secret store often turns line ends into the two characters that stand for them.
    content = content.replace(b"\\r", b"").replace(b"\\n", b"\n")
    blocks = {match[1]: match[0] for match in reversed(list(_BLOCK.finditer(content)))}
    key = next((block for name, block in blocks.items() if name.endswith(b"PRIVATE KEY")), None)
    if key is None:
        raise _NoPair("comes without its private key")
    if b"CERTIFICATE" not in blocks:
        raise _NoPair("is missing: there is only a private key")
    locked = b"ENCRYPTED" in key
    try:
        return load_pem_private_key(key, password if locked else None), load_pem_x509_certificate(
            blocks[b"CERTIFICATE"]
        )
    except (ValueError, TypeError):
        raise _NoPair(_locked(password) if locked else "is damaged") from None


def _of_pkcs12(content: bytes, password: bytes | None) -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    # A sequence in DER; anything else is no PKCS#12 whatever the password.
    if content[:1] != b"\x30":
        raise _NoPair("is neither PEM nor PKCS#12")
    try:
        key, certificate, _ = load_key_and_certificates(content, password)
    except ValueError:
        raise _NoPair(_locked(password)) from None
    if key is None or certificate is None:
        raise _NoPair("comes without its private key" if key is None else "is missing: there is only a private key")
    return key, certificate


def _locked(password: bytes | None) -> str:
    return "does not open with this password" if password else "wants a password, and none is given"
