"""Every setting, read from the environment (prefix ``KHAOS_SWAP_``) and nowhere else.

Belongs here: names, types, defaults and the checks between settings. Stays out: trying a connection (``preflight``).
Secrets are ``SecretStr`` and never appear in an error. ``.env.example`` lists every variable; a test keeps it complete.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings_door import DeskSettings, DoorSettings
from khaos_swap_assets.adapters.settings_money import PREFIX as PREFIX
from khaos_swap_assets.adapters.settings_money import StorefrontSettings, ToleranceSettings
from khaos_swap_assets.adapters.settings_runs import RunSettings
from khaos_swap_assets.adapters.settings_stock import StockSettings
from khaos_swap_assets.adapters.settings_stores import HasStores, OrderNames, OrderRefFormat, StoreNames, faults_of
from khaos_swap_assets.adapters.settings_swap import SwapSettings as SwapSettings
from khaos_swap_assets.domain.money.periods import VatPeriodsName
from khaos_swap_assets.domain.records.stores import NAME
from khaos_swap_assets.domain.refunds.proof import WORDS, Proof

EARLIEST_YEAR = 2000
PERIOD_START = date(2025, 1, 1)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class KhaosSettings(BaseSettings):
    """How Khaos is reached: SOAP out, channel in (contracts/khaos.md §5, §8)."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}KHAOS_", hide_input_in_errors=True, env_ignore_empty=True)

    edition: Literal["desktop", "cloud"] = Field(
        "desktop",
        description="cloud has no web service: it pushes Stock Codes and levels, and orders and notes are imported",
    )
    url: str = Field("", description="SOAP base up to .exe, e.g. https://host/LiveSoap/KhaosACME.exe")
    user: str = Field("", description="Basic auth user in front of the web service, if any")
    password: SecretStr = Field(SecretStr(""), description="Basic auth password in front of the web service")
    ca_file: Path | None = Field(None, description="PEM file of the authority (or the self-signed certificate itself)")
    certificate_sha256: str = Field("", pattern=r"^([0-9a-fA-F:]{64,95})?$", description="Pinned certificate, SHA-256")
    chunk_size: int = Field(50, ge=1, le=50, description="Codes a call")
    order_budget: int = Field(500, ge=1, le=10000, description="ExportOrders calls a run; the rest waits in sight")
    overlap_minutes: int = Field(60, ge=30, le=43200, description="How far a query by date reaches back")
    stock_minutes: int = Field(
        30, ge=0, le=1440, description="Shortest time between two reads of the changed Stock Codes"
    )
    poll_minutes: int = Field(
        5, ge=0, le=1440, description="Shortest time between two looks for documents that are out"
    )
    timeout_seconds: float = Field(120.0, gt=0, le=600, description="Longest wait for one answer")
    retries: int = Field(3, ge=0, le=10, description="Repeats of a read after 5xx or a timeout")
    site_id: int = Field(1, ge=0, le=2_147_483_647, description="Site of saleable stock")
    nonsaleable_site_id: int = Field(9, ge=0, le=2_147_483_647, description="Site of goods that may not be sold")
    channel_user: str = Field("", description="User name that the Khaos channel sends us")
    channel_password: SecretStr = Field(SecretStr(""), description="Password that the Khaos channel sends us")
    channel_password_previous: SecretStr = Field(
        SecretStr(""), description="The channel password before it, valid during rotation"
    )
    reason_sellable: str = Field("1", description="ReturnReason id whose type is Return to Stock")
    reason_damaged: str = Field("2", description="ReturnReason id whose type is Quarantine")
    reason_missing: str = Field("3", description="ReturnReason id whose type is Stock Missing (moves nothing)")
    reason_kept: str = Field(
        "", description="ReturnReason id of goods that the customer keeps (moves nothing); empty: none are credited"
    )
    cancels_orders: bool = Field(
        False, description="In mode post, have Khaos cancel orders that the shop cancelled, by its add-on CancelOrder"
    )
    source_pointer: Literal["SourceReference.SourceOrder", "SourceReturnReference.SourceOrder", "SourceReference"] = (
        Field(
            "SourceReference.SourceOrder",
            description="How a returned line names its order in a document; the vendor spells it in three ways",
        )
    )

    packs_returned_as: Literal["header", "components"] = Field(
        "header",
        description="How a whole pack goes back to Khaos: as its own Stock Code, or each component at its share of it",
    )

    @property
    def is_cloud(self) -> bool:
        """True for Khaos Cloud, which answers no call of ours."""
        return self.edition == "cloud"


