"""Somebody new goes live, as soon as the service lets anybody."""

from tests.support.stack import Json, Stack, until


async def is_open_again(stack: Stack) -> None:
    """A broadcast begins."""
    another = await until(lambda: starts(stack))
    await until(lambda: comes_live(stack, another))


async def starts(stack: Stack) -> Json | None:
    """Somebody signs in and may go live, once the new primary is found."""
    name = f"bob{stack.unique()}"
    body = {"social": "google", "social_id": name, "username": name}
    found = await stack.call("registerUser", body)
    if found["code"] != 200:
        return None
    token = found["msg"]["User"]["auth_token"]
    started = await stack.call("liveStream", {}, token)
    return started["msg"]["LiveStreaming"] if started["code"] == 200 else None


async def comes_live(stack: Stack, live: Json) -> bool:
    """False when its encoder is sent away, as it may be until then: it comes again."""
    encoder = await stack.publish(live["rtmp_url"])

    async def is_live() -> bool:
        return bool((await stack.show(live["id"]))["status"] == "live")

    async def decided() -> bool:
        return not encoder.running or await is_live()

    await until(decided)
    return await is_live()
