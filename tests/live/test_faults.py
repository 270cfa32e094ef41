"""What goes wrong between a node and us, and in our own processes. After each fault
the tables and counts are right again, and nobody was cut by us."""

import asyncio
import signal

import pytest

from tests.support.process import Process
from tests.support.stack import Json, Stack, free_ports, until

ROUNDS = 6.0  # seconds: two rounds of the reconciler, and its looks at the node


async def _live(stack: Stack, **more: object) -> tuple[Json, Process]:
    live = await stack.go_live(await stack.sign_in("ann"), **more)
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return live, encoder


@pytest.mark.parametrize("lost", [{"ready"}, {"not_ready"}, {"ready", "not_ready"}])
async def test_lost_hooks(stack: Stack, lost: set[str]) -> None:
    stack.proxy.lose = lost
    await stack.start()
    live, encoder = await _live(stack)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting", ROUNDS + 4)
    again = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    assert again.running


async def test_no_hook_at_all(stack: Stack) -> None:
    stack.hooks = False
    await stack.start()
    live, encoder = await _live(stack)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting", ROUNDS)


async def test_doubled_hooks_change_nothing(stack: Stack) -> None:
    stack.proxy.double = {"ready", "not_ready"}
    await stack.start()
    live, encoder = await _live(stack)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting")
    assert await stack.events(live["id"]) == [
        "live.created",
        "live.started",
        "live.reconnecting",
    ]


async def test_a_ready_that_comes_after_its_not_ready(stack: Stack) -> None:
    stack.proxy.delay = {"ready": 3.0}
    await stack.start()
    live, encoder = await _live(stack)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting")
    # The late message is about a publisher that is known to have gone.
    await until(lambda: _passed(stack, "ready"))
    assert (await stack.show(live["id"]))["status"] == "reconnecting"


async def _passed(stack: Stack, event: str) -> bool:
    return event in stack.proxy.passed


async def test_the_end_of_a_replaced_publisher_ends_nothing(stack: Stack) -> None:
    stack.proxy.delay = {"not_ready": 2.0}
    await stack.start()
    live, first = await _live(stack)
    second = await stack.publish(live["rtmp_url"])
    assert await first.ended(15.0) != 0
    await until(lambda: _passed(stack, "not_ready"))
    await stack.status(live["id"], "live")
    assert second.running
    assert "live.ended" not in await stack.events(live["id"])


async def test_a_hanging_auth_call_cuts_nobody(stack: Stack) -> None:
    await stack.start()
    live, encoder = await _live(stack)
    stack.proxy.delay = {"auth": 8.0}
    late = await stack.go_live(await stack.sign_in("bob"))
    waiting = await stack.publish(late["rtmp_url"])
    await asyncio.wait_for(_some_rounds(stack, live), 30)
    assert encoder.running
    stack.proxy.delay = {}
    await waiting.stop()
    assert (await stack.show(live["id"]))["status"] == "live"


async def _some_rounds(stack: Stack, live: Json) -> None:
    """Looks again and again for as long as a few rounds take."""
    loop = asyncio.get_running_loop()
    end = loop.time() + ROUNDS
    while loop.time() < end:
        assert (await stack.show(live["id"]))["status"] == "live"
        await asyncio.sleep(0.5)


async def test_a_frozen_node_changes_nothing(stack: Stack) -> None:
    await stack.start()
    live, _encoder = await _live(stack)
    assert stack.node is not None
    stack.node.process.send_signal(signal.SIGSTOP)
    try:
        await _some_rounds(stack, live)
    finally:
        stack.node.process.send_signal(signal.SIGCONT)
    await _some_rounds(stack, live)


async def test_a_killed_node(stack: Stack) -> None:
    await stack.start()
    live, encoder = await _live(stack)
    assert stack.node is not None
    await stack.node.kill()
    await stack.status(live["id"], "reconnecting", ROUNDS)
    await encoder.stop()
    await stack.start_node()
    again = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    assert again.running


async def test_a_node_that_restarts_between_two_looks(stack: Stack) -> None:
    await stack.start_service(CONTROL_PLANE_RECONCILE_SECONDS="4")
    await stack.start_node()
    live, encoder = await _live(stack)
    assert stack.node is not None
    await stack.node.kill()
    await stack.start_node()
    await stack.status(live["id"], "reconnecting", 12.0)
    await encoder.stop()


async def test_the_deadline_ends_it(stack: Stack) -> None:
    await stack.start()
    live, encoder = await _live(stack, reconnect_window=2)
    await encoder.stop()
    shown = await stack.status(live["id"], "ended", 2.0 + ROUNDS)
    assert shown["end_reason"] == "disconnected"
    assert shown["viewers"] == 0


async def test_a_window_of_zero_ends_it_at_once(stack: Stack) -> None:
    await stack.start()
    live, encoder = await _live(stack, reconnect_window=0)
    await encoder.stop()
    shown = await stack.status(live["id"], "ended", ROUNDS)
    assert shown["end_reason"] == "disconnected"


async def test_a_killed_control_plane(stack: Stack) -> None:
    await stack.start()
    live, encoder = await _live(stack)
    assert stack.service is not None
    await stack.service.kill()
    await stack.start_service()
    await _some_rounds(stack, live)
    assert encoder.running
    assert "live.reconnecting" not in await stack.events(live["id"])


async def test_a_publisher_that_left_while_the_control_plane_was_dead(
    stack: Stack,
) -> None:
    await stack.start()
    live, encoder = await _live(stack)
    assert stack.service is not None
    await stack.service.kill()
    await encoder.stop()
    await stack.start_service()
    await stack.status(live["id"], "reconnecting", 10.0 + ROUNDS)


async def test_another_process_takes_a_node_over(stack: Stack) -> None:
    await stack.start()
    live, encoder = await _live(stack)
    owner = stack.service
    assert owner is not None
    public, internal = free_ports(2)
    await stack.start_service(
        CONTROL_PLANE_PUBLIC_PORT=str(public),
        CONTROL_PLANE_INTERNAL_PORT=str(internal),
    )
    stack.proxy.target = internal
    stack.proxy.lose = {"not_ready"}  # so that only the owner can see it
    stack.base = f"http://127.0.0.1:{public}"
    await owner.kill()
    await encoder.stop()
    await stack.status(live["id"], "reconnecting", 20.0 + ROUNDS)


async def test_a_node_that_is_removed_and_added_again(stack: Stack) -> None:
    stack.hooks = False  # so that only the rounds can see who publishes
    await stack.start()
    await stack.command("nodes", "remove", "local")
    assert stack.service is not None
    assert stack.service.running
    await until(lambda: _counts_no_round(stack))
    ports = stack.ports
    options = {
        "api": f"http://127.0.0.1:{ports['API']}",
        "host": "127.0.0.1",
        "rtmp-port": str(ports["RTMP"]),
        "hls-url": f"http://127.0.0.1:{ports['HLS']}",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    await stack.command("nodes", "add", "local", *words)
    await _live(stack)


async def _counts_no_round(stack: Stack) -> bool:
    """Nobody looks after a node: there is nothing whose age could be told."""
    url = f"http://127.0.0.1:{stack.ports['INTERNAL']}/metrics"
    async with stack.http.get(url) as response:
        return 'loop_age_seconds{loop="rounds"} 0.0' in await response.text()
