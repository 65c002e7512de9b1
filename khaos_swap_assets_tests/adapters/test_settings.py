"""Every setting wrong in turn: one clear line that names it, and never what somebody wrote there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import NESTED, KhaosSettings, Settings, load_settings
from khaos_swap_assets.adapters.settings_checks import require_live, unknown
from khaos_swap_assets.adapters.settings_list import GROUPS, env_example, variables
from khaos_swap_assets.adapters.settings_stock import StockSettings
from khaos_swap_assets.adapters.store.seal import Sealer

ROOT = Path(__file__).parents[2]
GOOD = {
    "MODE": "post",
    "POST_FROM": "2026-07-01",
    "DATABASE_URL": "postgresql://kim:pw-of-kim@db.example/khaos_swap",
    "SEAL_KEY": Sealer.new_key(),
    "SWAP_URL": "https://api.example/returns-api",
    "SWAP_API_KEY": "key-of-swap",
    "SWAP_STORE_ID": "st_1",
    "KHAOS_URL": "https://khaos.example/LiveSoap/KhaosACME.exe",
    "KHAOS_CHANNEL_USER": "khaos",
    "KHAOS_CHANNEL_PASSWORD": "password-of-khaos",
}
MALFORMED = [
    ("TOLERANCE_REASONS", "rounding=5", "String should match pattern"),
    ("REFUND_PROOF_WORDS", "Yes,,True", "String should match pattern"),
    ("TOLERANCE_LINE_PENCE", "-1", "Input should be greater than or equal to 0"),
    ("WATCH_MINUTES", "4", "Input should be greater than or equal to 5"),
    ("VAT_PERIODS", "weekly", "Input should be 'monthly', 'quarters-1', 'quarters-2' or 'quarters-3'"),
    ("MODE", "posting", "Input should be 'audit', 'assist' or 'post'"),
    ("POST_FROM", "2026-02-30", "must be a day of the calendar, YYYY-MM-DD"),
    ("POST_FROM", "last week", "must be a day of the calendar, YYYY-MM-DD"),
    ("POST_FROM", "20260701", "must be a day of the calendar, YYYY-MM-DD"),
    ("PERIOD_START", "2026", "must be a day of the calendar, YYYY-MM-DD"),
    ("ORDER_REF_FORMAT", "KCC", "must hold {0} exactly once"),
    ("ORDER_REF_FORMAT", "{0}-{1}", "must hold no other brace than those of {0}"),
    ("ORDER_NAMES", "#LX", "must hold {0} exactly once"),
    ("STORES", "The outlet", "must be a small letter and at most 11 more small letters or digits"),
    ("FIRST_STORE", "Main", "String should match pattern"),
    ("DATA_DIR", "  ", "must name a folder"),
    ("RUNS_BROKER_URL", "amqp://guest@broker.example//", "must be redis://:PASSWORD@HOST:6379/0"),
    ("RUNS_AT_ONCE", "0", "Input should be greater than or equal to 1"),
    ("MERCHANT", "Felwood Ltd", "String should match pattern"),
    ("PERIOD_START", "1999-12-31", "must be in the year 2000 or later"),
    ("LEGS_POLICY", "refund_first", "Input should be 'disposition' or 'credit_first'"),
    ("GATEWAY_PORT", "0", "Input should be greater than or equal to 1"),
    ("GATEWAY_PORT", "eighty", "Input should be a valid integer"),
    ("WEBSERVER_HOST", "0.0.0.0", "must be one of 127.0.0.1, ::1, localhost: the Dagster UI asks nobody"),
    ("WEBSERVER_PORT", "65536", "Input should be less than or equal to 65535"),
    ("DAILY_DOCUMENT_CAP", "-1", "Input should be greater than or equal to 0"),
    ("PAGE_DOCUMENTS", "1001", "Input should be less than or equal to 1000"),
    ("SENSOR_SECONDS", "0", "Input should be greater than or equal to 1"),
    ("SWAP_PAGE_SIZE", "101", "Input should be less than or equal to 100"),
    ("SWAP_PAGE_SIZE", "0", "Input should be greater than or equal to 1"),
    ("SWAP_REQUESTS_PER_SECOND", "0", "Input should be greater than 0"),
    ("SWAP_TIMEOUT_SECONDS", "soon", "Input should be a valid number"),
    ("SWAP_COST_BASIS", "box", "Input should be 'line' or 'unit'"),
    ("SWAP_DATE_ZONE", "Mars/Olympus", "Input should be 'UTC' or 'Europe/London'"),
    ("KHAOS_CHUNK_SIZE", "51", "Input should be less than or equal to 50"),
    ("KHAOS_CERTIFICATE_SHA256", "not hexadecimal", "String should match pattern"),
    ("KHAOS_SITE_ID", "main", "Input should be a valid integer"),
    ("SWAP_WEBHOOK_HMAC_HEADER", "X Signature", "String should match pattern"),
    ("STOREFRONT_API_VERSION", "latest", "String should match pattern"),
    ("STOCK_ROUTE", "magic", "Input should be 'task', 'file' or 'level'"),
    ("DOOR_IDLE_MINUTES", "0", "Input should be greater than or equal to 5"),
    ("DOOR_LONGEST_HOURS", "169", "Input should be less than or equal to 168"),
    ("REFUND_ARRIVAL_BY_METHOD", "paypal:soon", "String should match pattern"),
    ("STOREFRONT_PAYMENT_KINDS", "rewards:points", "String should match pattern"),
]
MISPLACED = [
    ("SWAP_URL", "", "is required"),
    ("SWAP_URL", "api.example", "is no http or https URL"),
    ("SWAP_URL", "ftp://api.example", "is no http or https URL"),
    ("SWAP_URL", "https://", "is no http or https URL"),
    ("SWAP_URL", "https://api.example:port", "is no http or https URL"),
    ("SWAP_URL", "http://api.example", "must be https"),
    ("SWAP_URL", "https://kim:pw-of-kim@api.example", "must hold no user or password"),
    ("SWAP_URL", "https://api.example/returns-api?store=1", "must hold no query and no fragment"),
    ("SWAP_URL", "  ", "is required"),
    ("SWAP_API_KEY", "", "is required"),
    ("SWAP_API_KEY", "  ", "is required"),
    ("SWAP_API_KEY", "key with\na line break", "HTTP headers cannot carry"),
    ("SWAP_API_KEY", "schlüssel", "HTTP headers cannot carry"),
    ("SWAP_STORE_ID", " ", "is required"),
    ("SWAP_STORE_ID", "st_1 ", "HTTP headers cannot carry"),
    ("SWAP_WEBHOOK_SECRET", "whsk_1\n", "HTTP headers cannot carry"),
    ("SWAP_WEBHOOK_SECRET_PREVIOUS", "  ", "holds nothing but spaces"),
    ("KHAOS_URL", "", "is required"),
    ("KHAOS_URL", "khaos.example", "is no http or https URL"),
    ("PERIOD_START", "2999-01-01", "lies in the future; choose the first day of a month that has begun"),
    ("KHAOS_CA_FILE", "/nowhere/ca.pem", "No such file"),
    ("POLICY_FILE", "/nowhere/policy.yaml", "policy /nowhere/policy.yaml: cannot be read: No such file"),
    ("POLICY_FILE", __file__, "is no YAML"),
    ("DOOR_MEMBERS_FILE", "/nowhere/members.yaml", "members file /nowhere/members.yaml: cannot be read: No such file"),
    ("KHAOS_CA_FILE", __file__, "holds no PEM certificate"),
    ("KHAOS_CERTIFICATE_SHA256", "a" * 65, "must be 64 hexadecimal digits"),
    ("KHAOS_CHANNEL_USER", "", "is required when KHAOS_SWAP_MODE is post"),
    ("KHAOS_CHANNEL_PASSWORD", "", "is required when KHAOS_SWAP_MODE is post"),
    ("KHAOS_CHANNEL_USER", "khaos:1", "must hold no colon, at which Basic auth ends the user"),
    ("KHAOS_CHANNEL_PASSWORD_PREVIOUS", "old ", "HTTP headers cannot carry"),
    ("KHAOS_USER", "kim:1", "must hold no colon"),
    ("KHAOS_PASSWORD", "schlüssel", "HTTP headers cannot carry"),
    ("KHAOS_NONSALEABLE_SITE_ID", "1", "is KHAOS_SWAP_KHAOS_SITE_ID too"),
    ("KHAOS_REASON_SELLABLE", "  ", "must be the id of a return reason in Khaos"),
    ("KHAOS_REASON_DAMAGED", "1", "is KHAOS_SWAP_KHAOS_REASON_SELLABLE too"),
    ("KHAOS_REASON_MISSING", "back to shelf", "must be the id of a return reason in Khaos"),
    ("STOREFRONT_URL", "zebra", "is no http or https URL"),
    ("STOREFRONT_ACCESS_TOKEN", "token ", "HTTP headers cannot carry"),
    ("INSPECTION_TOKEN", "token ", "HTTP headers cannot carry"),
    ("INSPECTION_TOKEN_PREVIOUS", " token", "HTTP headers cannot carry"),
    ("SEAL_KEY", "", "is required when KHAOS_SWAP_MODE is post; make one with: khaos-swap new-key"),
    ("SEAL_KEY", "short-seal-key", "is no Fernet key"),
    ("DATABASE_URL", "", "is required when KHAOS_SWAP_MODE is post: the postings are the memory against doubles"),
    ("DATABASE_URL", "mysql of mine", "is no PostgreSQL URL"),
    ("GATEWAY_PUBLIC_URL", "khaos-swap.example", "is no http or https URL"),
    ("WEBSERVER_PUBLIC_URL", "ui.example", "is no http or https URL"),
    ("STOCK_FILE_SAMPLE", "/nowhere/sample.csv", "sample /nowhere/sample.csv: cannot be read: No such file"),
    ("STOCK_FILE_FOLDER", "/nowhere", "/nowhere is no folder"),
    ("DOOR_GOOGLE_ISSUER", "http://accounts.example", "must be https"),
    ("DOOR_GOOGLE_CLIENT_ID", "id ", "HTTP headers cannot carry"),
    ("DOOR_GOOGLE_CLIENT_SECRET", "a secret\n", "HTTP headers cannot carry"),
    ("DOOR_MICROSOFT_ISSUER", "tenant", "is no http or https URL"),
    ("DOOR_MICROSOFT_CLIENT_ID", "  ", "holds nothing but spaces"),
    ("DOOR_MICROSOFT_CLIENT_SECRET", "a secret ", "HTTP headers cannot carry"),
    ("GATEWAY_PORT", "3000", "is KHAOS_SWAP_WEBSERVER_PORT too"),
    ("GATEWAY_TRUSTED_PROXIES", "*", "each must be an IP address or a network"),
    ("GATEWAY_TRUSTED_PROXIES", "10.0.0.1,", "each must be an IP address or a network"),
    ("GATEWAY_METRICS_FROM", "prometheus", "each must be an IP address or a network"),
    ("ALERT_URLS", "json://localhost, carrier-pigeon://roof", "address 2 of 2 is none that apprise knows"),
    ("POST_FORM", "2026-07-01", "there is no such setting; did you mean KHAOS_SWAP_POST_FROM?"),
    ("ZIGZAGGED", "1", "there is no such setting; khaos-swap settings lists them"),
]
FREE_TEXT = {
    *("STOREFRONT_WEBHOOK_SECRET", "STOREFRONT_WEBHOOK_SECRET_PREVIOUS"),
    *("KHAOS_REASON_KEPT", "SWAP_KEPT_STATUSES", "SWAP_KEPT_TAGS", "GATEWAY_HOST", "GENERIC_CUSTOMERS"),
}
"""Any text can be one; whether it is right shows when the port is taken, or when an order of the customer comes."""
Set = Callable[..., Settings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Good settings with some changed; an empty one is taken away."""

    def load(**changed: str) -> Settings:
        for name, value in {**GOOD, **changed}.items():
            monkeypatch.setenv(f"KHAOS_SWAP_{name}", value)
        settings = load_settings()
        require_live(settings, os.environ)
        return settings

    return load


