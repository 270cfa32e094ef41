"""One route for all of ``/api``: the name of the endpoint, who is calling, the body,
and refusals as answers.

Paths as the apps really call them: any case, double slashes, a trailing blank, and
without ``api/`` (docs/apps.md). Never a redirect: it would turn
POST into GET.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from aiohttp import web

from control_plane.base import request_ids
from control_plane.base.faults import Away
from control_plane.base.limits import LimitName, RateLimits
from control_plane.base.refusals import (
    NoToken,
    Refusal,
    SignedOut,
    Unavailable,
    WrongApiKey,
)
from control_plane.people.model.users import User
from control_plane.people.service.accounts import Accounts
from control_plane.web import body as bodies
from control_plane.web.address import Addresses
from control_plane.web.body import Body, header
from control_plane.web.envelope import answer
from control_plane.web.origin import Origin, Origins
from control_plane.web.timing import OUTCOME, ROUTE

log = structlog.get_logger(__name__)

#: ``required``: a valid token. ``optional``: a guest without one. ``none``: the
#: endpoint reads ``auth_token`` itself.
Caller = Literal["required", "optional", "none"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one endpoint."""

    request: web.Request
    body: Body
    user: User | None
    token: str
    origin: Origin

    @property
    def me(self) -> User:
        """The signed-in user of an endpoint that requires one."""
        if self.user is None:
            raise NoToken
        return self.user

    @property
    def host(self) -> str:
        """The name or address, without a port, that the client came to."""
        return self.origin.host

    @property
    def files(self) -> str:
        """What the addresses of files that we serve begin with. Below ``/api``: some
        proxies let nothing else through."""
        return f"{self.origin.url}/api"


Handler = Callable[[Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    handler: Handler
    caller: Caller = "required"
    #: What both apps can decode when this endpoint refuses (docs/apps.md).
    refused: Callable[[Refusal], web.Response] | None = None
    #: Our own pages call it, and they hold no Api-Key.
    without_api_key: bool = False
    #: Which rate limit counts it. Spending is refused while nobody can count.
    limit: LimitName | None = None


class Dispatcher:
    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        known_names: frozenset[str],
        accounts: Accounts,
        api_key: str,
        limits: RateLimits,
        addresses: Addresses,
        origins: Origins,
    ) -> None:
        """``known_names``: what the apps call and we do not serve yet."""
        self._endpoints = {name.lower(): e for name, e in endpoints.items()}
        self._known = frozenset(name.lower() for name in known_names)
        self._accounts = accounts
        self._api_key = api_key
        self._limits = limits
        self._addresses = addresses
        self._origins = origins

    async def handle(self, request: web.Request) -> web.Response:
        name = endpoint_name(request.path)
        endpoint = self._endpoints.get(name)
        # Anything may stand in a path that is not ours, a key too.
        logged = "unknown" if endpoint is None else name
        request[ROUTE] = f"api/{logged}"
        try:
            if endpoint is None or not endpoint.without_api_key:
                self._check_api_key(request)
            if endpoint is None:
                raise self._not_served(name)
            return await self._call(request, endpoint)
        except Refusal as refusal:
            request[OUTCOME] = "refused"
            return _refused(endpoint, refusal)
        except Away as error:
            request[OUTCOME] = "away"
            log.warning("api without its stores", name=logged, error=repr(error))
            return _refused(endpoint, Unavailable())
        except Exception:
            request[OUTCOME] = "failed"
            log.exception("api failed", name=logged)
            reference = request_ids.current()
            sentence = f"Something went wrong here. Reference {reference}."
            return _refused(endpoint, Refusal(sentence))

    async def _call(self, request: web.Request, endpoint: Endpoint) -> web.Response:
        if endpoint.limit:
            address = self._addresses.of(request)
            await self._limits.check_address(endpoint.limit, address)
        body = await bodies.read(request)
        token = _token(request, body, endpoint.caller)
        user = await self._user(token, endpoint.caller)
        if endpoint.limit and user is not None:
            await self._limits.check_user(endpoint.limit, user.id)
        origin = self._origins.of(request)
        return await endpoint.handler(Call(request, body, user, token, origin))

    async def _user(self, token: str, caller: Caller) -> User | None:
        if caller == "none":
            return None
        if not token:
            if caller == "required":
                raise NoToken
            return None
        try:
            return await self._accounts.who(token)
        except (NoToken, SignedOut) as refusal:
            banned = isinstance(refusal, SignedOut) and str(refusal) != str(SignedOut())
            if caller == "required" or banned:
                raise
            return None

    def _check_api_key(self, request: web.Request) -> None:
        if not self._api_key:
            return
        given = header(request, "Api-Key")
        if not given:
            raise Refusal("API key is missing")
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise WrongApiKey

    def _not_served(self, name: str) -> Refusal:
        if name in self._known:
            return Refusal("This feature is not available yet.")
        return Refusal("There is no such endpoint.")


def endpoint_name(path: str) -> str:
    """The last part of the path, whatever stands before it: ``/api//showGifts``."""
    parts = [part for part in re.split(r"/+", path.strip()) if part.strip()]
    if parts and parts[0].lower() == "api":
        parts = parts[1:]
    return "/".join(parts).strip().lower()


def _token(request: web.Request, body: Body, caller: Caller) -> str:
    """From the header, else from the body; logged-out apps send "0" or "null"."""
    given = header(request, "Auth-Token")
    if given in ("", "0", "null") and caller != "none":
        value = body.fields.get("auth_token")
        given = value.strip() if isinstance(value, str) else ""
    return "" if given in ("0", "null") else given


def _refused(endpoint: Endpoint | None, refusal: Refusal) -> web.Response:
    if endpoint is not None and endpoint.refused is not None:
        return endpoint.refused(refusal)
    return answer(refusal.sentence, refusal.code)
