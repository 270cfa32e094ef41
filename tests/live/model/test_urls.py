from dataclasses import replace

from control_plane.live.model.keys import new_key
from control_plane.live.model.nodes import Node
from control_plane.live.model.urls import playback_url, publish_urls

NODE = Node(
    name="local",
    api_url="http://127.0.0.1:9997",
    rtmp_url="rtmp://{host}:1935",
    hls_url="http://{host}:8888",
    webrtc_url="http://{host}:8889",
    srt_url="srt://{host}:8890",
    rtsp_url="rtsp://{host}:8554",
)


def test_what_an_encoder_is_given() -> None:
    urls = publish_urls(NODE, "192.168.1.5", "live/12", "KEY")
    assert urls.rtmp == "rtmp://192.168.1.5:1935/live/12?key=KEY"
    assert urls.server == "rtmp://192.168.1.5:1935/live"
    assert urls.stream_key == "12?key=KEY"
    assert urls.whip == "http://192.168.1.5:8889/live/12/whip"
    assert "streamid=publish:live/12:key:KEY" in urls.srt


def test_a_viewers_url_holds_no_key() -> None:
    url = playback_url(NODE, "h", "live/12", "a+b")
    assert url == "http://h:8888/live/12/index.m3u8?token=a%2Bb"


def test_a_key_is_long_enough_and_fits_a_url() -> None:
    key = new_key()
    assert len(key) == 27  # 160 bits
    long_host = "a-rather-long-host-name." * 4 + "example.com"
    assert len(publish_urls(NODE, long_host, "live/" + "c" * 32, key).rtmp) < 255


def test_a_viewer_of_an_edge_is_named_as_that_edge_knows_it() -> None:
    edge = replace(NODE, name="e", role="edge", hls_url="http://e")
    cache = replace(edge, role="cache", hls_url="https://c")
    told = [playback_url(NODE, "h", "live/12", "t.s", at=at) for at in (edge, cache)]
    assert told == [
        "http://e/local/live/12/index.m3u8?token=t.s",
        "https://c/t.s/local/live/12/index.m3u8",
    ]
