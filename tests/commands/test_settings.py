"""Settings are read once; a wrong one stops with one sentence that names it."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from control_plane.commands.main import main
from control_plane.config import reference
from control_plane.config.concern import Concern
from control_plane.config.settings import (
    FROM_FILES,
    OTHERS,
    Settings,
    SettingsError,
    load,
    name_of,
)
from tests.support.commands import all_commands

GOOD = {
    "DATABASE_URL": "postgresql://u:database-password@127.0.0.1/d",
    "REDIS_URL": "redis://:redis-password@127.0.0.1/0",
    "CONTROL_PLANE_SECRET": "the-service's-own-secret-of-40-characters",
}
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/settings.md").read_text("utf-8")
#: Passwords as services make them; each cuts an address short.
ODD = "hunter/2x", "12/3", "a#b", "a?b", "a[b"


@pytest.fixture(autouse=True)
def good(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    for name in ("CONTROL_PLANE_ENV", "ENV", "CONTROL_PLANE_SECRET_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTROL_PLANE_PUBLIC_PORT", "eighty"),
        ("CONTROL_PLANE_RECONNECT_SECONDS", "1801"),
        ("CONTROL_PLANE_RECONCILE_SECONDS", "5"),
        ("CONTROL_PLANE_SECRET", "short"),
        ("CONTROL_PLANE_OLD_SECRET", "short"),
        ("CONTROL_PLANE_PLAYBACK", "sometimes"),
        ("CONTROL_PLANE_LEDGER_CHECK_SECONDS", "3001"),
        ("CONTROL_PLANE_NODE_NAME", "Not A Name"),
        ("DATABASE_URL", "mysql://u@h/d"),
        *(("DATABASE_URL", f"postgresql://u:{odd}@h:5432/d") for odd in ODD),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} is wrong: ") as caught:
        load()
    assert "\n" not in str(caught.value)
    assert value not in str(caught.value) or value.isdigit()


@pytest.mark.parametrize(
    "name", ["CONTROL_PLANE_WEBHOOK_NETWORKS", "CONTROL_PLANE_TRUSTED_PROXIES"]
)
def test_what_is_no_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "10.0.0.0/8 10.0.0.1/33")
    with pytest.raises(SettingsError, match=f"^{name} is wrong: '10.0.0.1/33' does"):
        load()


ADDRESSES = (
    *("CONTROL_PLANE_PUBLIC_URL", "CONTROL_PLANE_INTERNAL_URL"),
    *("CONTROL_PLANE_NODE_API_URL", "CONTROL_PLANE_NODE_HLS_URL"),
    "CONTROL_PLANE_NODE_WEBRTC_URL",
)
NO_ADDRESSES = "api.example.com", "auth:8081", "http://", "rtmp://a", "http://a:b"


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_is_http_and_has_a_host(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for wrong in (*NO_ADDRESSES, "http://a b", "http://a?b", "http://a#b"):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(SettingsError, match=f"^{name} is wrong: it is no address"):
            load()
    monkeypatch.setenv(name, "https://auth:8081/below/")
    field = name.removeprefix("CONTROL_PLANE_").lower()
    assert getattr(load(), field) == "https://auth:8081/below"
    monkeypatch.setenv(name, "")
    assert getattr(load(), field) == ""


def test_a_slash_at_the_end_of_our_address_keeps_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONTROL_PLANE_INTERNAL_URL", "http://auth:8081/")
    said = CliRunner().invoke(main, ["mediamtx-config"])
    told = yaml.safe_load(said.stdout)["authHTTPAddress"]
    assert told.endswith("@auth:8081/hooks/mediamtx/local/auth")


@pytest.mark.parametrize("option", ["--api", "--hls-url", "--webrtc-url"])
@pytest.mark.parametrize("wrong", NO_ADDRESSES)
def test_no_node_is_added_at_what_is_no_address(option: str, wrong: str) -> None:
    words = ["nodes", "add", "a", "--host", "a", "--api", "http://a:9997"]
    said = CliRunner().invoke(main, [*words, option, wrong])
    assert said.exit_code == 2
    assert f"Invalid value for '{option}': It is no address" in said.output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTROL_PLANE_GOOGLE_CLIENT_IDS", "a,b"),
        ("CONTROL_PLANE_APPLE_CLIENT_IDS", "a, b"),
        ("CONTROL_PLANE_REGIONS", "DE=eu,AT=eu"),
        ("CONTROL_PLANE_CORS_ORIGINS", "https://a, https://b"),
    ],
)
def test_lists_stand_between_blanks(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} is wrong: blanks, and no commas"):
        load()
    monkeypatch.setenv(name, value.replace(",", " "))
    load()


def test_no_folder_of_media_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROL_PLANE_MEDIA_FOLDER", "")
    assert load().media_folder is None


def test_no_two_concerns_give_a_check_the_same_name() -> None:
    """Of two the settings as a whole would make the one only."""
    found: Counter[str] = Counter()
    for concern in Settings.__mro__:
        if issubclass(concern, Concern):
            checks = concern.__pydantic_decorators__
            named = {*checks.field_validators, *checks.model_validators}
            found.update(named & vars(concern).keys())
    assert found
    assert [check for check, times in found.items() if times > 1] == []


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL")
    with pytest.raises(SettingsError, match=r"^REDIS_URL is not set\.$"):
        load()


def test_production_is_the_default_and_development_can_be_forbidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().env == "production"
    assert not load().provider_uid_accepted
    monkeypatch.setenv("CONTROL_PLANE_ENV", "development")
    assert load().provider_uid_accepted
    monkeypatch.setenv("ENV", "production")
    with pytest.raises(SettingsError, match="refused where ENV=production"):
        load()


def test_a_secret_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CONTROL_PLANE_SECRET")
    monkeypatch.setenv("CONTROL_PLANE_SECRET_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="CONTROL_PLANE_SECRET_FILE cannot be read"):
        load()
    (tmp_path / "secret").write_text("f" * 40 + "\n")
    monkeypatch.setenv("CONTROL_PLANE_SECRET_FILE", str(tmp_path / "secret"))
    assert load().secret.get_secret_value() == "f" * 40


def test_config_prints_no_secret() -> None:
    for options in ([], ["--json"]):
        said = CliRunner().invoke(main, ["config", *options])
        assert said.exit_code == 0
        assert "CONTROL_PLANE_RECONNECT_SECONDS" in said.output
        for hidden in ("database-password", "redis-password", "own-secret"):
            assert hidden not in said.output


@pytest.mark.parametrize("words", list(all_commands()))
def test_every_command_has_help(words: str) -> None:
    said = CliRunner().invoke(main, [*words.split(), "--help"])
    assert said.exit_code == 0
    assert said.output.startswith("Usage: ")
    assert "None" not in said.output


def test_a_node_of_no_name_is_the_settings_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONTROL_PLANE_NODE_NAME", "eu-1")
    for command in ("mediamtx-config", "node-env"):
        own = CliRunner().invoke(main, [command])
        named = CliRunner().invoke(main, [command, "--node", "eu-1"])
        assert (own.exit_code, own.stdout) == (0, named.stdout)
    monkeypatch.setenv("CONTROL_PLANE_NODE_NAME", "")
    for command in ("mediamtx-config", "node-env"):
        said = CliRunner().invoke(main, [command])
        assert said.exit_code == 2
        assert (
            "The settings have no node of their own: --node says which" in said.output
        )


@pytest.mark.parametrize(
    ("version", "origins"),
    [
        ("v1.7.0", {}),
        ("v1.15.3", {"apiAllowOrigin": ""}),
        ("v1.20.1", {"apiAllowOrigins": []}),
    ],
)
def test_a_node_asks_us_about_everybody_who_uses_its_api(
    version: str, origins: dict[str, object]
) -> None:
    said = CliRunner().invoke(main, ["mediamtx-config", "--for", version])
    content = yaml.safe_load(said.output)
    assert content["authHTTPExclude"] == []
    assert content["apiAddress"].startswith("127.0.0.1:")
    found = {name: content[name] for name in content if "AllowOrigin" in name}
    assert found == origins


def test_a_node_configuration_names_the_node_and_its_secret_once() -> None:
    said = CliRunner().invoke(main, ["mediamtx-config", "--node", "edge-1"])
    assert said.exit_code == 0
    assert said.output.count("edge-1:") == 1
    wrong = CliRunner().invoke(main, ["mediamtx-config", "--for", "v1.2.0"])
    assert wrong.exit_code == 1
    assert "Error: " in wrong.output


CACHE = "edge-config", "--node", "eu-1", "--origin", "eu-1=http://10.0.0.5:8888"


@pytest.mark.parametrize("url", ["", "http://localhost:8081", "http://[::1]:8081"])
@pytest.mark.parametrize("words", [("mediamtx-config", "--node", "eu-1"), CACHE])
def test_a_node_elsewhere_that_cannot_ask_us_is_told_of(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], url: str
) -> None:
    monkeypatch.setenv("CONTROL_PLANE_INTERNAL_URL", url)
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 0
    assert said.stderr.startswith("Warning: eu-1 is told to ask us at http://")
    monkeypatch.setenv("CONTROL_PLANE_INTERNAL_HOST", "0.0.0.0")
    assert CliRunner().invoke(main, words).stderr
    monkeypatch.setenv("CONTROL_PLANE_INTERNAL_URL", "http://10.0.0.2:8081")
    assert CliRunner().invoke(main, words).stderr == ""


def test_our_own_node_may_ask_us_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["mediamtx-config", "--node", "local"]
    assert CliRunner().invoke(main, words).stderr == ""
    monkeypatch.setenv("CONTROL_PLANE_NODE_API_URL", "http://10.0.0.5:9997")
    assert CliRunner().invoke(main, words).stderr.startswith("Warning: local is told")
    assert CliRunner().invoke(main, [*CACHE, "--signed"]).stderr == ""


def test_a_node_configuration_is_written_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "mediamtx.yml"
    words = ["--api-bind", "0.0.0.0", "--trusted-proxy", "10.0.0.0/8"]
    said = CliRunner().invoke(main, ["mediamtx-config", *words, "--output", str(file)])
    assert (said.exit_code, said.output) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    content = yaml.safe_load(file.read_text())
    assert content["apiAddress"] == "0.0.0.0:9997"
    assert content["hlsTrustedProxies"] == ["10.0.0.0/8"]


def test_what_a_hook_needs_is_written_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "node.env"
    said = CliRunner().invoke(main, ["node-env", "--output", str(file)])
    assert (said.exit_code, said.output) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == CliRunner().invoke(main, ["node-env"]).stdout


def test_the_documents_name_settings_that_there_are() -> None:
    known = {name_of(field) for field in Settings.model_fields}
    known |= {*OTHERS, *(f"{name}_FILE" for name in FROM_FILES)}
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"\bCONTROL_PLANE_[A-Z_]+[A-Z]", document.read_text()))
        assert named <= known, document.name


def test_the_page_has_every_setting_with_its_default() -> None:
    """`control-plane config --explain` prints that part of it."""
    assert reference.chapters() in PAGE
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", PAGE, re.M))
    assert set(rows) == {name_of(field) for field in Settings.model_fields}
    assert rows["CONTROL_PLANE_LONGEST_SESSION_SECONDS"] == "`43200`"
    assert rows["REDIS_URL"] == "has to be set"
    assert rows["CONTROL_PLANE_API_KEY"] == "none"


def test_what_settings_mean_is_told_where_none_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    said = CliRunner().invoke(main, ["config", "--explain"])
    assert (said.exit_code, said.output) == (0, reference.chapters())


def test_a_name_with_a_slip_in_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROL_PLANE_RECONECT_SECONDS", "90")
    for name in OTHERS:
        monkeypatch.setenv(name, "")
    said = CliRunner().invoke(main, ["config"])
    warning = "CONTROL_PLANE_RECONECT_SECONDS is no setting: nobody reads it."
    assert (said.exit_code, said.stderr) == (0, f"Warning: {warning}\n")
