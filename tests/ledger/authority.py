"""A time-stamping authority on loopback: `openssl ts` behind HTTP, with certificates of its own."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

__all__ = ["Authority", "answering", "serving"]

_CONFIG = """
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = $dir/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Keys and certificates in a folder, and answers to requests."""

    def __init__(self, folder: Path, name: str = "A time-stamping authority") -> None:
        self._folder = folder
        folder.mkdir()
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _certificate(f"{name}'s root", root_key, f"{name}'s root", root_key, authority=True)
        leaf = _certificate(name, key, f"{name}'s root", root_key, authority=False)
        #: what whoever checks must hold
        self.root = folder / "root.pem"
        self.root.write_bytes(root.public_bytes(Encoding.PEM))
        (folder / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        (folder / "key.pem").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(_CONFIG.format(folder=folder))

    def answer(self, request: bytes) -> bytes:
        """The DER of a response to the DER of a request."""
        (self._folder / "query").write_bytes(request)
        subprocess.run(
            ["openssl", "ts", "-reply", "-queryfile", "query", "-signer", "leaf.pem",
             "-inkey", "key.pem", "-config", "ts.cnf", "-out", "reply"],
            cwd=self._folder, check=True, capture_output=True,
        )  # fmt: skip
        return (self._folder / "reply").read_bytes()


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey, *, authority: bool,
) -> x509.Certificate:  # fmt: skip
    now = datetime.now(UTC)
    usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING])
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not authority:
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


@contextmanager
def answering(answer: Callable[[bytes], bytes], status: int = 200) -> Iterator[str]:
    """The address of a server on loopback that gives `answer` to what is posted to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            body = answer(request)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving(authority: Authority) -> Iterator[str]:
    """The address of `authority`."""
    with answering(authority.answer) as address:
        yield address
