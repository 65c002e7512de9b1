"""Further stores: what each may set, what it takes from the first, and a line that names store and field."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import Settings, load_settings
from khaos_swap_assets.adapters.settings_checks import require_live

GOOD = {
    "SWAP_URL": "https://api.example/returns-api",
    "SWAP_API_KEY": "key-of-main",
    "SWAP_STORE_ID": "st_1",
    "SWAP_DATE_ZONE": "Europe/London",
    "KHAOS_URL": "https://khaos.example/LiveSoap/KhaosACME.exe",
    "ORDER_REF_FORMAT": "KCC{0}",
    "STORES": "outlet",
    "STORE_OUTLET_SWAP_API_KEY": "key-of-outlet",
    "STORE_OUTLET_SWAP_STORE_ID": "st_2",
    "STORE_OUTLET_ORDER_REF_FORMAT": "OUT{0}",
}
FAULTS = [
    ({"STORES": "Outlet"}, "KHAOS_SWAP_STORES: 'Outlet' must be a small letter and at most 11 more"),
    ({"STORES": "outlet,outlet"}, "KHAOS_SWAP_STORES: outlet is the name of two stores"),
    ({"FIRST_STORE": "outlet"}, "KHAOS_SWAP_STORES: outlet is the name of two stores"),
    ({"FIRST_STORE": "The first"}, "KHAOS_SWAP_FIRST_STORE: String should match pattern"),
    ({"STORE_OUTLET_SWAP_STORE_ID": "ST_1"}, "KHAOS_SWAP_STORE_OUTLET_SWAP_STORE_ID: is KHAOS_SWAP_SWAP_STORE_ID too"),
    ({"STORE_OUTLET_SWAP_STORE_ID": ""}, "KHAOS_SWAP_STORE_OUTLET_SWAP_STORE_ID: is required"),
    ({"STORE_OUTLET_SWAP_API_KEY": ""}, "KHAOS_SWAP_STORE_OUTLET_SWAP_API_KEY: is required"),
    ({"STORE_OUTLET_SWAP_API_KEY": "key\n"}, "KHAOS_SWAP_STORE_OUTLET_SWAP_API_KEY: holds a space at an end"),
    ({"STORE_OUTLET_SWAP_PAGE_SIZE": "101"}, "KHAOS_SWAP_STORE_OUTLET_SWAP_PAGE_SIZE: Input should be less than"),
    ({"STORE_OUTLET_ORDER_REF_FORMAT": "OUT"}, "KHAOS_SWAP_STORE_OUTLET_ORDER_REF_FORMAT: must hold {0} exactly once"),
    ({"STORE_OUTLET_ORDER_NAMES": "#{0},#"}, "KHAOS_SWAP_STORE_OUTLET_ORDER_NAMES: must hold {0} exactly once"),
    ({"STORE_OUTLET_SWAP_URL": "http://api.example"}, "KHAOS_SWAP_STORE_OUTLET_SWAP_URL: must be https"),
    (
        {"STORE_OUTLET_STOREFRONT_URL": "https://shop.example"},
        "KHAOS_SWAP_STORE_OUTLET_STOREFRONT_ACCESS_TOKEN: is required where KHAOS_SWAP_STORE_OUTLET_STOREFRONT_URL",
    ),
    (
        {
            "STOREFRONT_URL": "https://shop.example",
            "STOREFRONT_ACCESS_TOKEN": "token",
            "STORE_OUTLET_STOREFRONT_URL": "https://shop.example/",
            "STORE_OUTLET_STOREFRONT_ACCESS_TOKEN": "token-of-outlet",
        },
        "KHAOS_SWAP_STORE_OUTLET_STOREFRONT_URL: is KHAOS_SWAP_STOREFRONT_URL too",
    ),
    ({"STORE_OUTLET_SWAP_API_KEJ": "1"}, "there is no such setting; did you mean KHAOS_SWAP_STORE_OUTLET_SWAP_API_KEY"),
    ({"STORE_EU_SWAP_API_KEY": "1"}, "KHAOS_SWAP_STORE_EU_SWAP_API_KEY: there is no such setting"),
]
Load = Callable[..., Settings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Good settings of two stores with some changed; an empty one is taken away."""

    def load(**changed: str) -> Settings:
        for name, value in {**GOOD, **changed}.items():
            if value:
                monkeypatch.setenv(f"KHAOS_SWAP_{name}", value)
            else:
                monkeypatch.delenv(f"KHAOS_SWAP_{name}", raising=False)
        settings = load_settings()
        require_live(settings, os.environ)
        return settings

    return load


def test_a_store_has_its_own_and_the_rest_is_the_first_ones(load: Load) -> None:
    main, outlet = load(
        SWAP_WEBHOOK_SECRET="whsk_main", STOREFRONT_URL="https://shop.example", STOREFRONT_ACCESS_TOKEN="token"
    ).by_store
    assert (main.swap.store, outlet.swap.store) == ("", "outlet")
    assert (outlet.swap.url, outlet.swap.date_zone) == (main.swap.url, "Europe/London")
    assert (outlet.swap.api_key.get_secret_value(), outlet.swap.store_id) == ("key-of-outlet", "st_2")
    assert not outlet.swap.webhook_secret.get_secret_value()
    assert not outlet.storefront.is_connected
    assert outlet.storefront.store == "outlet"
    assert main.namings.ref("#1001") == "KCC1001"
    assert outlet.namings.ref("outlet:#1001") == "OUT1001"


def test_one_store_is_as_it_always_was(load: Load) -> None:
    settings = load(STORES="", **{name: "" for name in GOOD if name.startswith("STORE_")})
    assert settings.by_store == [settings]
    assert settings.namings.ref("outlet:#1001") == "KCCoutlet:#1001"


@pytest.mark.parametrize(("changed", "line"), FAULTS)
def test_a_fault_names_store_and_field_and_no_value(load: Load, changed: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(**changed)
    assert line in str(raised.value)
    assert not any("key-of" in text or "token-of" in text for text in str(raised.value).splitlines())
