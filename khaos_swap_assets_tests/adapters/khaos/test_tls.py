from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from khaos_swap_assets.adapters.errors import PermanentError, SettingsError, TransientError
from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.khaos import tls
from khaos_swap_assets.adapters.settings import KhaosSettings


def self_signed(folder: Path, name: str, host: str) -> Path:
    """A certificate and key as plain as a vendor's installer makes them: no extension but the host's name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / name
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def certificate(folder: Path) -> Path:
    return self_signed(folder, "khaos.pem", "localhost")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Path:
    return self_signed(folder, "stranger.pem", "localhost")


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class _QuietServer(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """A refused handshake is what some tests want."""


@contextmanager
def serving(certificate: Path) -> Iterator[int]:
    server = _QuietServer(("127.0.0.1", 0), _Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def port(certificate: Path) -> Iterator[int]:
    with serving(certificate) as found:
        yield found


def pin_of(certificate: Path) -> str:
    return tls.fingerprint(certificate.read_text().split("-----BEGIN PRIVATE")[0])


def get(settings: KhaosSettings) -> str:
    with Http(settings.url, retries=0, verify=tls.verify_for(settings)) as http:
        return http.read("GET", "/").text


def test_a_pinned_certificate_is_trusted_whatever_name_is_called(certificate: Path, port: int) -> None:
    pin = pin_of(certificate)
    assert get(KhaosSettings(url=f"https://127.0.0.1:{port}", certificate_sha256=pin)) == "ok"
    colons = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()
    assert get(KhaosSettings(url=f"https://127.0.0.1:{port}", certificate_sha256=colons)) == "ok"


def test_another_certificate_than_the_pinned_one_is_refused(stranger: Path, port: int) -> None:
    settings = KhaosSettings(url=f"https://127.0.0.1:{port}", certificate_sha256=pin_of(stranger))
    with pytest.raises(PermanentError, match="another one is pinned"):
        tls.verify_for(settings)


def test_a_certificate_exchanged_after_the_comparison_is_refused(stranger: Path, port: int) -> None:
    settings = KhaosSettings(url=f"https://127.0.0.1:{port}", certificate_sha256=pin_of(stranger))
    shown = stranger.read_text().split("-----BEGIN PRIVATE")[0]
    context = tls.verify_for(settings, fetch=lambda host, at: shown)
    with Http(settings.url, retries=0, verify=context) as http, pytest.raises(PermanentError, match="not trusted"):
        http.read("GET", "/")


def test_the_certificate_itself_may_be_the_authority(certificate: Path, port: int) -> None:
    assert get(KhaosSettings(url=f"https://localhost:{port}", ca_file=certificate)) == "ok"


def test_an_authority_does_not_vouch_for_another_host_name(certificate: Path, port: int) -> None:
    with pytest.raises(PermanentError, match="not trusted"):
        get(KhaosSettings(url=f"https://127.0.0.1:{port}", ca_file=certificate))


def test_an_authority_does_not_vouch_for_a_stranger(stranger: Path, port: int) -> None:
    with pytest.raises(PermanentError, match="not trusted"):
        get(KhaosSettings(url=f"https://localhost:{port}", ca_file=stranger))


def test_without_a_setting_a_self_signed_certificate_is_refused(port: int) -> None:
    with pytest.raises(PermanentError, match="not trusted"):
        get(KhaosSettings(url=f"https://localhost:{port}"))


def test_verification_is_never_off(certificate: Path, port: int) -> None:
    plain = KhaosSettings(url=f"https://localhost:{port}")
    pinned = KhaosSettings(url=f"https://localhost:{port}", certificate_sha256=pin_of(certificate))
    assert tls.verify_for(plain) is True
    for context in (tls.verify_for(pinned), tls.verify_for(KhaosSettings(ca_file=certificate))):
        assert isinstance(context, ssl.SSLContext)
        assert context.verify_mode is ssl.CERT_REQUIRED


def test_an_unusable_authority_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate here")
    with pytest.raises(SettingsError, match=r"CA_FILE: .*empty\.pem: holds no PEM certificate"):
        tls.verify_for(KhaosSettings(ca_file=tmp_path / "empty.pem"))
    with pytest.raises(SettingsError, match=r"CA_FILE: .*gone\.pem: No such file"):
        tls.verify_for(KhaosSettings(ca_file=tmp_path / "gone.pem"))


@pytest.mark.parametrize("pin", ["A" * 65, ":" * 64, "ab:" * 22])
def test_an_unusable_pin_is_a_clear_error(pin: str) -> None:
    with pytest.raises(SettingsError, match="64 hexadecimal digits"):
        tls.verify_for(KhaosSettings(url="https://localhost", certificate_sha256=pin))


@pytest.mark.parametrize("url", ["http://localhost/x", "localhost", ""])
def test_a_pin_needs_https(url: str) -> None:
    with pytest.raises(SettingsError, match="needs an https"):
        tls.verify_for(KhaosSettings(url=url, certificate_sha256="a" * 64))


def test_a_server_that_cannot_be_asked_is_transient() -> None:
    def refuse(host: str, port: int) -> str:
        assert (host, port) == ("khaos.test", 443)
        raise ConnectionRefusedError("refused")

    with pytest.raises(TransientError, match="no certificate could be fetched"):
        tls.verify_for(KhaosSettings(url="https://khaos.test/x", certificate_sha256="a" * 64), fetch=refuse)
