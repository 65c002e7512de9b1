"""The settings of runs that are worked on by other machines.

Belongs here: names, types and defaults of this group. Stays out: all other settings (``settings``).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from khaos_swap_assets.adapters.settings_money import PREFIX


class RunSettings(BaseSettings):
    """Where runs are sent to. Without a broker each merchant's code server starts its own."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}RUNS_", hide_input_in_errors=True, env_ignore_empty=True)

    broker_url: SecretStr = Field(
        SecretStr(""),
        description="Redis of a house of many merchants, redis://:PASSWORD@HOST:6379/0, by which runs reach workers on "
        "other machines; empty: runs stay on this one",
    )
    at_once: int = Field(3, ge=1, le=16, description="Most runs of one merchant at once on one machine of workers")

    @property
    def are_sent(self) -> bool:
        """Whether runs are worked on elsewhere."""
        return bool(self.broker_url.get_secret_value())

    @field_validator("broker_url")
    @classmethod
    def _is_redis(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if value.get_secret_value() and not (parts.scheme in ("redis", "rediss") and parts.hostname):
            raise ValueError("must be redis://:PASSWORD@HOST:6379/0, or rediss:// for TLS")
        return value
