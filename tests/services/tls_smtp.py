"""A real SMTP server behind TLS that asks for a login, with a certificate of an authority made for the test."""

from __future__ import annotations

import gc
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.services.smtp import SmtpSink, free_port


@dataclass
class TlsServer:
    """The server and what its clients need to trust it."""

    sink: SmtpSink
    authority: Path
    logins: list[bool] = field(default_factory=list[bool])
    """Whether each try to sign in was let in."""


@contextmanager
def tls_smtp_server(folder: Path, scheme: str, *, user: str, password: str) -> Iterator[TlsServer]:
    """A running server on ``localhost`` for ``smtp+starttls`` or ``smtps``; letters without login are refused."""
    authority, chain = _certificates(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    server = TlsServer(SmtpSink(port=free_port()), authority)

    def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, given: LoginPassword) -> AuthResult:
        server.logins.append((given.login, given.password) == (user.encode(), password.encode()))
        return AuthResult(success=server.logins[-1], handled=False)

    def factory() -> SMTP:
        # Behind `smtps` the server itself sees no TLS, and warns.
        warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
        return SMTP(
            server.sink,
            hostname="localhost",
            tls_context=context if scheme == "smtp+starttls" else None,
            require_starttls=scheme == "smtp+starttls",
            auth_required=True,
            auth_require_tls=scheme == "smtp+starttls",
            authenticator=authenticate,
        )

    controller = Controller(server.sink, hostname="localhost", port=server.sink.port, ssl_context=context if scheme == "smtps" else None)
    controller.factory = factory
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
        gc.collect()


def _certificates(folder: Path) -> tuple[Path, Path]:
    """(the authority's certificate, the server's chain with its key)."""
    issuer_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("an authority of the tests", "localhost"))
    now = datetime.now(UTC)

    def build(name: x509.Name, public: Any, extension: Any) -> bytes:
        built = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public).serial_number(x509.random_serial_number())
        built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2)).add_extension(extension, critical=False)
        return built.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, chain = folder / "authority.pem", folder / "chain.pem"
    authority.write_bytes(build(issuer, issuer_key.public_key(), x509.BasicConstraints(ca=True, path_length=None)))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(private + build(subject, key.public_key(), x509.SubjectAlternativeName([x509.DNSName("localhost")])))
    return authority, chain
