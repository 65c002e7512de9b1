"""What preflight finds of a further store is told with its name and its variables."""

from __future__ import annotations

import pytest

from khaos_swap_assets.adapters.settings import Settings, SwapSettings
from khaos_swap_assets.preflight.vendors import examine

NOWHERE = "http://127.0.0.1:9"


def test_a_store_that_is_away_is_named_with_what_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SWAP_STORE_ID": "st_2", "SWAP_API_KEY": "key-of-outlet"}.items():
        monkeypatch.setenv(f"KHAOS_SWAP_STORE_OUTLET_{name}", value)
    swap = SwapSettings.model_validate({"url": NOWHERE, "store_id": "st_1", "api_key": "key", "retries": 0})
    told = [str(one) for one in examine(Settings(swap=swap, stores="outlet").with_stores())]
    assert any("Swap: 127.0.0.1:9 cannot be reached" in line and "KHAOS_SWAP_SWAP_URL" in line for line in told)
    assert any(
        "Swap of outlet: 127.0.0.1:9 cannot be reached" in line and "KHAOS_SWAP_STORE_OUTLET_SWAP_URL" in line
        for line in told
    )
    assert any("storefront of outlet" in line for line in told)
    assert not any("key-of-outlet" in line for line in told)
