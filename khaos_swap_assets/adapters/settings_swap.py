"""The settings of Swap.

Belongs here: how it is reached, and the switches for what its contract leaves unknown. Stays out: all other settings
(``settings``).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from khaos_swap_assets.adapters.settings_money import PREFIX, OfStore


class SwapSettings(OfStore):
    """How Swap is reached and the switches for what its contract leaves unknown (contracts/swap.md §1, §2, §9)."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}SWAP_", hide_input_in_errors=True, env_ignore_empty=True)

    url: str = Field("", description="Base URL, e.g. https://api-gateway.swap-os.com/returns-api")
    api_key: SecretStr = Field(SecretStr(""), description="Returns API key, sent as x-api-key")
    store_id: str = Field("", description="Swap store id, opaque")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Webhook secret (whsk_...)")
    webhook_secret_previous: SecretStr = Field(SecretStr(""), description="The secret before it, valid during rotation")
    webhook_skew_seconds: int = Field(60, ge=0, le=300, description="How far Swap's clock may be from ours")
    webhook_success_code: int = Field(200, ge=200, le=204, description="Answer that Swap takes as accepted")
    webhook_hmac_header: str = Field(
        "", pattern=r"^[A-Za-z0-9-]{0,60}$", description="Header with the HMAC-SHA256 of the body; empty asks for none"
    )
    webhook_hmac_key: Literal["whole", "hex"] = Field(
        "whole", description="Key of that HMAC: the whole secret as text, or the bytes of its hex part"
    )
    page_size: int = Field(100, ge=1, le=100, description="Rows a page; Swap allows at most 100")
    poll_seconds: int = Field(30, ge=1, le=3600, description="How often Swap is asked for changes while nothing knocks")
    overlap_minutes: int = Field(120, ge=0, le=10080, description="How far a sweep reaches back before the last one")
    requests_per_second: float = Field(1.0, gt=0, le=100, description="Rate limit of our calls")
    encodes_colons: bool = Field(False, description="Percent-encode colons in dates of the query")
    cost_basis: Literal["line", "unit"] = Field("line", description="Whether a product's cost is the line or one unit")
    date_zone: Literal["UTC", "Europe/London"] = Field("UTC", description="Zone of dates that carry none")
    wide_sweep_days: int = Field(60, ge=1, le=400, description="How far the nightly wide sweep reaches back")
    timeout_seconds: float = Field(20.0, gt=0, le=300, description="Longest wait for one answer")
    retries: int = Field(4, ge=0, le=10, description="Repeats of a GET after 429, 5xx or a timeout")
    kept_statuses: str = Field(
        "Green return,Green-return,Green_return,Return not required",
        description="Comma list of delivery statuses, in any case, that say that the customer keeps the goods",
    )
    kept_tags: str = Field(
        "Green return,Green-return,Green_return,Return not required,Keep the item,Keep item",
        description="Comma list of tags of a return or a line, in any case, that say that the customer keeps the goods",
    )
    writes_quality: bool = Field(
        False, description="In mode post, tell Swap's quality control each finding that the warehouse reported to us"
    )
    processes_by_itself: bool = Field(
        True, description="Swap processes a return once all is approved; until it is paid no finding is told then"
    )