def lines_of(load: Set, **changed: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(**changed)
    return str(caught.value).splitlines()


def names_of(lines: list[str]) -> set[str]:
    return {found[1] for line in lines if (found := re.match(r"KHAOS_SWAP_(\w+)", line))}


def test_good_settings_are_taken(load: Set) -> None:
    settings = load()
    assert (settings.mode, str(settings.post_from), settings.swap.store_id) == ("post", "2026-07-01", "st_1")
    assert settings.khaos.channel_password.get_secret_value() == "password-of-khaos"


def test_nothing_set_is_an_audit_that_only_lacks_the_vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        require_live(load_settings(), {})
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "KHAOS_SWAP_SWAP_URL",
        "KHAOS_SWAP_SWAP_API_KEY",
        "KHAOS_SWAP_SWAP_STORE_ID",
        "KHAOS_SWAP_KHAOS_URL",
    ]


@pytest.mark.parametrize(("name", "value", "reason"), [*MALFORMED, *MISPLACED])
def test_a_wrong_setting_is_one_line_with_name_and_reason(load: Set, name: str, value: str, reason: str) -> None:
    lines = lines_of(load, **{name: value})
    assert len(lines) == 1
    assert lines[0].startswith(f"KHAOS_SWAP_{name}")
    assert reason in lines[0]


