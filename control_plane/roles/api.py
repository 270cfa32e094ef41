"""The role that the public talks to: apps, pages and their event streams."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from control_plane.api import store_notices
from control_plane.coins.service.retold import Retold
from control_plane.config.listeners import PublicSettings
from control_plane.config.settings import Settings
from control_plane.live.service.health import Health
from control_plane.ops import metrics, status
from control_plane.pages import previews
from control_plane.pages.feeds import Feeds, fed
from control_plane.pages.routes import Pages
from control_plane.pages.seats import Seats
from control_plane.pages.watching import WatchingUpdates
from control_plane.roles.health import health
from control_plane.roles.measured import Measured
from control_plane.roles.sockets import Sockets
from control_plane.web import files
from control_plane.web.address import Addresses
from control_plane.web.numbering import number
from control_plane.web.origin import Origins
from control_plane.web.public import public_app
from control_plane.web.serving import to_everybody, to_operators
from control_plane.wiring.apis import dispatcher
from control_plane.wiring.services import Services, services

#: Android draws no SVG.
GIFT_PICTURES = Path(store_notices.__file__).parent / "gift_pictures"
#: Seconds: what a page shows may be so late, which spares Postgres half of the looks.
LOOK_EVERY = 0.1
MEDIA = "[a-z0-9][a-z0-9-]{0,63}[.](?:mp4|jpg)"


@contextlib.asynccontextmanager
async def api(settings: Settings, sockets: Sockets) -> AsyncIterator[None]:
    """Until the context ends; then it drains."""
    async with contextlib.AsyncExitStack() as stack:
        all_of_it = await stack.enter_async_context(services(settings))
        measured = Measured("api", all_of_it)
        media, watching = all_of_it.media, all_of_it.watching
        for part in (all_of_it.pool, measured, media, watching):
            await stack.enter_async_context(part.running())
        addresses = Addresses(settings.trusted_proxies)
        well = health(all_of_it)
        operators = metrics.app(well)
        await stack.enter_async_context(to_operators(operators, sockets["api_metrics"]))
        reading = all_of_it.events.reading
        retold = Retold(all_of_it.pool, reading)
        feeds = Feeds(retold.of_session, reading.last_of_session)
        await stack.enter_async_context(all_of_it.events.tail.running(LOOK_EVERY))
        await stack.enter_async_context(fed(feeds, all_of_it.events.tail))
        app = _public_app(all_of_it, well, addresses, feeds)
        await stack.enter_async_context(to_everybody(app, sockets["public"], addresses))
        # Pages follow for as long as they are let; a drain would wait for them.
        stack.callback(all_of_it.watching.close)
        yield


def _public_app(
    all_of_it: Services, well: Health, addresses: Addresses, feeds: Feeds
) -> web.Application:
    settings, coins = all_of_it.settings, all_of_it.coins
    origins = Origins(addresses, settings.public_url)
    app = public_app(
        dispatcher(all_of_it, addresses, origins),
        [
            *_pages(all_of_it, addresses, origins, feeds).routes(),
            *_files(settings),
            *previews.routes(all_of_it.previews),
            *store_notices.routes(coins.apple, coins.purchases),
        ],
        status.routes(well),
        cors_origins=settings.cors_origins,
    )
    number(app, addresses)
    return app


def _files(settings: PublicSettings) -> list[web.RouteDef]:
    pictures = files.read_all(GIFT_PICTURES)
    found = files.from_memory("/gifts", pictures, files.DAY, anywhere=True)
    if (folder := settings.media_folder) is not None:
        found += files.from_disk("/media", folder, MEDIA, files.HOUR, anywhere=True)
    return found


def _pages(
    all_of_it: Services, addresses: Addresses, origins: Origins, feeds: Feeds
) -> Pages:
    settings = all_of_it.settings
    seats = Seats(
        addresses,
        of_address=settings.event_streams_per_address,
        in_all=settings.event_streams,
    )
    return Pages(WatchingUpdates(all_of_it.watching), seats, origins, feeds)
