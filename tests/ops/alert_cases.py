"""For each alert: what Prometheus sees when all is well, and when it is not. A value of
``5+60x40`` goes up by 60 at each look, for 40 looks of 15 seconds."""

Series = dict[str, str]

_JOB = '{job="control-plane",instance="a"}'
_ANSWERS = "control_plane_auth_answers_total"


def _gauge(name: str, well: float, ill: float) -> tuple[Series, Series]:
    return {name: f"{well}x40"}, {name: f"{ill}x40"}


def _counter(name: str, well: float, ill: float) -> tuple[Series, Series]:
    return {name: f"0+{well}x40"}, {name: f"0+{ill}x40"}


def _late(name: str) -> tuple[Series, Series]:
    """A histogram of which all are quick, and one of which none is."""
    quick, all_of_them = name.format(le="0.05"), name.format(le="+Inf")
    slow = name.format(le="0.25")
    well = {quick: "0+10x40", slow: "0+10x40", all_of_them: "0+10x40"}
    return well, {quick: "0x40", slow: "0+10x40", all_of_them: "0+10x40"}


def _with(same: Series, pair: tuple[Series, Series]) -> tuple[Series, Series]:
    return same | pair[0], same | pair[1]


def _of_node(name: str, draining: int, sessions: int) -> Series:
    return {
        f'control_plane_node_draining{{node="{name}"}}': f"{draining}x40",
        f'control_plane_node_sessions{{node="{name}"}}': f"{sessions}x40",
    }


#: It drains while something runs there yet; and one that was given up.
_DRAINING = _of_node("a", 1, 2) | _of_node("old", 1, 0)

CASES: dict[str, tuple[Series, Series]] = {
    "NodeLost": _with(
        _DRAINING | {'control_plane_node_lost{node="old"}': "1x40"},
        _gauge('control_plane_node_lost{node="a"}', 0, 1),
    ),
    "NodeSilent": _with(
        _DRAINING
        | {
            'control_plane_node_silent_seconds{node="old"}': "20x40",
            'control_plane_node_lost{node="a"}': "0x40",
        },
        _gauge('control_plane_node_silent_seconds{node="a"}', 0, 12),
    ),
    "PostgresAway": _gauge('control_plane_store_up{role="api",store="postgres"}', 1, 0),
    "PostgresReadOnly": _with(
        {'control_plane_store_up{role="api",store="postgres"}': "1x40"},
        _gauge('control_plane_store_up{role="api",store="postgres_writes"}', 1, 0),
    ),
    "PostgresFull": _with(
        {'control_plane_store_up{role="api",store="postgres"}': "1x40"},
        _gauge('control_plane_store_up{role="work",store="postgres_room"}', 1, 0),
    ),
    "RedisAway": _gauge('control_plane_store_up{role="api",store="redis"}', 1, 0),
    "RedisReadOnly": _with(
        {'control_plane_store_up{role="api",store="redis"}': "1x40"},
        _gauge('control_plane_store_up{role="work",store="redis_writes"}', 1, 0),
    ),
    "RedisFull": _with(
        {"control_plane_redis_memory_limit_bytes": "100x40"},
        _gauge("control_plane_redis_memory_bytes", 50, 95),
    ),
    "WebhookFailing": _gauge(
        'control_plane_webhook_failing_seconds{endpoint="1"}', 20, 400
    ),
    "WebhookBehind": _gauge('control_plane_webhook_lag_seconds{endpoint="1"}', 2, 90),
    "WebhookSwitchedOff": _gauge(
        'control_plane_webhook_switched_off{endpoint="1"}', 0, 1
    ),
    "DeadLetters": _gauge('control_plane_webhook_dead_letters{endpoint="1"}', 0, 1),
    "EventLogHeldBack": _gauge("control_plane_event_log_lag_seconds", 0, 90),
    "LedgerBroken": _gauge('control_plane_ledger_faults{check="sums"}', 0, 1),
    "LedgerUnread": _gauge(
        'control_plane_loop_age_seconds{loop="ledger_check"}', 500, 4000
    ),
    "RefundsUnheard": _with(
        {'control_plane_loop_age_seconds{loop="google_refunds"}': "200x40"},
        _counter(
            'control_plane_store_notices_refused_total{reason="another_app"}', 0, 1
        ),
    ),
    "PermissionsStale": _gauge("control_plane_permissions_age_seconds", 2, 15),
    "AuthSlow": _late('control_plane_auth_duration_seconds_bucket{{le="{le}"}}'),
    "AuthKnowsNothing": _counter(f'{_ANSWERS}{{reason="not_known_now"}}', 0, 10),
    "NodeSecretWrong": (
        {'control_plane_wrong_node_secrets_total{node="a"}': "0x40"},
        {'control_plane_wrong_node_secrets_total{node="a"}': "0x36 1x4"},
    ),
    "KeysWrong": _counter(f'{_ANSWERS}{{action="publish",reason="wrong_key"}}', 1, 100),
    "KeyLeaked": _gauge("control_plane_contested_sessions", 0, 1),
    "RequestsFail": _with(
        {'control_plane_requests_total{listener="public",outcome="ok"}': "0+100x40"},
        _counter(
            'control_plane_requests_total{listener="public",outcome="failed"}', 1, 50
        ),
    ),
    "EventLoopLate": _late(
        'control_plane_event_loop_lag_seconds_bucket{{role="api",le="{le}"}}'
    ),
    "LoopStuck": _gauge('control_plane_loop_age_seconds{loop="rounds"}', 2, 90),
    "RoleRestarts": _counter(f"process_start_time_seconds{_JOB}", 0, 15),
    "RoleAway": _gauge(f"up{_JOB}", 1, 0),
    "NoPreviews": _with(
        {
            # `work` is away, and who takes none says 0.
            'control_plane_previews_enabled{instance="auth"}': "0x40",
            'control_plane_store_up{instance="auth",role="auth"}': "1x40",
            'control_plane_sessions{state="live"}': "1x40",
        },
        _counter('control_plane_previews_total{result="taken"}', 1, 0),
    ),
    "IngestBad": _with(
        {'control_plane_sessions{state="live"}': "10x40"},
        _gauge('control_plane_ingest_sessions{health="bad"}', 1, 5),
    ),
    "PoolFull": _with(
        {
            'control_plane_pool_connections{role="api",pool="general",state="most"}': (
                "10x40"
            )
        },
        _gauge(
            'control_plane_pool_connections{role="api",pool="general",state="busy"}',
            3,
            10,
        ),
    ),
    "DiskFull": _with(
        {
            'node_filesystem_size_bytes{mountpoint="/"}': "100x40",
            'node_filesystem_avail_bytes{mountpoint="/"}': "50x40",
            'control_plane_folder_size_bytes{folder="media"}': "100x40",
        },
        _gauge('control_plane_folder_free_bytes{folder="media"}', 50, 5),
    ),
    "ClockWrong": _with(
        {"node_timex_sync_status": "1x40"},
        _gauge("node_timex_offset_seconds", 0.01, 3),
    ),
}
