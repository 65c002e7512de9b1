"""The settings about money: the storefront that witnesses it, and the small differences that finance accepts.

Belongs here: names, types and defaults of these two groups, and what all settings of one store share. Stays
out: all other settings (``settings``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from khaos_swap_assets.domain.refunds.payments import PATTERN, PaymentKinds

PREFIX = "KHAOS_SWAP_"


class OfStore(BaseSettings):
    """Settings of one store; ``store`` is its name, empty for the first one."""

    _store: str = PrivateAttr("")
    _others: tuple[str, ...] = PrivateAttr(())

    @property
    def store(self) -> str:
        """With what the store's ids begin."""
        return self._store

    @property
    def others(self) -> tuple[str, ...]:
        """Of the first store: the names of all others, with which none of its own ids may begin."""
        return self._others

    def named(self, store: str, others: Iterable[str] = ()) -> Self:
        """The same for a store of this name."""
        found = self.model_copy()
        found._store, found._others = store, tuple(others)
        return found


class StorefrontSettings(OfStore):
    """How the storefront (Shopify Admin GraphQL) is reached: the witness of the money. Optional."""

    model_config = SettingsConfigDict(
        env_prefix=f"{PREFIX}STOREFRONT_", hide_input_in_errors=True, env_ignore_empty=True
    )

    url: str = Field("", description="Base URL of the shop; empty: not connected, and Swap's word stands for the money")
    access_token: SecretStr = Field(SecretStr(""), description="Admin API token, sent as X-Shopify-Access-Token")
    webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Client secret of the app whose webhooks come to /webhooks/storefront; empty: polling alone",
    )
    webhook_secret_previous: SecretStr = Field(SecretStr(""), description="The secret before it, valid during rotation")
    api_version: str = Field("2026-10", pattern=r"^(\d{4}-\d{2}|unstable)$", description="Version of the Admin API")
    page_size: int = Field(50, ge=1, le=250, description="Orders a page; shrinks by itself where that is too dear")
    nested_size: int = Field(10, ge=1, le=100, description="Payments and lines of one refund in the first answer")
    overlap_minutes: int = Field(60, ge=0, le=10080, description="How far a reading reaches back before the last one")
    poll_minutes: int = Field(5, ge=0, le=1440, description="Shortest time between two looks for refunds")
    pay_days: int = Field(3, ge=0, le=90, description="Days between Swap's date and the money until they are apart")
    payouts: bool = Field(False, description="Read the payouts of Shopify Payments too; needs scopes of their own")
    payout_minutes: int = Field(240, ge=0, le=1440, description="Shortest time between two looks for payouts")
    payout_days: int = Field(
        7, ge=1, le=90, description="Days after a payment within which a payout of its provider must hold it"
    )
    payment_kinds: str = Field(
        "",
        pattern=PATTERN,
        description="Comma list of gateway:money, gateway:gift_card or gateway:store_credit, for names not in our list",
    )
    stock_master: Literal["khaos", "storefront"] = Field(
        "khaos",
        description="Whose stock counts: khaos, and nothing is to be restocked in the storefront; or the storefront's",
    )
    timeout_seconds: float = Field(30.0, gt=0, le=300, description="Longest wait for one answer")
    retries: int = Field(6, ge=0, le=10, description="Repeats after throttling, 429, 5xx or a timeout")

    @property
    def kinds(self) -> PaymentKinds:
        """Which gateways are money, gift cards and store credit."""
        return PaymentKinds.of(self.payment_kinds)

    @property
    def reads_payouts(self) -> bool:
        """True where its payouts are read."""
        return self.is_connected and self.payouts

    @property
    def webhook_keys(self) -> list[bytes]:
        """The secrets that may sign a webhook."""
        given = (self.webhook_secret, self.webhook_secret_previous)
        return [secret.encode() for one in given if (secret := one.get_secret_value())]

    @property
    def is_connected(self) -> bool:
        """True where the storefront is asked at all."""
        return bool(self.url.strip())


class ToleranceSettings(BaseSettings):
    """Which small differences finance accepts (FINANCE_RULES U-20). Our own documents are exact: never one of them."""

    model_config = SettingsConfigDict(
        env_prefix=f"{PREFIX}TOLERANCE_", hide_input_in_errors=True, env_ignore_empty=True
    )

    line_pence: int = Field(1, ge=0, le=100, description="Most pence a line of the Credit Note")
    document_pence: int = Field(5, ge=0, le=1000, description="Most pence a return, whatever its lines")
    month_pence: int = Field(2500, ge=0, le=1_000_000, description="Most pence accepted in a London month and currency")
    least_for_direction: int = Field(
        20, ge=2, le=10_000, description="Differences of a month from which all having one sign is no coincidence"
    )
    needs_evidence: bool = Field(
        True, description="Let be only what price and units of a line show to be rounding; false: whatever is as small"
    )
    reasons: str = Field(
        "rounding:5:rounding differences",
        pattern=r"^([a-z]+:\d{1,4}:[^,:]{1,60}(,[a-z]+:\d{1,4}:[^,:]{1,60})*)?$",
        description="Comma list of reason:most pence a return:ledger account; a reason not named is never accepted",
    )
