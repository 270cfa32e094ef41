"""Everything secret that the service derives from its one configured secret."""

import hashlib
import hmac
from dataclasses import dataclass, field


def derive(secret: str, purpose: str) -> bytes:
    """32 bytes that tell nothing about the secret or other purposes' bytes."""
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)


@dataclass(frozen=True)
class Secrets:
    """Derived once at start."""

    secret: str = field(repr=False)

    def key_pepper(self) -> bytes:
        return derive(self.secret, "stream-key")

    def user_tokens(self) -> bytes:
        return derive(self.secret, "user-token")

    def viewer_tokens(self) -> bytes:
        return derive(self.secret, "viewer-token")

    def node(self, name: str) -> str:
        """With it the node proves itself to us."""
        return derive(self.secret, f"node:{name}").hex()[:40]

    def node_api(self, name: str) -> str:
        """With it we prove ourselves to the node's control API."""
        return derive(self.secret, f"node-api:{name}").hex()[:40]
