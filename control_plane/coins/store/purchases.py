"""Packages, purchases, and refunds that came before their purchase."""

from dataclasses import fields
from datetime import datetime

from control_plane.base.database import Connection, Executor, Record
from control_plane.coins.model.purchases import NewPurchase, Package, Purchase

_COLUMNS = ", ".join(field.name for field in fields(Purchase))
_SELECT = f"SELECT {_COLUMNS} FROM purchases"  # noqa: S608
_NEW = [field.name for field in fields(NewPurchase)]
_INSERT = (
    f"INSERT INTO purchases (transfer_id, {', '.join(_NEW)})"  # noqa: S608
    f" VALUES ({', '.join(f'${n + 1}' for n in range(len(_NEW) + 1))})"
    f" RETURNING {_COLUMNS}"
)
_PACKAGE = "SELECT p.id, p.coins, p.price_minor, p.currency FROM coin_packages p"


def _purchase(row: Record | None) -> Purchase | None:
    return None if row is None else Purchase(**dict(row))


def _package(row: Record | None) -> Package | None:
    return None if row is None else Package(**dict(row))


async def packages(executor: Executor) -> list[Package]:
    """On sale now, the smallest first."""
    rows = await executor.fetch(f"{_PACKAGE} WHERE p.on_sale ORDER BY p.coins, p.id")
    return [Package(**dict(row)) for row in rows]


async def package_of_product(executor: Executor, product_id: str) -> Package | None:
    """Also one that is no longer on sale: it is paid for. A name in full stands
    above its last part."""
    name = product_id.lower()
    return _package(
        await executor.fetchrow(
            f"{_PACKAGE} JOIN coin_products c ON c.package_id = p.id"
            " WHERE c.product_id = ANY($1) ORDER BY length(c.product_id) DESC LIMIT 1",
            [name, name.rpartition(".")[2]],
        )
    )


async def package_of_coins(executor: Executor, coins: int) -> Package | None:
    return _package(
        await executor.fetchrow(
            f"{_PACKAGE} WHERE p.on_sale AND p.coins = $1 ORDER BY p.id LIMIT 1", coins
        )
    )


async def get(executor: Executor, purchase_id: int) -> Purchase | None:
    return _purchase(await executor.fetchrow(f"{_SELECT} WHERE id = $1", purchase_id))


async def listing(
    executor: Executor, user_id: int, before: int, limit: int
) -> list[Purchase]:
    """Those below an id, newest first. ``user_id`` 0: everybody's."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE id < $2 AND ($1 = 0 OR user_id = $1)"
        " ORDER BY id DESC LIMIT $3",
        user_id,
        before,
        limit,
    )
    return [Purchase(**dict(row)) for row in rows]


async def find(executor: Executor, store: str, transaction_id: str) -> Purchase | None:
    """In any environment: an app store's ids are its own in all of them."""
    return _purchase(
        await executor.fetchrow(
            f"{_SELECT} WHERE store = $1 AND transaction_id = $2"
            " AND environment IN ('production', 'sandbox', 'test')"  # for its index
            " ORDER BY id LIMIT 1",
            store,
            transaction_id,
        )
    )


async def lock_transaction(
    connection: Connection, store: str, transaction_id: str
) -> None:
    """A purchase and its refund may arrive at the same moment."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 11))",
        f"{store}\n{transaction_id}",
    )


async def create(
    connection: Connection, new: NewPurchase, transfer_id: int
) -> Purchase:
    [row] = await connection.fetch(
        _INSERT, transfer_id, *[getattr(new, name) for name in _NEW]
    )
    return Purchase(**dict(row))


async def make_refunded(
    connection: Connection,
    purchase_id: int,
    refunded_coins: int,
    taken_coins: int,
    transfer_id: int | None,
) -> None:
    """Both with those before. ``transfer_id`` None: nothing was left to take."""
    await connection.execute(
        "UPDATE purchases SET refunded_coins = $2, taken_coins = $3,"
        " status = CASE WHEN $2 = coins THEN 'refunded' ELSE 'credited' END,"
        " refund_transfer_id = coalesce($4, refund_transfer_id), updated_at = now()"
        " WHERE id = $1",
        purchase_id,
        refunded_coins,
        taken_coins,
        transfer_id,
    )


async def make_credited_again(connection: Connection, purchase_id: int) -> None:
    await connection.execute(
        "UPDATE purchases SET status = 'credited', refunded_coins = 0,"
        " taken_coins = 0, updated_at = now() WHERE id = $1",
        purchase_id,
    )


async def note_notice(
    connection: Connection,
    store: str,
    transaction_id: str,
    given_back: bool,
    signed_at: datetime,
) -> bool:
    """False when this one was noted before, or a newer one."""
    noted = await connection.fetchval(
        """
        INSERT INTO refund_notices AS n (store, transaction_id, given_back, signed_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (store, transaction_id) DO UPDATE
            SET given_back = excluded.given_back, signed_at = excluded.signed_at
            WHERE n.signed_at < excluded.signed_at
                OR n.signed_at = excluded.signed_at
                AND n.given_back <> excluded.given_back
        RETURNING true
        """,
        store,
        transaction_id,
        given_back,
        signed_at,
    )
    return noted is not None


async def note_early_refund(
    connection: Connection, store: str, transaction_id: str, share: int
) -> None:
    await connection.execute(
        "INSERT INTO early_refunds AS e (store, transaction_id, share)"
        " VALUES ($1, $2, $3) ON CONFLICT (store, transaction_id)"
        " DO UPDATE SET share = greatest(e.share, excluded.share)",
        store,
        transaction_id,
        share,
    )


async def forget_early_refund(
    connection: Connection, store: str, transaction_id: str
) -> None:
    await connection.execute(
        "DELETE FROM early_refunds WHERE store = $1 AND transaction_id = $2",
        store,
        transaction_id,
    )


async def refunded_early(
    connection: Connection, store: str, transaction_id: str
) -> int:
    """The share of the purchase; 0: none."""
    share = await connection.fetchval(
        "SELECT share FROM early_refunds WHERE store = $1 AND transaction_id = $2",
        store,
        transaction_id,
    )
    return int(share or 0)
