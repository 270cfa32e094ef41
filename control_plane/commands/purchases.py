"""``control-plane purchases``: what was bought, and taking it back."""

import click

from control_plane.coins.model.purchases import Purchase
from control_plane.commands.output import as_json, run, show, show_one
from control_plane.wiring.services import Services


@click.group()
def purchases() -> None:
    """Coins that were bought."""


@purchases.command("list")
@click.option("--user", "user_id", default=0, help="Of one user only.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@as_json
def list_purchases(user_id: int, limit: int, as_json: bool) -> None:
    """List purchases, newest first."""

    async def work(services: Services) -> list[dict[str, object]]:
        found = await services.coins.purchases.listing(user_id, limit)
        return [_row(purchase) for purchase in found]

    show(run(work), json_wanted=as_json)


@purchases.command("refund")
@click.argument("purchase_id", type=int)
@as_json
def refund(purchase_id: int, as_json: bool) -> None:
    """Take a purchase's coins back: from the paid ones, and what is spent is owed.

    A test purchase is taken from the trial coins, and what is spent of it is forgotten.
    App stores tell of their own refunds; this is for what they do not tell.
    """
    found = run(lambda services: services.coins.purchases.refund(purchase_id))
    show_one(_row(found), json_wanted=as_json)


def _row(purchase: Purchase) -> dict[str, object]:
    return {
        "id": purchase.id,
        "status": purchase.status,
        "user_id": purchase.user_id,
        "coins": purchase.coins,
        "price": f"{purchase.price.units} {purchase.currency}",
        "store": f"{purchase.store} ({purchase.environment})",
        "product": purchase.product_id,
        "created_at": purchase.created_at,
    }
