"""Everything secret that the service derives from its one configured secret."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TypeAlias

#: For one purpose: the first is what we make things with, and each is believed.
Derived: TypeAlias = tuple[bytes, ...]


def derive(secret: str, purpose: str) -> bytes:
    """32 bytes that tell nothing about the secret or other purposes' bytes."""
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)


@dataclass(frozen=True)
class Secrets:
    """``old``: the one before this one, if what it made shall still count."""

    secret: str = field(repr=False)
    old: str = field(default="", repr=False)

    def key_peppers(self) -> Derived:
        return self._derive("stream-key")

    def requested_keys(self) -> Derived:
        """What stream keys are made from that may be asked for again."""
        return self._derive("requested-key")

    def user_tokens(self) -> Derived:
        return self._derive("user-token")

    def viewer_tokens(self) -> Derived:
        return self._derive("viewer-token")

    def operator_answers(self) -> Derived:
        """What answers that may be asked for again are kept encrypted with."""
        return self._derive("operator-answer")

    def guests(self) -> bytes:
        return derive(self.secret, "guest")

    def webhook(self, endpoint_id: int, generation: int) -> Derived:
        """What messages to it are signed with."""
        return self._derive(f"webhook:{endpoint_id}:{generation}")

    def node(self, name: str) -> str:
        """With it the node proves itself to us."""
        return self.known_of_node(name)[0]

    def known_of_node(self, name: str) -> tuple[str, ...]:
        """What we believe it: it may not have its new configuration yet."""
        return self._texts(f"node:{name}")

    def node_api(self, name: str) -> str:
        """With it we prove ourselves to the node's control API."""
        return self.known_at_node(name)[0]

    def known_at_node(self, name: str) -> tuple[str, ...]:
        """What we believe whoever comes there: another process of ours may not have
        the new secret yet."""
        return self._texts(f"node-api:{name}")

    def cdn(self, origin: str) -> str:
        """With it a cache in front of a node gets what that node serves."""
        return self._texts(f"cdn:{origin}")[0]

    def marks(self) -> list[str]:
        """What tells that two secrets are the same, and nothing else."""
        return [one.hex()[:16] for one in self._derive("mark")]

    def _derive(self, purpose: str) -> Derived:
        used = (secret for secret in (self.secret, self.old) if secret)
        return tuple(derive(secret, purpose) for secret in used)

    def _texts(self, purpose: str) -> tuple[str, ...]:
        return tuple(one.hex()[:40] for one in self._derive(purpose))
