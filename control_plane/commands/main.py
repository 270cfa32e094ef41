"""The command line: all commands."""

import click

from control_plane.commands import (
    audit,
    backup,
    bans,
    check_api,
    demo,
    edges,
    events,
    health,
    ledger,
    nodes,
    payouts,
    purchases,
    remote,
    seed_demo,
    serve,
    sessions,
    tokens,
    users,
    webhooks,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="live-control-plane")
def main() -> None:
    """The control plane for live streaming on MediaMTX.

    Settings come from the environment; `config` prints them.
    """


main.add_command(serve.serve_command)
main.add_command(serve.migrate)
main.add_command(serve.config)
main.add_command(health.health)
main.add_command(sessions.sessions)
main.add_command(sessions.kick)
main.add_command(bans.ban)
main.add_command(bans.unban)
main.add_command(bans.bans)
main.add_command(users.users)
main.add_command(events.events)
main.add_command(tokens.token)
main.add_command(audit.audit)
main.add_command(webhooks.webhooks)
main.add_command(nodes.nodes)
main.add_command(nodes.mediamtx_config)
main.add_command(nodes.node_env)
main.add_command(edges.edge_config)
main.add_command(ledger.ledger)
main.add_command(backup.backup)
main.add_command(backup.restore)
main.add_command(payouts.payouts)
main.add_command(purchases.purchases)
main.add_command(remote.remote)
main.add_command(demo.demo)
main.add_command(seed_demo.seed_demo_command)
main.add_command(check_api.check_api)
