"""``control-plane payouts``: deciding requests for money."""

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
def payouts() -> None:
    """Requests for money, and what was decided."""


@payouts.command("list")
@click.option("--all", "everything", is_flag=True, help="Decided ones too.")
@limited
@as_json
def list_payouts(everything: bool, limit: int, as_json: bool) -> None:
    """List what waits for a decision, the oldest first."""
    found = rows("/v1/payouts", limit, state="all" if everything else "pending")
    show(found, json_wanted=as_json, shape=_row)


@payouts.command("pay")
@click.argument("request_id", type=int)
@click.option("--note", default="", help="The bank's or PayPal's reference.")
@because
@as_json
def pay(request_id: int, note: str, reason: str, as_json: bool) -> None:
    """Say that the money was sent. The coins are gone then.

    Above CONTROL_PLANE_PAYOUT_TWO_OPERATORS_ABOVE coins, say that it may be sent, as
    another operator has to as well: it stays pending until then.
    """
    found = post("/v1/payouts/{id}/pay", id=request_id, note=note, reason=reason)
    show_one(found, json_wanted=as_json, shape=_row)


@payouts.command("reject")
@click.argument("request_id", type=int)
@click.option("--note", default="", help="Why.")
@because
@as_json
def reject(request_id: int, note: str, reason: str, as_json: bool) -> None:
    """Give the coins back."""
    found = post("/v1/payouts/{id}/reject", id=request_id, note=note, reason=reason)
    show_one(found, json_wanted=as_json, shape=_row)


def _row(one: Json) -> Json:
    return {
        **only(one, "id status user_id coins owed amount currency method"),
        "to": one["destination"],
        "approved_by": one["approved_by"],
        "created_at": moment(one["created_at"]),
        "note": one["note"],
    }
