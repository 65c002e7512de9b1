"""What the web service of this customer offers, by its WSDL.

Belongs here: reading the operations and saying what follows where one is missing. Stays out: calling them.
Source: contracts/khaos.md §5.1, §6, §16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.khaos import envelope, writes

PATH = "/wsdl/IKosWeb"
REQUIRED: Mapping[str, str] = {
    "GetStockList": "changed Stock Codes cannot be found",
    "ExportStock": "SKUs cannot be matched to Stock Codes",
    "ExportStockStatus": "nothing can be said about stock coming back",
    "ExportOrderStatusEx": "Credit Notes cannot be seen, so nothing can be reconciled or posted",
    "ExportOrders": "the sold lines are unknown, so no Credit Note can be drafted",
}
OPTIONAL: Mapping[str, str] = {
    "GetSiteList": "sites are shown by number instead of by name",
    "GetCompanyInfo": "whether a Credit Note was allocated cannot be seen; credit_note_unallocated stays silent",
    "ProcessReturn": "a return can only be processed by the flag in its document or by a person in Khaos",
    "ImportStockStatus": "stock adjustments are made by people, or by files for the import screen",
    "CancelOrder": "cancelling an order is a task for a person",
    "AmendOrder": "amending an order is a task for a person",
    "ImportStockTSV": "Stock Codes are corrected by a person in Khaos",
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The operations that the WSDL names, and the names of the parameters of each."""

    operations: frozenset[str]
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has(self, operation: str) -> bool:
        """Whether the service offers an operation."""
        return operation in self.operations

    @property
    def missing(self) -> list[str]:
        """Operations that the main job cannot do without."""
        return [operation for operation in REQUIRED if not self.has(operation)]

    def cancel_parameters(self) -> tuple[str, ...]:
        """Those of ``CancelOrder``. Raises ``PermanentError`` where it is missing, or has one that is not known."""
        names = self.parameters.get(writes.CANCEL, ())
        if not self.has(writes.CANCEL):
            raise PermanentError(f"{writes.CANCEL} is missing from the web service")
        if not writes.cancel_parameters(names, "SO1", "R1"):
            raise PermanentError(f"{writes.CANCEL} asks for parameters that are not known: {', '.join(names)}")
        return names

    def describe(self) -> list[str]:
        """One plain line an operation that we use: offered, or missing and what follows."""
        known = {**REQUIRED, **OPTIONAL}
        return [self._line(operation, consequence) for operation, consequence in known.items()]

    def _line(self, operation: str, consequence: str) -> str:
        return f"{operation}: offered" if self.has(operation) else f"{operation}: missing; {consequence}"


def read(http: Http) -> Capabilities:
    """Read the WSDL. Raises ``PermanentError`` when it names no operation, ``TransientError`` when it is cut off."""
    roots: list[etree._Element] = []
    http.read("GET", PATH, check=lambda answer: roots.append(envelope.parse(answer.content)))
    found = {one.get("name", ""): _parts(one, roots[-1]) for one in roots[-1].iterfind("{*}portType/{*}operation")}
    operations = frozenset(name for name in found if name)
    if not operations:
        raise PermanentError("the WSDL names no operation; is the URL that of the Khaos web service, up to .exe?")
    return Capabilities(operations, found)


def _parts(operation: etree._Element, root: etree._Element) -> tuple[str, ...]:
    """The names of what an operation is asked with, in their order."""
    asked = operation.find("{*}input")
    message = "" if asked is None else (asked.get("message") or "").rpartition(":")[2]
    told = (one for one in root.iterfind("{*}message") if one.get("name") == message)
    return tuple(part.get("name", "") for one in told for part in one.iterfind("{*}part"))
