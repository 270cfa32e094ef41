"""``control-plane payouts``: deciding requests for money."""

import click

from control_plane.coins.model.payouts import Decision, RequestState, WithdrawRequest
from control_plane.commands.output import as_json, run, show, show_one
from control_plane.wiring.services import Services


@click.group()
def payouts() -> None:
    """Requests for money, and what was decided."""


@payouts.command("list")
@click.option("--all", "everything", is_flag=True, help="Decided ones too.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@as_json
def list_payouts(everything: bool, limit: int, as_json: bool) -> None:
    """List what waits for a decision, the oldest first."""

    async def work(services: Services) -> list[dict[str, object]]:
        state: RequestState = "all" if everything else "pending"
        found = await services.coins.payouts.listing(state, limit)
        return [_row(request) for request in found]

    show(run(work), json_wanted=as_json)


@payouts.command("pay")
@click.argument("request_id", type=int)
@click.option("--note", default="", help="The bank's or PayPal's reference.")
@as_json
def pay(request_id: int, note: str, as_json: bool) -> None:
    """Say that the money was sent. The coins are gone then.

    Above CONTROL_PLANE_PAYOUT_TWO_OPERATORS_ABOVE coins, say that it may be sent, as
    another operator has to as well: it stays pending until then.
    """
    _decide(request_id, "paid", note, json_wanted=as_json)


@payouts.command("reject")
@click.argument("request_id", type=int)
@click.option("--note", default="", help="Why.")
@as_json
def reject(request_id: int, note: str, as_json: bool) -> None:
    """Give the coins back."""
    _decide(request_id, "rejected", note, json_wanted=as_json)


def _decide(
    request_id: int, decision: Decision, note: str, *, json_wanted: bool
) -> None:
    decided = run(lambda s: s.coins.payouts.decide(request_id, decision, note))
    show_one(_row(decided), json_wanted=json_wanted)


def _row(request: WithdrawRequest) -> dict[str, object]:
    return {
        "id": request.id,
        "status": request.status,
        "user_id": request.user_id,
        "coins": request.coins,
        "amount": f"{request.amount.units} {request.currency}",
        "method": request.method,
        "to": request.destination,
        "note": request.note,
        "approved_by": request.approved_by,
        "created_at": request.created_at,
    }