class Settings(HasStores):
    """All settings. Load with ``load_settings``; cross-checks run there, before anything starts."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, hide_input_in_errors=True, env_ignore_empty=True)

    mode: Literal["audit", "assist", "post"] = Field("audit", description="audit reads; assist drafts; post posts")
    post_from: date | None = Field(
        None, validate_default=True, description="Refunds before this London date are reconciled, never posted"
    )
    database_url: SecretStr = Field(SecretStr(""), description="PostgreSQL 14+; empty runs the embedded one")
    data_dir: Path = Field(Path(".khaos-swap"), description="Folder of the embedded database and Dagster's files")
    merchant: str = Field(
        "",
        pattern=r"^([a-z][a-z0-9_]{0,29})?$",
        description="Short name of the merchant, small letters, where several share one Dagster; it begins every asset",
    )
    stores: StoreNames = Field(
        "",
        description="Comma list of names of further Swap stores, e.g. outlet,eu; each has variables of its own, which "
        "begin KHAOS_SWAP_STORE_OUTLET_",
    )
    first_store: str = Field(
        "main", pattern=f"^{NAME.pattern}$", description="What people call the first store where there are several"
    )
    order_ref_format: OrderRefFormat = Field("{0}", description="Order Ref. Format of the Khaos channel, e.g. KCC{0}")
    order_names: OrderNames = Field(
        "", description="With several stores: comma list of the forms of the first one's order names, e.g. #LX{0}"
    )
    strips_order_hash: bool = Field(True, description="Drop the leading # of a Shopify order name before matching")
    generic_customers: str = Field("", description="Comma list of URN patterns that are no person, e.g. Amazo-*")
    legs_policy: Literal["disposition", "credit_first"] = Field(
        "disposition", description="When the Khaos return is offered"
    )
    refund_proof: Literal["processed", "closed"] = Field(
        "processed",
        description="What of Swap proves a refund where no storefront shows it: that it was processed, or, where this "
        "Swap never says so, that it was closed with a date, paid or not",
    )
    refund_proof_words: str = Field(
        ", ".join(WORDS),
        pattern=r"^[^,]{1,40}(,[^,]{1,40}){0,9}$",
        description="Comma list of words in place of a date of processing that prove a refund",
    )
    policy_file: Path | None = Field(
        None, description="YAML of finance's decisions on Credit Notes; empty: the defaults"
    )
    period_start: date = Field(PERIOD_START, description="First month of the reports; first reads go as deep")
    vat_periods: VatPeriodsName = Field("monthly", description="monthly, or quarters ending in month 1, 2 or 3")
    vat_box6_pounds: int | None = Field(None, ge=0, description="Box 6 of the VAT Return, pounds; empty: not given")
    seal_key: SecretStr = Field(SecretStr(""), description="Key that seals names and addresses (Fernet)")
    inspection_token: SecretStr = Field(SecretStr(""), description="Bearer token of POST /inspections")
    inspection_token_previous: SecretStr = Field(SecretStr(""), description="The token before it, during rotation")
    gateway_host: str = Field("127.0.0.1", description="Address the gateway binds to")
    gateway_port: int = Field(8700, ge=1, le=65535, description="Port of the gateway")
    gateway_public_url: str = Field("", description="URL of the gateway as Khaos sees it")
    gateway_workers: int = Field(1, ge=1, le=32, description="Processes of the gateway")
    gateway_sender_rate: int = Field(100, ge=1, le=100_000, description="Requests a second of a sender; bursts 10 s")
    gateway_trusted_proxies: str = Field(
        "127.0.0.1", description="Comma list of proxies whose X-Forwarded-* headers count"
    )
    gateway_metrics_from: str = Field("", description="Comma list of private addresses that read /metrics, no proxy's")
    webserver_host: str = Field("127.0.0.1", description="Address the Dagster UI binds to: loopback only")
    webserver_port: int = Field(3000, ge=1, le=65535, description="Port of the Dagster UI")
    webserver_public_url: str = Field("", description="URL of the Dagster UI as a proxy with a sign-in shows it")
    daily_document_cap: int = Field(200, ge=0, le=1_000_000, description="Most documents handed out in a London day")
    daily_value_cap_pounds: int = Field(20000, ge=0, le=1_000_000_000, description="Most pounds handed out in a day")
    page_documents: int = Field(200, ge=1, le=1000, description="Most documents in one answer of the feed")
    inspection_days: int = Field(2, ge=1, le=90, description="Days after delivery until inspection_overdue")
    refund_days: int = Field(14, ge=1, le=365, description="Days after delivery until refund_unconfirmed_too_long")
    arrival_days: int = Field(21, ge=1, le=365, description="Days after the refund until goods not back are told")
    refund_arrival_days: int = Field(10, ge=1, le=60, description="Days in which a refund usually reaches the customer")
    refund_arrival_by_method: str = Field(
        "", pattern=r"^\s*([^:,\s]+:\d{1,2}\s*(,\s*|$))*$", description="Where that differs, e.g. paypal:1,klarna:14"
    )
    accrue_in_transit: bool = Field(True, description="At month end, accrue refunds of goods still on their way too")
    credit_note_days: int = Field(2, ge=0, le=90, description="Days after the refund until credit_note_missing")
    issue_days: int = Field(3, ge=0, le=90, description="Days after creation until credit_note_not_issued")
    allocation_days: int = Field(7, ge=0, le=90, description="Days after issue until credit_note_unallocated")
    level_hours: int = Field(1, ge=0, le=720, description="Hours after a note was issued until a level must show it")
    watch_minutes: int = Field(30, ge=5, le=1440, description="Oldest complete run on which a document leaves")
    in_doubt_hours: int = Field(24, ge=1, le=720, description="Hours after hand-out until posting_in_doubt")
    sensor_seconds: int = Field(
        1, ge=1, le=3600, description="Shortest time between two looks at what is due; Dagster looks every 5 s at most"
    )
    open_reread_minutes: int = Field(15, ge=1, le=1440, description="How often open returns are read again")
    keep_runs_days: int = Field(30, ge=1, le=3650, description="Days until an ended run goes; of each month one stays")
    keep_events_days: int = Field(7, ge=1, le=3650, description="Days until the passing events of a run are deleted")
    keep_months: int = Field(
        0, ge=0, le=1200, description="Months of audit log and stock levels that stay; older ones are set apart; 0: all"
    )
    log_megabytes: int = Field(10, ge=1, le=10_000, description="Size at which a log file is set aside")
    log_files: int = Field(5, ge=0, le=100, description="Full log files kept beside each log")
    alert_urls: SecretStr = Field(SecretStr(""), description="Comma list of apprise URLs for alerts")

    swap: SwapSettings = Field(default_factory=SwapSettings)
    khaos: KhaosSettings = Field(default_factory=KhaosSettings)
    storefront: StorefrontSettings = Field(default_factory=StorefrontSettings)
    tolerance: ToleranceSettings = Field(default_factory=ToleranceSettings)
    stock: StockSettings = Field(default_factory=StockSettings)
    door: DoorSettings = Field(default_factory=DoorSettings)
    desk: DeskSettings = Field(default_factory=DeskSettings)
    runs: RunSettings = Field(default_factory=RunSettings)

    @property
    def proof(self) -> Proof:
        """What of Swap proves that a closed return was paid."""
        return Proof(self.refund_proof, tuple(word.strip() for word in self.refund_proof_words.split(",")))

    @field_validator("webserver_host")
    @classmethod
    def _is_loopback(cls, value: str) -> str:
        if value not in LOOPBACK:
            tell = f"must be one of {', '.join(sorted(LOOPBACK))}: the Dagster UI asks nobody for a password; come by "
            raise ValueError(f"{tell}an SSH tunnel, or a proxy that {PREFIX}WEBSERVER_PUBLIC_URL names")
        return value

    @field_validator("data_dir")
    @classmethod
    def _is_a_name(cls, value: Path) -> Path:
        if not str(value).strip():
            raise ValueError("must name a folder")
        return value

    @field_validator("post_from", "period_start", mode="before")
    @classmethod
    def _is_a_day(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return datetime.strptime(value.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            raise ValueError("must be a day of the calendar, YYYY-MM-DD") from None

    @field_validator("period_start")
    @classmethod
    def _is_of_this_age(cls, value: date) -> date:
        if value.year < EARLIEST_YEAR:
            raise ValueError(f"must be in the year {EARLIEST_YEAR} or later")
        return value

    @field_validator("post_from")
    @classmethod
    def _is_there_to_post(cls, value: date | None, info: ValidationInfo) -> date | None:
        mode = info.data.get("mode", "audit")
        if value is None and mode != "audit":
            raise ValueError(f"is required when {PREFIX}MODE is {mode}")
        return value


NESTED: dict[str, type[BaseSettings]] = {
    name: kind
    for name, found in Settings.model_fields.items()
    if isinstance(kind := found.annotation, type) and issubclass(kind, BaseSettings)
}
"""The groups of settings with a prefix of their own."""


def load_settings() -> Settings:
    """Read the environment. Raises ``SettingsError`` with one line for every fault: variable and reason, no value."""
    groups: dict[str, Any] = {}
    faults: list[str] = []
    for name, kind in NESTED.items():
        try:
            groups[name] = kind()
        except ValidationError as error:
            groups[name] = kind.model_construct()
            faults += _faults(error)
    try:
        settings = Settings(**groups)
    except ValidationError as error:
        faults += _faults(error)
    if faults:
        raise SettingsError("\n".join(faults))
    return settings.with_stores()


def _faults(error: ValidationError) -> list[str]:
    prefix = next((f"{PREFIX}{name.upper()}_" for name, kind in NESTED.items() if kind.__name__ == error.title), PREFIX)
    return faults_of(error, prefix)
