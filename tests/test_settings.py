"""Where settings come from, and what a node refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from heliograph.core import limits
from heliograph.errors import SettingsInvalid
from heliograph.settings import ENV_PREFIX, Settings


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(ENV_PREFIX + name.upper(), raising=False)


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    file = tmp_path / "heliograph.toml"
    file.write_text('http_port = 9000\nlog_format = "json"\ntls_key_file = "key.pem"\ntls_certificate_file = "c.pem"\n')
    return file


def test_without_file_and_environment_the_defaults_stand() -> None:
    assert Settings.load() == Settings()


def test_the_file_wins_over_the_default(config_file: Path) -> None:
    settings = Settings.load(config_file)
    assert (settings.http_port, settings.log_format) == (9000, "json")
    assert settings.tls_key_file == Path("key.pem")


def test_the_environment_wins_over_the_file(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_HTTP_PORT", "0")
    monkeypatch.setenv("HELIOGRAPH_XMPP_REQUIRES_TLS", "false")
    settings = Settings.load(config_file)
    assert settings.http_port == 0
    assert settings.xmpp_requires_tls is False
    assert settings.log_format == "json"


def test_the_constructor_does_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_HTTP_PORT", "9999")
    assert Settings().http_port == 8080


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().http_port = 1  # type: ignore[misc]


def test_an_unknown_setting_is_called_one(tmp_path: Path) -> None:
    file = tmp_path / "heliograph.toml"
    file.write_text("http_prt = 1", encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"^http_prt: there is no such setting$"):
        Settings.load(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_port", 65536),
        ("xmpp_port", -1),
        ("domain", ""),
        ("domain", "a/b"),
        ("public_url", "chat.example"),
        ("stanza_max_bytes", 1024),
        ("stanza_max_bytes", limits.STANZA_MAX_BYTES + 1),
        ("pending_output_max_bytes", limits.PENDING_OUTPUT_MAX_BYTES + 1),
        ("connections_per_address_max", limits.CONNECTIONS_PER_ADDRESS_MAX + 1),
        ("authentication_timeout_s", limits.AUTHENTICATION_TIMEOUT_S + 1),
        ("drain_timeout_s", -1),
        ("abuse_addresses", "abuse at chat.example"),
        ("signal_server_url", "https://chat.example/signal"),
        ("qr_session_idle_days", 0),
        ("media_store", "tapes"),
        ("s3_endpoint", "s3.chat.example"),
        ("image_workers", 17),
        ("unused_images_kept_hours", 0),
        ("log_level", "loud"),
        ("http_prot", 1),
    ],
)
def test_a_setting_that_is_unknown_or_out_of_bounds_is_named(tmp_path: Path, name: str, value: str | int) -> None:
    file = tmp_path / "heliograph.toml"
    file.write_text(f"{name} = {value!r}\n")
    with pytest.raises(SettingsInvalid, match=name) as caught:
        Settings.load(file)
    assert caught.value.details == {"settings": [name]}


def test_the_environment_is_held_to_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_XMPP_PORT", "many")
    with pytest.raises(SettingsInvalid, match="xmpp_port"):
        Settings.load()


def test_a_certificate_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_TLS_CERTIFICATE_FILE", "chain.pem")
    with pytest.raises(SettingsInvalid, match="set together"):
        Settings.load()


@pytest.mark.parametrize(
    "given",
    [
        {"MEDIA_STORE": "s3"},
        {"S3_ACCESS_KEY_ID": "id"},
        {"S3_SECRET_ACCESS_KEY": "hidden"},
        {"S3_ACCESS_KEY_ID": "id", "S3_SECRET_ACCESS_KEY": "hidden", "S3_SECRET_ACCESS_KEY_FILE": "/secret"},
    ],
)
def test_a_bucket_without_name_or_with_half_its_credentials_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"HELIOGRAPH_{name}", value)
    with pytest.raises(SettingsInvalid, match="s3_") as caught:
        Settings.load()
    assert "hidden" not in str(caught.value)


def test_the_secret_of_the_bucket_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_S3_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("HELIOGRAPH_S3_SECRET_ACCESS_KEY", "hidden")
    settings = Settings.load()
    assert settings.s3_secret_access_key is not None
    assert settings.s3_secret_access_key.get_secret_value() == "hidden"
    assert "hidden" not in repr(settings)


def test_trusted_proxies_are_a_list_in_the_file_and_text_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "heliograph.toml"
    file.write_text('trusted_proxies = ["10.1.2.3/8", "::1"]\n')
    assert Settings.load(file).trusted_proxies == ("10.0.0.0/8", "::1/128")
    monkeypatch.setenv("HELIOGRAPH_TRUSTED_PROXIES", "127.0.0.1, 192.0.2.0/24")
    assert Settings.load(file).trusted_proxies == ("127.0.0.1/32", "192.0.2.0/24")
    monkeypatch.setenv("HELIOGRAPH_TRUSTED_PROXIES", "proxy.example")
    with pytest.raises(SettingsInvalid, match="trusted_proxies"):
        Settings.load(file)


def test_a_file_that_is_missing_or_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"absent\.toml"):
        Settings.load(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("http_port 9000")
    with pytest.raises(SettingsInvalid, match=r"broken\.toml: not a TOML file"):
        Settings.load(broken)


def test_the_public_url_follows_the_port_that_is_really_open() -> None:
    assert Settings(http_port=0).public_url_at(40123) == "http://127.0.0.1:40123"
    assert Settings(http_host="::1").public_url_at(8080) == "http://[::1]:8080"


def test_a_given_public_url_stands() -> None:
    assert Settings(public_url="https://chat.example/").public_url_at(8080) == "https://chat.example"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_number_among_the_settings_has_bounds_and_its_unit_in_its_name(name: str) -> None:
    field = Settings.model_fields[name]
    if field.annotation not in (int, float):
        return
    bounds = {bound for part in field.metadata for bound in ("ge", "gt", "le", "lt") if hasattr(part, bound)}
    assert len(bounds) == 2, "a number has a least and a greatest value"
    assert name.endswith(("_s", "_hours", "_days", "_bytes", "_max", "_port", "_workers")), (
        "a name says its unit, or what is counted"
    )
