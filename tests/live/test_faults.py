"""What goes wrong between a node and us, and in our own processes. After each fault
the tables and counts are right again, and nobody was cut by us."""

import asyncio
import signal

import pytest

from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import Json, Stack, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 6.0  # seconds: two rounds of the reconciler, and its looks at the node


async def _live(stack: Stack, **more: object) -> tuple[Json, Process]:
    live = await stack.go_live(await stack.sign_in("ann"), **more)
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return live, encoder


@pytest.mark.parametrize("lost", [{"ready"}, {"not_ready"}, {"ready", "not_ready"}])
async def test_lost_hooks(stack: Stack, lost: set[str]) -> None:
    stack.proxy.lose = lost
    live, encoder = await _live(stack)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting")
    again = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    assert again.running


async def test_no_hook_at_all(own_stack: Stack) -> None:
    own_stack.hooks = False
    await own_stack.start()
    live, encoder = await _live(own_stack)
    await encoder.stop()
    await own_stack.status(live["id"], "reconnecting")


async def test_doubled_hooks_change_nothing(stack: Stack) -> None:
    stack.proxy.double = {"ready", "not_ready"}
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
    live, encoder = await _live(stack)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting")
    # The late message is about a publisher that is known to have gone.
    await stack.proxy.until_passed("ready", live["path"])
    assert (await stack.show(live["id"]))["status"] == "reconnecting"


async def test_the_end_of_a_replaced_publisher_ends_nothing(stack: Stack) -> None:
    stack.proxy.delay = {"not_ready": 2.0}
    live, first = await _live(stack)
    second = await stack.publish(live["rtmp_url"])
    assert await first.ended() != 0
    await stack.proxy.until_passed("not_ready", live["path"])
    await stack.status(live["id"], "live")
    assert second.running
    assert "live.ended" not in await stack.events(live["id"])


async def test_a_hanging_auth_call_cuts_nobody(own_stack: Stack) -> None:
    await own_stack.start()
    live, encoder = await _live(own_stack)
    own_stack.proxy.delay = {"auth": 8.0}
    late = await own_stack.go_live(await own_stack.sign_in("bob"))
    waiting = await own_stack.publish(late["rtmp_url"])
    await asyncio.wait_for(_some_rounds(own_stack, live), 30)
    assert encoder.running
    own_stack.proxy.delay = {}
    await waiting.stop()
    assert (await own_stack.show(live["id"]))["status"] == "live"


async def _some_rounds(stack: Stack, live: Json) -> None:
    """Looks again and again for as long as a few rounds take."""
    loop = asyncio.get_running_loop()
    end = loop.time() + ROUNDS
    while loop.time() < end:
        assert (await stack.show(live["id"]))["status"] == "live"
        await asyncio.sleep(0.5)


async def test_a_frozen_node_changes_nothing(stack: Stack) -> None:
    live, _encoder = await _live(stack)
    assert stack.node is not None
    stack.node.process.send_signal(signal.SIGSTOP)
    try:
        await _some_rounds(stack, live)
    finally:
        stack.node.process.send_signal(signal.SIGCONT)
    await _some_rounds(stack, live)


async def test_a_killed_node(own_stack: Stack) -> None:
    await own_stack.start()
    live, encoder = await _live(own_stack)
    assert own_stack.node is not None
    await own_stack.node.kill()
    await own_stack.status(live["id"], "reconnecting")
    await encoder.stop()
    await own_stack.start_node()
    again = await own_stack.publish(live["rtmp_url"])
    await own_stack.status(live["id"], "live")
    assert again.running


async def test_a_node_that_restarts_between_two_looks(own_stack: Stack) -> None:
    await own_stack.start_service(CONTROL_PLANE_RECONCILE_SECONDS="4")
    await own_stack.start_node()
    live, encoder = await _live(own_stack)
    assert own_stack.node is not None
    await own_stack.node.kill()
    await own_stack.start_node()
    await own_stack.status(live["id"], "reconnecting")
    await encoder.stop()


async def test_the_deadline_ends_it(stack: Stack) -> None:
    live, encoder = await _live(stack, reconnect_window=2)
    await encoder.stop()
    shown = await stack.status(live["id"], "ended")
    assert shown["end_reason"] == "disconnected"
    assert shown["viewers"] == 0


async def test_a_window_of_zero_ends_it_at_once(stack: Stack) -> None:
    live, encoder = await _live(stack, reconnect_window=0)
    await encoder.stop()
    shown = await stack.status(live["id"], "ended")
    assert shown["end_reason"] == "disconnected"


async def test_a_killed_control_plane(own_stack: Stack) -> None:
    await own_stack.start()
    live, encoder = await _live(own_stack)
    assert own_stack.service is not None
    await own_stack.service.kill()
    await own_stack.start_service()
    await _some_rounds(own_stack, live)
    assert encoder.running
    assert "live.reconnecting" not in await own_stack.events(live["id"])


async def test_a_publisher_that_left_while_the_control_plane_was_dead(
    own_stack: Stack,
) -> None:
    await own_stack.start()
    live, encoder = await _live(own_stack)
    assert own_stack.service is not None
    await own_stack.service.kill()
    await encoder.stop()
    await own_stack.start_service()
    await own_stack.status(live["id"], "reconnecting")


async def test_another_process_takes_a_node_over(own_stack: Stack) -> None:
    await own_stack.start()
    live, encoder = await _live(own_stack)
    owner = own_stack.service
    assert owner is not None
    public, internal, api, work = free_ports(4)
    await own_stack.start_service(
        CONTROL_PLANE_PUBLIC_PORT=str(public),
        CONTROL_PLANE_INTERNAL_PORT=str(internal),
        CONTROL_PLANE_API_METRICS_PORT=str(api),
        CONTROL_PLANE_WORK_METRICS_PORT=str(work),
        CONTROL_PLANE_OPERATOR_PORT="0",
    )
    own_stack.proxy.target = internal
    own_stack.proxy.lose = {"not_ready"}  # so that only the owner can see it
    own_stack.base = f"http://127.0.0.1:{public}"
    await owner.kill()
    await encoder.stop()
    await own_stack.status(live["id"], "reconnecting")


async def test_a_node_that_is_removed_and_added_again(own_stack: Stack) -> None:
    own_stack.hooks = False  # so that only the rounds can see who publishes
    await own_stack.start()
    await own_stack.command("nodes", "remove", "local")
    assert own_stack.service is not None
    assert own_stack.service.running
    await until(lambda: _counts_no_round(own_stack))
    ports = own_stack.ports
    options = {
        "api": f"http://127.0.0.1:{ports['API']}",
        "host": "127.0.0.1",
        "rtmp-port": str(ports["RTMP"]),
        "hls-url": f"http://127.0.0.1:{ports['HLS']}",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    await own_stack.command("nodes", "add", "local", *words)
    await _live(own_stack)


async def _counts_no_round(stack: Stack) -> bool:
    """Nobody looks after a node: there is nothing whose age could be told."""
    url = f"http://127.0.0.1:{stack.ports['WORK_METRICS']}/metrics"
    async with stack.http.get(url) as response:
        return 'loop_age_seconds{loop="rounds"} 0.0' in await response.text()