def kinds() -> Iterator[tuple[str, FieldInfo]]:
    """Every variable without its prefix, with what the settings know of it."""
    for prefix, kind in GROUPS.values():
        for name, field in kind.model_fields.items():
            if name not in NESTED:
                yield f"{prefix.removeprefix('KHAOS_SWAP_')}{name.upper()}", field


def wrong_values() -> Iterator[tuple[str, str]]:
    """A value that no variable of the kind can have, and one beyond each of its bounds."""
    for name, field in kinds():
        if field.annotation not in (str, SecretStr, Path, Path | None):
            yield name, "neither"
        for bound in field.metadata:
            beyond = {"ge": -1, "gt": 0, "le": 1, "lt": 0}
            for word, step in beyond.items():
                if (limit := getattr(bound, word, None)) is not None:
                    yield name, str(limit + step)


@pytest.mark.parametrize(("name", "value"), list(wrong_values()))
def test_every_setting_that_can_be_wrong_by_itself_is_one_line(load: Set, name: str, value: str) -> None:
    lines = lines_of(load, **{name: value})
    assert [line.partition(":")[0] for line in lines] == [f"KHAOS_SWAP_{name}"]


def test_a_setting_is_free_text_or_has_a_wrong_value_in_a_table() -> None:
    tried = {name for name, _ in wrong_values()} | {name for name, _, _ in (*MALFORMED, *MISPLACED)}
    assert {name for name, _ in kinds()} - tried == FREE_TEXT


