"""``control-plane ledger``: is it right, what has somebody, and gifts of our own."""

import click

from control_plane.commands.output import as_json, run, show, show_one
from control_plane.wiring.services import Services


@click.group()
def ledger() -> None:
    """Coins: every rule that must hold, and what users have."""


@ledger.command("check")
@as_json
def check(as_json: bool) -> None:
    """Read the whole ledger again; fails when any rule is broken."""

    async def work(services: Services) -> list[dict[str, object]]:
        checks = await services.coins.audit.check()
        return [{"check": one.name, "faults": one.faults} for one in checks]

    found = run(work)
    show(found, json_wanted=as_json)
    if any(one["faults"] for one in found):
        raise SystemExit(1)


@ledger.command("show")
@click.argument("user_id", type=int)
@as_json
def show_user(user_id: int, as_json: bool) -> None:
    """What one user has, account by account."""

    async def work(services: Services) -> dict[str, object]:
        has = await services.coins.ledger.balances(user_id)
        return {
            "wallet": has.wallet,
            "trial": has.trial,
            "bonus": has.bonus,
            "paid": has.paid,
            "earnings": has.earnings,
            "hold": has.hold,
            "owed": -has.owed,
            "received": (await services.coins.ledger.purse(user_id)).received,
        }

    show_one(run(work), json_wanted=as_json)


@ledger.command("bonus")
@click.argument("user_id", type=int)
@click.argument("coins", type=int)
@click.option("--reason", default="", help="Kept with the event.")
@click.option("--key", default="", help="The same key again gives nothing more.")
@as_json
def bonus(user_id: int, coins: int, reason: str, key: str, as_json: bool) -> None:
    """Give coins of ours, which are spent before those that were bought."""
    wallet = run(lambda s: s.coins.ledger.give_bonus(user_id, coins, reason, key))
    if as_json:
        show_one({"wallet": wallet}, json_wanted=True)
    else:
        click.echo(f"The user has {wallet} coins now.")
