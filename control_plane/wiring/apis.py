"""The endpoints of ``/api`` and what stands before them."""

from control_plane.api import not_yet
from control_plane.api.accounts import AccountsApi
from control_plane.api.gifts import GiftsApi
from control_plane.api.guests import Guests
from control_plane.api.identities import Identities
from control_plane.api.live import LiveApi
from control_plane.api.live_extras import LiveExtrasApi
from control_plane.api.names import NAMES
from control_plane.api.own import OwnAccount
from control_plane.api.settings import SettingsApi
from control_plane.api.social import SocialApi
from control_plane.api.tickets import TicketsApi
from control_plane.api.videos import VideosApi
from control_plane.api.wallet import WalletApi
from control_plane.base.limits import RateLimits, Rules
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.store import payouts
from control_plane.live.service.announcing import Announcing
from control_plane.live.service.departure import Departure
from control_plane.people.service.deletion import Deletion
from control_plane.people.service.profiles import Profiles
from control_plane.people.service.social import Social
from control_plane.web.address import Addresses
from control_plane.web.dispatch import Dispatcher, Endpoint
from control_plane.web.origin import Origins
from control_plane.web.region import Regions
from control_plane.wiring.services import Services


def dispatcher(
    all_of_it: Services, addresses: Addresses, origins: Origins
) -> Dispatcher:
    return Dispatcher(
        endpoints(all_of_it, addresses),
        NAMES,
        all_of_it.callers,
        all_of_it.settings.api_key.get_secret_value(),
        _rate_limits(all_of_it),
        addresses,
        origins,
    )


def endpoints(all_of_it: Services, addresses: Addresses) -> dict[str, Endpoint]:
    settings, guests = all_of_it.settings, Guests(addresses, all_of_it.secrets.guests())
    live = LiveApi(
        all_of_it.broadcasts,
        all_of_it.lasting_keys,
        all_of_it.watching,
        all_of_it.rights,
        all_of_it.ingest_health,
        all_of_it.moderation,
        OwnAccount(Profiles(all_of_it.reserved), Ledger(all_of_it.reserved)),
        addresses,
        Regions(settings.region_header, settings.regions, addresses),
    )
    return not_yet.endpoints() | _app_endpoints(all_of_it, guests) | live.endpoints()


def _app_endpoints(all_of_it: Services, guests: Guests) -> dict[str, Endpoint]:
    """Accounts, people, videos and coins."""
    coins = all_of_it.coins
    settings, pool, profiles = all_of_it.settings, all_of_it.pool, all_of_it.profiles
    own_account = _own_account(all_of_it)
    accounts = AccountsApi(
        all_of_it.accounts,
        profiles,
        own_account,
        _deletion(all_of_it),
        Identities(all_of_it.id_tokens, unverified_allowed=settings.development),
    )
    return {
        **accounts.endpoints(),
        **SocialApi(Social(pool), profiles).endpoints(),
        **VideosApi(all_of_it.videos, guests).endpoints(),
        **SettingsApi(profiles, str(settings.coin_worth)).endpoints(),
        **LiveExtrasApi(Announcing(pool)).endpoints(),
        **GiftsApi(coins.gifts, coins.boards, profiles, own_account).endpoints(),
        **TicketsApi(all_of_it.tickets, all_of_it.watching, own_account).endpoints(),
        **WalletApi(coins.purchases, coins.payouts, own_account).endpoints(),
    }


def _own_account(all_of_it: Services) -> OwnAccount:
    return OwnAccount(all_of_it.profiles, all_of_it.coins.ledger)


def _deletion(all_of_it: Services) -> Deletion:
    departure = Departure(all_of_it.pool, all_of_it.broadcasts)
    forget = [departure.forget, all_of_it.videos.forget, payouts.forget_methods]
    return Deletion(all_of_it.pool, forget, departure.leave)


def _rate_limits(all_of_it: Services) -> RateLimits:
    settings = all_of_it.settings
    rules = Rules(
        sign_in=settings.sign_ins_per_minute,
        money=settings.money_per_minute,
        search=settings.searches_per_minute,
        writes=settings.writes_per_minute,
    )
    return RateLimits(all_of_it.redis, rules)
