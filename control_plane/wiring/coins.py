"""The wiring of everything about coins."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from control_plane.base.database import Pool
from control_plane.coins.model.audit import Check
from control_plane.coins.model.money import CoinWorth
from control_plane.coins.model.purchases import AppStore, AppStoreName
from control_plane.coins.service.audit import Audit
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.idempotency import Forgetting
from control_plane.coins.service.leaders import LeaderBoards
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.service.payouts import Payouts
from control_plane.coins.service.purchases import Purchases
from control_plane.coins.service.voided import VoidedPoll
from control_plane.config.coins import AppStoreSettings
from control_plane.config.settings import Settings
from control_plane.web import metrics, traced

if TYPE_CHECKING:
    from control_plane.coins.app_stores.apple import AppleStore
    from control_plane.coins.app_stores.google import GoogleStore


@dataclass(frozen=True)
class Coins:
    """``apple`` and ``google`` are None until they are configured."""

    ledger: Ledger
    gifts: Gifts
    boards: LeaderBoards
    purchases: Purchases
    payouts: Payouts
    audit: Audit
    forgetting: Forgetting
    apple: "AppleStore | None"
    google: "GoogleStore | None"
    polls: Sequence[VoidedPoll]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What happens by itself: reading the ledger again, forgetting old keys,
        asking for refunds."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.audit.running())
            await stack.enter_async_context(self.forgetting.running())
            for poll in self.polls:
                await stack.enter_async_context(poll.running())
            yield


@contextlib.asynccontextmanager
async def open_coins(settings: Settings, pool: Pool) -> AsyncIterator[Coins]:
    """Nothing runs in the background yet."""
    trusted = settings.store_ca_file
    own = True if trusted is None else ssl.create_default_context(cafile=trusted)
    connector = aiohttp.TCPConnector(ssl=own)
    async with aiohttp.ClientSession(
        connector=connector, middlewares=traced.calls()
    ) as http:
        yield _coins(settings, pool, http)


def _coins(settings: Settings, pool: Pool, http: aiohttp.ClientSession) -> Coins:
    apple, google = _apple(settings, http), _google(settings, http)
    app_stores: dict[AppStoreName, AppStore] = {}
    if apple is not None:
        app_stores["apple"] = apple
    if google is not None:
        app_stores["google"] = google
    purchases = Purchases(
        pool,
        app_stores,
        test_purchases=settings.development,
        sandbox_purchases=settings.sandbox_purchases_accepted,
    )
    return Coins(
        ledger=Ledger(pool),
        gifts=Gifts(
            pool,
            share_percent=settings.platform_share_percent,
            created_sessions=settings.gift_created_sessions,
        ),
        boards=LeaderBoards(pool),
        purchases=purchases,
        payouts=Payouts(
            pool,
            CoinWorth(settings.coin_worth, settings.payout_currency),
            least_coins=settings.payout_least_coins,
            two_above=settings.payout_two_operators_above,
        ),
        audit=Audit(pool, seconds=settings.ledger_check_seconds, report=_report),
        forgetting=Forgetting(pool, settings.idempotency_days),
        apple=apple,
        google=google,
        polls=_polls(settings, apple, google, purchases),
    )


def _polls(
    settings: AppStoreSettings,
    apple: "AppleStore | None",
    google: "GoogleStore | None",
    purchases: Purchases,
) -> list[VoidedPoll]:
    polls = []
    if apple is not None:
        seconds = settings.app_store_refunds_seconds
        polls.append(VoidedPoll("apple", apple.refunds, purchases.notice, seconds))
    if google is not None:
        seconds = settings.google_play_refunds_seconds
        polls.append(VoidedPoll("google", google.voided, purchases.notice, seconds))
    return polls


def _apple(
    settings: AppStoreSettings, http: aiohttp.ClientSession
) -> "AppleStore | None":
    if not settings.app_store_bundle_id:
        return None
    # Apple's library takes 20 MB and a third of the start: only where it is used.
    from control_plane.coins.app_stores.apple import AppleApp, AppleStore

    roots = settings.app_store_root_certificates
    app = AppleApp(
        bundle_id=settings.app_store_bundle_id,
        app_id=settings.app_store_app_id,
        issuer_id=settings.app_store_issuer_id,
        key_id=settings.app_store_key_id,
        private_key=settings.app_store_private_key.get_secret_value(),
        url=settings.app_store_url,
        sandbox_url=settings.app_store_sandbox_url,
        root_certificates="" if roots is None else Path(roots).read_text("utf-8"),
    )
    return AppleStore(http, app, _count_refused_notice)


def _google(
    settings: AppStoreSettings, http: aiohttp.ClientSession
) -> "GoogleStore | None":
    if not settings.google_play_package:
        return None
    from control_plane.coins.app_stores.google import GoogleApp, GoogleStore

    account = settings.google_play_account.get_secret_value()
    app = GoogleApp(settings.google_play_package, account, settings.google_play_url)
    return GoogleStore(http, app)


def _report(checks: Sequence[Check]) -> None:
    for check in checks:
        metrics.LEDGER_FAULTS.labels(check.name).set(check.faults)
    metrics.LEDGER_CHECKED.set_to_current_time()


def _count_refused_notice(reason: str) -> None:
    metrics.STORE_NOTICES_REFUSED.labels(reason).inc()