@pytest.mark.parametrize("name", ["SEAL_KEY", "SWAP_API_KEY", "DATABASE_URL", "ALERT_URLS", "KHAOS_CHANNEL_PASSWORD"])
def test_no_line_holds_what_was_written(load: Set, name: str) -> None:
    assert "sécret" not in "".join(lines_of(load, **{name: "sécret"}))


@pytest.mark.parametrize("mode", ["assist", "post"])
def test_a_day_to_begin_is_required_to_write(load: Set, mode: str) -> None:
    assert lines_of(load, MODE=mode, POST_FROM="") == [
        f"KHAOS_SWAP_POST_FROM: is required when KHAOS_SWAP_MODE is {mode}"
    ]


def test_audit_needs_neither_day_nor_database_nor_channel(load: Set) -> None:
    left_out = ("POST_FROM", "DATABASE_URL", "SEAL_KEY", "KHAOS_CHANNEL_USER", "KHAOS_CHANNEL_PASSWORD")
    assert load(MODE="audit", **dict.fromkeys(left_out, "")).post_from is None


def test_every_malformed_setting_is_told_at_once(load: Set) -> None:
    wrong = {name: value for name, value, _ in MALFORMED}
    assert names_of(lines_of(load, **wrong)) == set(wrong)


def test_every_misplaced_setting_is_told_at_once(load: Set) -> None:
    wrong = {name: value for name, value, _ in MISPLACED if name != "KHAOS_REASON_SELLABLE"}
    assert names_of(lines_of(load, **wrong)) == set(wrong)


