"""The settings of the routes that carry stock adjustments into Khaos. None is on by itself.

Belongs here: names, types and defaults of this group, and what it must hold together. Stays out: all other settings
(``settings``), what the sample must say (``files.adjustments``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings_money import PREFIX

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.settings import Settings


class StockSettings(BaseSettings):
    """How units that no document moves come into Khaos (contracts/khaos.md §7.3, §11.4)."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}STOCK_", hide_input_in_errors=True, env_ignore_empty=True)

    route: Literal["task", "file", "level"] = Field(
        "task",
        description="Who adjusts stock that no document moves: task, people by hand; file, people import a file "
        "(needs warehouse control in Khaos); level, we set the level, in mode post (not with warehouse control)",
    )
    file_sample: Path | None = Field(
        None, description="Your own sample of the import screen: its headings, then a row that names our fields"
    )
    file_folder: Path | None = Field(None, description="Folder where files for the import screen are put")
    file_minutes: int = Field(60, ge=1, le=10080, description="Shortest time between two of these files")


def require(settings: Settings) -> None:
    """Raise ``SettingsError`` with one line for each fault of the group."""
    if faults := list(_faults(settings.stock, settings.khaos.is_cloud)):
        raise SettingsError("\n".join(faults))


def _faults(stock: StockSettings, is_cloud: bool) -> Iterator[str]:
    if stock.route == "file" and not (stock.file_sample and stock.file_folder):
        yield f"{PREFIX}STOCK_ROUTE: file needs {PREFIX}STOCK_FILE_SAMPLE and {PREFIX}STOCK_FILE_FOLDER too"
    if stock.route == "level" and is_cloud:
        yield f"{PREFIX}STOCK_ROUTE: level needs the web service, which Khaos Cloud has not"
    if stock.file_folder and not stock.file_folder.is_dir():
        yield f"{PREFIX}STOCK_FILE_FOLDER: {stock.file_folder} is no folder"
    if stock.file_sample:
        from khaos_swap_assets.adapters.files.adjustments import load_sample

        try:
            load_sample(stock.file_sample)
        except SettingsError as error:
            yield f"{PREFIX}STOCK_FILE_SAMPLE: {error}"
