"""A control plane's two sides towards a node, as a real server on a free port: it
answers auth by the recordings' rule, takes hooks, and remembers both in order."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY, VIEW = "K3y_abc", "VIEW"  # what publishes and what reads, as in the recordings
SECRET = "n0de-s3cret"
API_USER, API_PASSWORD = "control-plane", "4pi-p4ssword"

T = TypeVar("T")


@dataclass
class Asked:
    """One auth call; times by the monotonic clock."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    peer_port: int
    at: float
    answered_at: float = 0.0


@dataclass(frozen=True)
class Told:
    """One hook: our name of the event, and what the command's environment held."""

    event: str
    env: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: str = ""
    location: str = ""
    after: float = 0.0  # seconds


@dataclass
class Plane:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    #: What reads of a path get instead of the rule's answer.
    answers: dict[str, Answer] = field(default_factory=dict)
    #: While a path is in here its reads wait.
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, what: Callable[[], T | None], deadline: float = 15.0) -> T:
        """What it gave once that was true; looked at after each message."""
        async with asyncio.timeout(deadline), self._news:
            while not (found := what()):
                await self._news.wait()
            return found

    def asked_about(self, path: str, action: str = "read") -> list[Asked]:
        return [
            one
            for one in self.asked
            if one.body["path"] == path and one.body["action"] == action
        ]

    def told_of(self, path: str) -> list[Told]:
        return [one for one in self.told if one.env["MTX_PATH"] == path]

    async def first_told(self, path: str, event: str, source_id: str = "") -> Told:
        def look() -> Told | None:
            for one in self.told_of(path):
                if one.event == event and source_id in ("", one.env["MTX_SOURCE_ID"]):
                    return one
            return None

        return await self.until(look)

    async def first_asked(self, path: str, action: str = "publish") -> Asked:
        (*_, last) = await self.until(lambda: self.asked_about(path, action))
        return last

    async def answer_auth(self, request: web.Request) -> web.Response:
        peer = request.transport and request.transport.get_extra_info("peername")
        asked = Asked(
            body=await request.json(),
            headers=dict(request.headers),
            peer_port=peer[1] if peer else 0,
            at=time.monotonic(),
        )
        self.asked.append(asked)
        await self._tell()
        path = asked.body["path"]
        if path in self.held:
            await self.held[path].wait()
        answer = self._answer(asked.body)
        await asyncio.sleep(answer.after)
        asked.answered_at = time.monotonic()
        headers = {"Location": answer.location} if answer.location else None
        return web.Response(status=answer.status, text=answer.body, headers=headers)

    async def hear(self, request: web.Request) -> web.Response:
        env = await request.json()
        self.told.append(Told(request.match_info["event"], env))
        await self._tell()
        return web.Response(status=204)

    def _answer(self, body: Mapping[str, Any]) -> Answer:
        if body["action"] in ("api", "metrics", "pprof"):
            rights = (body["user"], body["password"]) == (API_USER, API_PASSWORD)
            return Answer(200 if rights else 401)
        sent = {value for _, value in parse_qsl(body["query"])}
        given = sent | {body["token"], body["password"]}
        if body["action"] == "publish":
            return Answer(200 if KEY in given else 401)
        return self.answers.get(body["path"], Answer(200 if VIEW in given else 401))

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


async def _login_page(_request: web.Request) -> web.Response:
    return web.Response(text="Please sign in.")


@contextlib.asynccontextmanager
async def control_plane() -> AsyncIterator[Plane]:
    plane = Plane()
    app = web.Application()
    app.router.add_post("/auth", plane.answer_auth)
    app.router.add_post("/hooks/{event}", plane.hear)
    app.router.add_route("*", "/login", _login_page)
    async with TestServer(app) as server:
        plane.url = str(server.make_url("")).rstrip("/")
        try:
            yield plane
        finally:
            for held in plane.held.values():
                held.set()