@pytest.mark.parametrize("name", ["GOOGLE", "MICROSOFT"])
def test_a_provider_of_accounts_is_named_whole(load: Set, name: str) -> None:
    (line,) = lines_of(load, **{f"DOOR_{name}_CLIENT_ID": "id"})
    prefix = f"KHAOS_SWAP_DOOR_{name}"
    needed = f"{prefix}_ISSUER, {prefix}_CLIENT_SECRET and KHAOS_SWAP_DOOR_MEMBERS_FILE"
    assert line == f"{prefix}_CLIENT_ID: needs {needed} too"


def test_files_need_a_sample_and_a_folder(load: Set) -> None:
    needed = "file needs KHAOS_SWAP_STOCK_FILE_SAMPLE and KHAOS_SWAP_STOCK_FILE_FOLDER too"
    assert lines_of(load, STOCK_ROUTE="file") == [f"KHAOS_SWAP_STOCK_ROUTE: {needed}"]


def test_plain_http_to_this_machine_is_fine(load: Set) -> None:
    assert load(SWAP_URL="http://127.0.0.1:8800/returns-api").swap.url.startswith("http:")


def test_what_the_programs_tell_each_other_is_known() -> None:
    names = ("STARTED_BY", "DAGSTER_URL", "DEMO_CLOCK", "HOUSE", "MODE")
    assert unknown({f"KHAOS_SWAP_{name}": "x" for name in names} | {"HOME": "x"}) == []


def test_the_example_is_what_the_program_prints() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()


def test_the_example_holds_every_variable_once_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [line[2:].partition("=")[0] for line in lines if line.startswith("# KHAOS_SWAP_")]
    assert found == [variable.name for variable in variables()]
    assert len(found) == len(set(found)) > 60


def test_every_variable_has_a_meaning_and_its_default_is_what_applies() -> None:
    settings = load_settings()
    for variable in variables():
        assert len(variable.meaning) > 10, variable.name
    values = {variable.name: variable.default for variable in variables()}
    assert values["KHAOS_SWAP_MODE"] == settings.mode == "audit"
    assert values["KHAOS_SWAP_GATEWAY_HOST"] == settings.gateway_host == "127.0.0.1"
    assert values["KHAOS_SWAP_WEBSERVER_HOST"] == settings.webserver_host == "127.0.0.1"
    assert values["KHAOS_SWAP_SEAL_KEY"] == ""


@pytest.mark.parametrize(("url", "count"), [("", 0), ("https://khaos.example/LiveSoap/KhaosACME.exe", 1)])
def test_khaos_cloud_has_no_web_service(url: str, count: int) -> None:
    told = Settings(khaos=KhaosSettings(edition="cloud", url=url), stock=StockSettings(route="level"))
    with pytest.raises(SettingsError) as caught:
        require_live(told, {})
    assert "KHAOS_SWAP_STOCK_ROUTE: level needs the web service, which Khaos Cloud has not" in str(caught.value)
    lines = [line for line in str(caught.value).splitlines() if "KHAOS_URL" in line]
    assert (
        lines
        == ["KHAOS_SWAP_KHAOS_URL: must be empty when KHAOS_SWAP_KHAOS_EDITION is cloud, which has no web service"]
        * count
    )
