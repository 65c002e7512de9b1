"""Operations of the sandbox's Khaos that are missing, or that refuse: everything, or whatever holds one record.

Belongs here: one switch an operation, and what it makes of a call. Stays out: the operations (``khaos_server``).
``one_gone``: the first record that is asked about once the switch is set is gone for good; a call is refused whenever
its answer would hold that record, in whatever company.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from khaos_swap_assets.sandbox.khaos_wire import KhaosFaultError
from khaos_swap_assets.sandbox.state import State

VALUES = ("on", "absent", "refused", "one_gone")
OF_OPERATION: Mapping[str, str] = {
    "GetSiteList": "site_list",
    "GetStockList": "stock_list",
    "ExportStock": "stock",
    "ExportStockStatus": "stock_status",
    "ExportOrderStatusEx": "order_status",
    "ExportOrders": "orders",
    "GetCompanyInfo": "company_info",
    "ImportStockStatus": "set_levels",
}
SWITCHES: Mapping[str, tuple[str, ...]] = dict.fromkeys(OF_OPERATION.values(), VALUES)
OPTIONAL = frozenset({"GetSiteList", "GetCompanyInfo", "ImportStockStatus"})
"""Operations that an installation may do without for ever."""
GONE = "Access violation at address 004F8A3C in module 'KhaosSBX.exe'"


def is_absent(state: State, operation: str) -> bool:
    """Whether this installation lacks an operation."""
    return _value(state, operation) == "absent"


def refuse(state: State, operation: str, records: Sequence[str]) -> None:
    """Raise ``KhaosFaultError`` where the operation refuses a call whose answer would hold these records."""
    value = _value(state, operation)
    if value == "refused":
        raise KhaosFaultError("You have no permission to use this method")
    if value == "one_gone" and records and _guilty(state, operation, records[0]) in records:
        raise KhaosFaultError(GONE)


def refused(state: State) -> list[str]:
    """Operations that refuse everything, or are missing."""
    return [name for name in OF_OPERATION if _value(state, name) in ("absent", "refused")]


def gone(state: State) -> dict[str, str]:
    """Operation → the record that it refuses to answer about; operations that nobody asked yet are left out."""
    asked = {name: state.switches.get(f"gone of {name}", "") for name in OF_OPERATION}
    return {name: record for name, record in asked.items() if record and _value(state, name) == "one_gone"}


def _guilty(state: State, operation: str, first: str) -> str:
    return state.switches.setdefault(f"gone of {operation}", first)


def _value(state: State, operation: str) -> str:
    name = OF_OPERATION.get(operation)
    return state.switch(name, VALUES[0]) if name else VALUES[0]
