"""The settings of further stores: a merchant with several Swap stores and one Khaos.

Belongs here: which variables a further store has, and reading them. Stays out: the first store, whose settings are
``SwapSettings`` and ``StorefrontSettings`` as for a merchant with one store, and checks against what else is set
(``settings_checks``). ``KHAOS_SWAP_STORES`` names them; each has its own ``KHAOS_SWAP_STORE_NAME_`` variables. Keys,
secrets, ids and addresses are each store's own; every other setting is the first store's where it has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings_money import PREFIX, StorefrontSettings
from khaos_swap_assets.adapters.settings_swap import SwapSettings
from khaos_swap_assets.domain.records.stores import NAME, OrderNaming, OrderNamings

SECRETS = frozenset({"webhook_secret", "webhook_secret_previous"})
NEVER_SHARED: Mapping[str, frozenset[str]] = {
    "SWAP_": SECRETS | {"api_key", "store_id"},
    "STOREFRONT_": SECRETS | {"url", "access_token"},
}
"""What is a store's own, or not at all."""
ASKING = frozenset({"page_size", "overlap_minutes", "timeout_seconds", "retries"})
OWN: Mapping[str, frozenset[str]] = {
    "": frozenset({"order_ref_format", "strips_order_hash", "order_names"}),
    "SWAP_": NEVER_SHARED["SWAP_"]
    | ASKING
    | {"url", "requests_per_second", "encodes_colons", "cost_basis", "date_zone", "wide_sweep_days"},
    "STOREFRONT_": NEVER_SHARED["STOREFRONT_"] | ASKING | {"api_version", "nested_size", "poll_minutes"},
}
"""What a store may set for itself; the rest says how the merchant works, and is one for all."""

Group = TypeVar("Group", SwapSettings, StorefrontSettings)


def _has_one_placeholder(value: str) -> str:
    if value.count("{0}") != 1:
        raise ValueError("must hold {0} exactly once")
    if set(value.replace("{0}", "")) & set("{}"):
        raise ValueError("must hold no other brace than those of {0}")
    return value


def _are_names(value: str) -> str:
    for one in named(value):
        _has_one_placeholder(one)
    return value


def _are_store_names(value: str) -> str:
    if wrong := [ascii(one) for one in named(value) if not NAME.fullmatch(one)]:
        raise ValueError(f"{', '.join(wrong)} must be a small letter and at most 11 more small letters or digits")
    return value


StoreNames = Annotated[str, AfterValidator(_are_store_names)]
OrderRefFormat = Annotated[str, AfterValidator(_has_one_placeholder)]
OrderNames = Annotated[str, AfterValidator(_are_names)]


class StoreSettings(BaseSettings):
    """How Khaos calls the orders of one further store."""

    model_config = SettingsConfigDict(hide_input_in_errors=True, env_ignore_empty=True)

    order_ref_format: OrderRefFormat = Field("{0}", description="Order Ref. Format of this store's Khaos channel")
    strips_order_hash: bool = Field(True, description="Drop the leading # of this store's order names before matching")
    order_names: OrderNames = Field("", description="Forms of this store's order names, e.g. #OUT{0}")


@dataclass(frozen=True, slots=True)
class Store:
    """One store: its name (empty for the first one), how it and its storefront are reached, and its orders in Khaos."""

    name: str
    swap: SwapSettings
    storefront: StorefrontSettings
    naming: OrderNaming


def named(text: str) -> list[str]:
    """The words of a comma list."""
    return [word for part in text.split(",") if (word := part.strip())]


def prefix_of(store: str) -> str:
    """How the variables of a store begin; those of the first one have no name in them."""
    return f"{PREFIX}STORE_{store.upper()}_" if store else PREFIX


def variable(store: str, name: str) -> str:
    """The variable of a store's setting, e.g. of ``SWAP_API_KEY``."""
    return f"{prefix_of(store)}{name}"


def variables_of(names: Iterable[str]) -> list[str]:
    """Every variable that these further stores may have."""
    fields = [f"{group}{field.upper()}" for group, own in OWN.items() for field in sorted(own)]
    return [variable(name, field) for name in names for field in fields]


def of_store(store: str, lines: Iterable[str]) -> list[str]:
    """Of faults found in a store's settings those of its own variables, by their names."""
    groups = ("SWAP_", "STOREFRONT_")
    begin = tuple(f"{prefix}{group}" for prefix in (PREFIX, prefix_of(store)) for group in groups)
    mine = [line for line in lines if line.startswith(begin)]
    for group in groups:
        mine = [line.replace(f"{PREFIX}{group}", variable(store, group)) for line in mine]
    return mine


def read_stores(text: str, first: Store, first_name: str) -> tuple[Store, ...]:
    """The further stores that ``text`` names. Raises ``SettingsError`` with a line for every fault, without a value."""
    names = named(text)
    faults = list(_twice(names, first_name))
    found: list[Store] = []
    for name in [] if faults else names:
        try:
            found.append(_read(name, first))
        except SettingsError as error:
            faults += str(error).splitlines()
    faults += _alike([first, *found])
    if faults:
        raise SettingsError("\n".join(faults))
    return tuple(found)


