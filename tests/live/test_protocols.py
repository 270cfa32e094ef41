"""RTSP, SRT and WHIP, which only a real MediaMTX serves: the right key works, nothing
else does. (RTMP is in test_going_live.)"""

import pytest

from tests.support.stack import Json, Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROTOCOLS = ["rtsp", "srt", "whip"]


@pytest.fixture(autouse=True)
def real_only(stack: Stack) -> None:
    if stack.kind != "mediamtx":
        pytest.skip("the sandbox node serves RTMP and HLS only")


def _url(stack: Stack, live: Json, protocol: str, key: str) -> str:
    if protocol == "rtsp":
        port = stack.ports["RTSP"]
        userinfo = f"key:{key}@" if key else ""
        return f"rtsp://{userinfo}127.0.0.1:{port}/{live['path']}"
    if protocol == "srt":
        return str(live["srt_url"]).replace(live["key"], key or "none")
    return str(live["whip_url"])


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_right_key_works(stack: Stack, protocol: str) -> None:
    live = await stack.go_live(await stack.sign_in("ann"))
    url = _url(stack, live, protocol, live["key"])
    encoder = await stack.publish(url, bearer=live["key"])
    await stack.status(live["id"], "live")
    await stack.command("kick", live["id"])
    if protocol != "whip":  # ffmpeg does not notice that nobody listens any more
        await encoder.ended()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("wrong", ["", "wrong-key-wrong-key-wrong", "another's"])
async def test_a_wrong_key_does_not(stack: Stack, protocol: str, wrong: str) -> None:
    live = await stack.go_live(await stack.sign_in("ann"))
    if wrong == "another's":
        wrong = (await stack.go_live(await stack.sign_in("bob")))["key"]
    url = _url(stack, live, protocol, wrong)
    encoder = await stack.publish(url, bearer=wrong)
    assert await encoder.ended() != 0
    assert (await stack.show(live["id"]))["status"] == "created"
