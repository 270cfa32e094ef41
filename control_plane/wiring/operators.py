"""The routes of ``/v1``: for the operators' listener, and for the command line."""

from functools import partial

from control_plane.config.settings import in_force
from control_plane.ops.acts import ActsApi
from control_plane.ops.attention import Attention
from control_plane.ops.bans import BansApi
from control_plane.ops.events import EventsApi
from control_plane.ops.keys import KeysApi
from control_plane.ops.money import MoneyApi
from control_plane.ops.nodes import NodesApi
from control_plane.ops.now import NowApi
from control_plane.ops.records import RecordsApi
from control_plane.ops.routes import Route
from control_plane.ops.tokens import TokensApi
from control_plane.ops.views import ViewsApi
from control_plane.ops.webhooks import WebhooksApi
from control_plane.web.origin import Origins
from control_plane.wiring.node_config import rendered
from control_plane.wiring.services import Services


def routes(all_of_it: Services, events_api: EventsApi, origins: Origins) -> list[Route]:
    """Without those that are about the listener itself."""
    coins = all_of_it.coins
    money = MoneyApi(
        coins.ledger, coins.gifts, coins.purchases, coins.payouts, coins.audit
    )
    return [
        *events_api.routes(),
        *WebhooksApi(all_of_it.events.webhooks).routes(),
        *_views(all_of_it, origins).routes(),
        *_nodes(all_of_it).routes(),
        *_now(all_of_it).routes(),
        *RecordsApi(all_of_it.audit).routes(),
        *TokensApi(all_of_it.operator_tokens).routes(),
        *_acts(all_of_it).routes(),
        *BansApi(all_of_it.moderation).routes(),
        *money.routes(),
        *KeysApi(
            all_of_it.overview,
            all_of_it.directory,
            all_of_it.lasting_keys,
            all_of_it.accounts,
        ).routes(),
    ]


def _views(all_of_it: Services, origins: Origins) -> ViewsApi:
    return ViewsApi(
        all_of_it.overview,
        all_of_it.broadcasts,
        all_of_it.counts,
        all_of_it.ingest_health,
        all_of_it.directory,
        all_of_it.watching,
        origins,
    )


def _nodes(all_of_it: Services) -> NodesApi:
    settings = all_of_it.settings
    return NodesApi(
        all_of_it.overview,
        all_of_it.nodes,
        all_of_it.emptying,
        partial(rendered, settings),
        in_force(settings),
    )


def _now(all_of_it: Services) -> NowApi:
    overview = all_of_it.overview
    webhooks, media = all_of_it.events.webhooks, all_of_it.media
    attention = Attention(all_of_it.stores, overview, webhooks, media)
    return NowApi(overview, all_of_it.ingest_health, all_of_it.previews, attention)


def _acts(all_of_it: Services) -> ActsApi:
    return ActsApi(
        all_of_it.broadcasts,
        all_of_it.moderation,
        all_of_it.rights,
        all_of_it.nodes,
        all_of_it.accounts,
    )
