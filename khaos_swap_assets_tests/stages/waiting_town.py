"""A town with two returns to credit, and how its days must end whatever happened.

Belongs here: that end. Stays out: what happens to the town, and the town itself (``town``).
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import StoreAwayError
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.stages.town import Town, a_return


class WaitingTown(Town):
    """Its settings name the database."""

    is_like_a_run = False

    @property
    def tools(self) -> Toolbox:
        if not self.is_like_a_run:
            return super().tools
        return replace(super().tools, open_store=lambda: database.connect(self.url, application="dagster"))

    @classmethod
    def at(cls, url: str) -> WaitingTown:
        town = cls(url)
        town.with_settings(database_url=SecretStr(url))
        town.sells_and_takes_back(a_return(1), a_return(2))
        return town

    def fails(self) -> str:
        """What a run says that cannot go on: one line. Its connections are new ones, as a run's are."""
        self.is_like_a_run = True
        with pytest.raises(StoreAwayError) as caught:
            self.sync()
        self.is_like_a_run = False
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def goes_on(self) -> None:
        """From here on everything comes to its end, each return once, and nothing is blamed on a return."""
        for _ in range(3):
            self.sync()
            self.pull()
        credited = sorted((note.associated_ref, note.gross_pence) for note in self.khaos.notes.values())
        assert credited == [("RMA1", 1000), ("RMA2", 1000)]
        assert self.ask("SELECT state, times_handed_out FROM recon.postings") == [("confirmed", 1)] * 2
        assert self.ask("SELECT status FROM recon.reconciliation") == [("matched",)] * 2
        assert (self.kinds(), self.ask("SELECT * FROM recon.setbacks")) == ({}, [])
