"""Certificates of an authority of our own."""

import datetime
import secrets
import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from aiohttp import connector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


class Authority:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        # Of two with one name OpenSSL would try the first only.
        self._name = _name(f"An authority {secrets.token_hex(8)}")
        mine = self._signed(self._name, self._key.public_key(), timedelta(days=1))
        self.file = folder / "authority.pem"
        self.file.write_bytes(mine.public_bytes(PEM))

    def is_trusted(self) -> None:
        """From now on, by this process's HTTP clients, which know whom to trust since
        aiohttp was imported."""
        connector._SSL_CONTEXT_VERIFIED.load_verify_locations(self.file)

    def context(self, host: str, valid_for: timedelta) -> ssl.SSLContext:
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(self.certificate(host, valid_for))
        return found

    def certificate(self, host: str, valid_for: timedelta) -> Path:
        """With its key, of a server at this address; below zero: it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(_name(host), key.public_key(), valid_for, host)
        file = self._folder / f"{made.serial_number}.pem"
        private = key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(made.public_bytes(PEM) + private)
        return file

    def _signed(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        valid_for: timedelta,
        host: str = "",
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + valid_for)
            .add_extension(x509.BasicConstraints(ca=not host, path_length=None), True)
        )
        if host:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
            made = made.add_extension(names, critical=False)
        return made.sign(self._key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