def _twice(names: list[str], first_name: str) -> Iterable[str]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1 or name == first_name:
            yield f"{PREFIX}STORES: {name} is the name of two stores; choose another"


def _read(name: str, first: Store) -> Store:
    parts: list[BaseSettings] = []
    faults: list[str] = []
    for kind, group in ((StoreSettings, ""), (SwapSettings, "SWAP_"), (StorefrontSettings, "STOREFRONT_")):
        prefix = variable(name, group)
        try:
            parts.append(kind(_env_prefix=prefix))
        except ValidationError as error:
            faults += faults_of(error, prefix)
    if faults:
        raise SettingsError("\n".join(faults))
    own, swap, shop = parts
    assert isinstance(own, StoreSettings)
    assert isinstance(swap, SwapSettings)
    assert isinstance(shop, StorefrontSettings)
    naming = replace(naming_of(own.order_ref_format, own.order_names, strips_hash=own.strips_order_hash), store=name)
    return Store(
        name, _beside(name, swap, first.swap, "SWAP_"), _beside(name, shop, first.storefront, "STOREFRONT_"), naming
    )  # fmt: skip


def _beside(name: str, own: Group, first: Group, group: str) -> Group:
    """A store's settings: what it sets of its own, else the first store's, but for what is never shared."""
    wanted = (own.model_fields_set & OWN[group]) | NEVER_SHARED[group]
    return first.model_copy(update={field: getattr(own, field) for field in wanted}).named(name)


def naming_of(ref_format: str, names: str, *, strips_hash: bool) -> OrderNaming:
    """The naming of the first store's orders."""
    return OrderNaming("", ref_format, strips_hash, tuple(named(names)))


def faults_of(error: ValidationError, prefix: str) -> list[str]:
    """A line for every fault: variable and reason, no value."""
    return [
        f"{prefix}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_input=False)
    ]


def _alike(stores: list[Store]) -> Iterable[str]:
    """Two stores that are one: each return would be read twice, and money of one shop be looked for in two.

    A secret of two storefronts would not tell whose message it signed.
    """
    taken: dict[str, str] = {}
    for one in stores:
        given = {
            "SWAP_STORE_ID": one.swap.store_id.strip().casefold(),
            "STOREFRONT_URL": one.storefront.url.strip().rstrip("/").casefold(),
            "STOREFRONT_WEBHOOK_SECRET": one.storefront.webhook_secret.get_secret_value(),
        }
        for name, value in given.items():
            mine = variable(one.name, name)
            if value and (other := taken.setdefault(f"{name} {value}", mine)) != mine:
                yield f"{mine}: is {other} too; each store has its own"


class HasStores(BaseSettings):
    """Settings that know the further stores, once ``with_stores`` has read them."""

    if TYPE_CHECKING:
        stores: str
        first_store: str
        order_ref_format: str
        strips_order_hash: bool
        order_names: str
        swap: SwapSettings
        storefront: StorefrontSettings

    _further: tuple[Store, ...] = PrivateAttr(())

    @property
    def by_store(self) -> list[Self]:
        """These settings as each store has them, the first store's first."""
        return [self, *(self._of(one) for one in self._further)]

    @property
    def has_several_stores(self) -> bool:
        """True where the merchant has more than one Swap store."""
        return bool(self._further)

    def name_of(self, store: str) -> str:
        """What people call a store; nothing where there is but one."""
        return (store or self.first_store) if self.has_several_stores else ""

    @property
    def store_names(self) -> dict[str, str]:
        """Each store as our tables have it, by what people call it, the first one's first."""
        return {one.swap.store or self.first_store: one.swap.store for one in self.by_store}

    @property
    def connected(self) -> frozenset[str]:
        """The stores whose storefront is connected."""
        return frozenset(one.swap.store for one in self.by_store if one.storefront.is_connected)

    @property
    def namings(self) -> OrderNamings:
        """How the orders of every store are called in Khaos."""
        return OrderNamings([self._first.naming, *(one.naming for one in self._further)])

    @property
    def _first(self) -> Store:
        naming = naming_of(self.order_ref_format, self.order_names, strips_hash=self.strips_order_hash)
        return Store("", self.swap, self.storefront, naming)

    def with_stores(self) -> Self:
        """The same with the further stores that they name. Raises ``SettingsError`` with a line for every fault."""
        further = read_stores(self.stores, self._first, self.first_store)
        names = [one.name for one in further]
        own = {"swap": self.swap.named("", names), "storefront": self.storefront.named("", names)}
        found = self.model_copy(update=own)
        found._further = further
        return found

    def _of(self, store: Store) -> Self:
        return self.model_copy(update={"swap": store.swap, "storefront": store.storefront})
