"""Whom we trust at the other end of the Khaos connection.

Belongs here: public authorities, an own authority, or one pinned certificate. Stays out: sending. There is no way to
switch verification off: vendors install self-signed certificates, and those can be pinned (khaos.md §5.2).
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from khaos_swap_assets.adapters.errors import PermanentError, SettingsError, TransientError
from khaos_swap_assets.adapters.settings import KhaosSettings

_PIN = re.compile(r"[0-9a-f]{64}")
_SECONDS = 20.0

FetchCertificate = Callable[[str, int], str]


def fetch_certificate(host: str, port: int) -> str:
    """The certificate that a server shows, as PEM, unverified. Raises ``OSError``."""
    return ssl.get_server_certificate((host, port), timeout=_SECONDS)


def verify_for(settings: KhaosSettings, fetch: FetchCertificate = fetch_certificate) -> ssl.SSLContext | bool:
    """How to verify the server: by pin, else by ``ca_file``, else (True) by the public authorities.

    A pinned certificate is fetched, compared, and then the only one trusted; every handshake checks it again. Raises
    ``SettingsError`` for an unusable pin or PEM, ``PermanentError`` when the server shows another certificate,
    ``TransientError`` when it cannot be asked.
    """
    if settings.certificate_sha256:
        return _pinned(settings.url, settings.certificate_sha256, fetch)
    if settings.ca_file:
        return _authority(settings.ca_file)
    return True


def _authority(path: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(path))
    except OSError as error:
        why = "holds no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror or "cannot be read"
        raise SettingsError(f"KHAOS_SWAP_KHAOS_CA_FILE: {path}: {why}") from None
    return _accepting_old_forms(context)


def _pinned(url: str, pin: str, fetch: FetchCertificate) -> ssl.SSLContext:
    wanted = pin.replace(":", "").lower()
    if not _PIN.fullmatch(wanted):
        raise SettingsError("KHAOS_SWAP_KHAOS_CERTIFICATE_SHA256 must be 64 hexadecimal digits, colons allowed")
    pem = _shown(url, fetch)
    if (found := fingerprint(pem)) != wanted:
        raise PermanentError(
            f"Khaos shows the certificate {found}, another one is pinned: it was renewed, or somebody is in between"
        )
    context = ssl.create_default_context(cadata=pem)
    context.check_hostname = False
    return _accepting_old_forms(context)


def _shown(url: str, fetch: FetchCertificate) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise SettingsError("KHAOS_SWAP_KHAOS_CERTIFICATE_SHA256 needs an https KHAOS_SWAP_KHAOS_URL")
    try:
        return fetch(parts.hostname, parts.port or 443)
    except OSError as error:
        raise TransientError(f"{parts.hostname}: no certificate could be fetched ({error})") from None


def fingerprint(pem: str) -> str:
    """SHA-256 of a PEM certificate, lower-case hexadecimal."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def _accepting_old_forms(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a leaf certificate be its own anchor, and take the plain X.509 forms that IIS makes for itself."""
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
