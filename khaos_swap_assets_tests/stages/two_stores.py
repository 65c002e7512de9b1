"""A town with two Swap stores that number alike, and one Khaos.

Belongs here: the second store, and its twin of a return. Stays out: expectations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.settings_stores import Store
from khaos_swap_assets.adapters.settings_swap import SwapSettings
from khaos_swap_assets.adapters.swap.client import SwapClient
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.records.stores import OrderNaming, qualified
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.stages.town import Swap, Town, a_return, an_order, some_settings

OUTLET = "outlet"


def twin(number: int = 1, **changes: Any) -> Return:
    """The outlet's return of the same RMA, order number and goods, as the outlet's adapter hands it up."""
    main = a_return(number, **changes)
    lines = tuple(replace(line, return_id=qualified(OUTLET, main.return_id)) for line in main.lines)
    return replace(
        main, lines=lines, store=OUTLET, store_id="S2", return_id=qualified(OUTLET, main.return_id),
        rma=qualified(OUTLET, main.rma), order_name=qualified(OUTLET, main.order_name),
        order_id=qualified(OUTLET, main.order_id),
    )  # fmt: skip


@dataclass
class TwoStores(Town):
    """The first store is ``swap``; orders of the outlet are called OUT… in Khaos."""

    outlet: Swap = field(default_factory=Swap)
    outlet_format: str = "OUT{0}"

    def __post_init__(self) -> None:
        self.settings = self._with_outlet()

    def _with_outlet(self) -> Settings:
        settings = some_settings()
        swap = SwapSettings(store_id="S2").named(OUTLET)
        naming = OrderNaming(OUTLET, self.outlet_format)
        settings.swap = settings.swap.named("", [OUTLET])
        settings._further = (Store(OUTLET, swap, StorefrontSettings().named(OUTLET), naming),)
        return settings

    @property
    def tools(self) -> Toolbox:
        return replace(super().tools, open_swap_of=self._swap_of)

    def _swap_of(self, settings: SwapSettings) -> SwapClient:
        return cast(SwapClient, self.outlet if settings.store else self.swap)

    def sells(self, number: int = 1, *, customers: tuple[str, str] = ("C1", "C1")) -> None:
        """Sell the same to a customer of each store, under the same order number."""
        main, outlet = customers
        self.khaos.sell(
            an_order(number, customer_code=main),
            an_order(number, so_code=f"SX{number}", associated_ref=f"OUTLX{number}", customer_code=outlet),
        )
