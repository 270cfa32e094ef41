"""``/healthz``: the process runs. ``/readyz``: its stores answer too."""

from aiohttp import web

from control_plane.live.service.health import Health


def routes(health: Health) -> list[web.RouteDef]:
    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        problems = await health.problems()
        if not problems:
            return web.Response(text="ok\n")
        return web.Response(status=503, text=f"away: {', '.join(problems)}\n")

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]
