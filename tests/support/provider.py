"""A sign-in provider: its published keys as a real server, and tokens it signs."""

import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.ports import free_ports

KeyPair = rsa.RSAPrivateKey


class Provider:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/keys"
        self.asked = 0
        self.away = False
        self.cache_control = "public, max-age=3600"
        self.keys: dict[str, KeyPair] = {}
        self.rotate("one")

    def rotate(self, key_id: str) -> None:
        """From now on only this key is published."""
        self.keys = {key_id: rsa.generate_private_key(65537, 2048)}

    def token(self, key: KeyPair | None = None, **changes: Any) -> str:
        """Good for Firebase's project "demo-app", apart from the changes; a claim
        that is None is left out."""
        key_id, own = next(iter(self.keys.items()))
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "https://securetoken.google.com/demo-app",
            "aud": "demo-app",
            "sub": "uid-1",
            "iat": now - 5,
            "exp": now + 3600,
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key or own, "RS256", headers={"kid": key_id})

    async def handle(self, _request: web.Request) -> web.Response:
        self.asked += 1
        if self.away:
            return web.Response(status=503)
        keys = []
        for key_id, key in self.keys.items():
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            keys.append(public | {"kid": key_id, "alg": "RS256", "use": "sig"})
        return web.json_response(
            {"keys": [{"kty": "unknown", "kid": "x"}, *keys]},
            headers={"Cache-Control": self.cache_control},
        )


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    port = free_ports(1)[0]
    opened = Provider(port)
    app = web.Application()
    app.router.add_get("/keys", opened.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield opened
    finally:
        await runner.cleanup()
