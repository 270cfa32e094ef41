"""``control-plane purchases``: what was bought, and taking it back."""

import click

from control_plane.commands.asking import Json, post, rows
from control_plane.commands.output import (
    as_json,
    because,
    limited,
    moment,
    only,
    show,
    show_one,
)


@click.group()
def purchases() -> None:
    """Coins that were bought."""


@purchases.command("list")
@click.option("--user", "user_id", type=int, help="Of one user only.")
@limited
@as_json
def list_purchases(user_id: int | None, limit: int, as_json: bool) -> None:
    """List purchases, newest first."""
    found = rows("/v1/purchases", limit, user_id=user_id)
    show(found, json_wanted=as_json, shape=_row)


@purchases.command("refund")
@click.argument("purchase_id", type=int)
@because
@as_json
def refund(purchase_id: int, reason: str, as_json: bool) -> None:
    """Take a purchase's coins back: from the paid ones, and what is spent is owed.

    A test purchase is taken from the trial coins, and what is spent of it is forgotten.
    App stores tell of their own refunds; this is for what they do not tell.
    """
    found = post("/v1/purchases/{id}/refund", id=purchase_id, reason=reason)
    show_one(found, json_wanted=as_json, shape=_row)


def _row(one: Json) -> Json:
    return {
        **only(one, "id status user_id coins refunded_coins price currency"),
        **only(one, "store environment"),
        "product": one["product_id"],
        "created_at": moment(one["created_at"]),
    }
