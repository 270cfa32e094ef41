"""nginx with our file, in front of a service and a node on free ports."""

import datetime
import re
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.folder import CHECKOUT
from tests.support.nginx import configured
from tests.support.ports import free_ports

FILE = CHECKOUT / "deploy/nginx/control-plane.conf"
HOST = "api.lomilive.com"


class Front:
    def __init__(self, folder: Path, ports: Mapping[str, int]) -> None:
        """``ports``: PUBLIC, HLS and WEBRTC, which it stands in front of."""
        self.folder = folder
        self.plain, self.tls = free_ports(2)
        self._behind = ports
        self.certificate = folder / "fullchain.pem"
        self.log = folder / "control-plane.log"

    def configuration(self) -> Path:
        """Ours, and what is around it."""
        make_certificate(self.certificate, self.folder / "privkey.pem")
        text = FILE.read_text("utf-8")
        for here, there in self._moved().items():
            assert here in text, here
            text = text.replace(here, there)
        # The other family would need ports of its own.
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.M)
        return configured(self.folder, text)

    def _moved(self) -> dict[str, str]:
        return {
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen 443 ssl": f"listen 127.0.0.1:{self.tls} ssl",
            "127.0.0.1:8080;": f"127.0.0.1:{self._behind['PUBLIC']};",
            "127.0.0.1:8888;": f"127.0.0.1:{self._behind['HLS']};",
            "127.0.0.1:8889;": f"127.0.0.1:{self._behind['WEBRTC']};",
            f"/etc/letsencrypt/live/{HOST}": str(self.folder),
            "/var/log/nginx": str(self.folder),
        }


def make_certificate(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
