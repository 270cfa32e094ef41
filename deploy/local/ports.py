"""The fixed ports of the local environment, and free ones."""

import errno
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from control_plane.config.concern import PREFIX
from control_plane.config.settings import Settings
from deploy.local.errors import LocalError

EVERYWHERE = "0.0.0.0"  # noqa: S104  (phones on the same network come in)
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Port:
    """One fixed port. ``setting`` names the variable that moves it."""

    field: str  # of control_plane.config.Settings
    used_for: str
    address: str = EVERYWHERE
    udp: bool = False

    @property
    def setting(self) -> str:
        return PREFIX + self.field.upper()

    def number(self, environ: Mapping[str, str]) -> int:
        given = environ.get(self.setting, "")
        if not given:
            return int(Settings.model_fields[self.field].default)
        if not given.isdecimal() or not 1 <= int(given) <= 65535:
            raise LocalError(f"{self.setting}={given} is no port: 1 to 65535 are.")
        return int(given)


PUBLIC = Port("public_port", "pages and API")
INTERNAL = Port("internal_port", "what the media node asks", LOOPBACK)
API_METRICS = Port("api_metrics_port", "metrics", LOOPBACK)
WORK_METRICS = Port("work_metrics_port", "metrics", LOOPBACK)
OPERATORS = Port("operator_port", "what operators ask", LOOPBACK)
RTMP = Port("rtmp_port", "RTMP")
HLS = Port("hls_port", "HLS")
API = Port("api_port", "the media node's own API", LOOPBACK)
WEBRTC = Port("webrtc_port", "WebRTC")
WEBRTC_UDP = Port("webrtc_udp_port", "WebRTC media", udp=True)
SRT = Port("srt_port", "SRT", udp=True)
RTSP = Port("rtsp_port", "RTSP")

SERVICE_PORTS = (PUBLIC, INTERNAL, OPERATORS, API_METRICS, WORK_METRICS)
SANDBOX_PORTS = (*SERVICE_PORTS, RTMP, HLS, API)
MEDIAMTX_PORTS = (*SANDBOX_PORTS, WEBRTC, WEBRTC_UDP, SRT, RTSP)


def free_port(address: str = LOOPBACK) -> int:
    """Free now; whoever takes it first has it."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def check(ports: Iterable[Port], environ: Mapping[str, str]) -> None:
    """LocalError with one sentence for each port that cannot be had."""
    problems = [_problem(port, port.number(environ)) for port in ports]
    if found := [problem for problem in problems if problem]:
        raise LocalError("\n".join(found))


def _problem(port: Port, number: int) -> str:
    kind = socket.SOCK_DGRAM if port.udp else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if not port.udp:  # as servers do: a connection that is closing is no obstacle
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.address, number))
        except OSError as error:
            used = error.errno == errno.EADDRINUSE
            why = "is in use" if used else f"cannot be used ({error.strerror})"
            return (
                f"{'UDP port' if port.udp else 'Port'} {number} ({port.used_for}) "
                f"{why}; {port.setting} moves it."
            )
    return ""
