"""The interface of the sandbox's Khaos: its operations, their parameters, and the structs of its answers.

Belongs here: names and types alone (khaos.md §5.1, §6, §7), from which the WSDL is written and the wire is typed, so
that they cannot differ. Stays out: what an operation does (``khaos_server``).
A type is one of XML Schema, a struct of ``STRUCTS``, or such a struct followed by ``[]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

INTERFACE = "urn:IKosWebIntf-IKosWeb"
TYPES = "urn:IKosWebIntf"


@dataclass(frozen=True)
class Operation:
    """The type of an answer, and the types of the parameters in their order."""

    answer: str
    parameters: Mapping[str, str] = field(default_factory=dict)


OPERATIONS: Mapping[str, Operation] = {
    "GetVersion": Operation("string"),
    "GetSiteList": Operation("TSiteList"),
    "GetStockList": Operation("TStockList", {"DateType": "int", "DateValue": "dateTime", "StockItemType": "int"}),
    "ExportStock": Operation("string", {"StockCode": "string", "MappingType": "int", "LastUpdated": "dateTime"}),
    "ExportStockStatus": Operation(
        "string",
        {
            "StockCode": "string",
            "MappingType": "int",
            "LastUpdated": "dateTime",
            "SiteID": "int",
            "PotentialLeadTime": "int",
        },
    ),
    "ExportOrderStatusEx": Operation(
        "string",
        {
            "IDs": "string",
            "MappingType": "int",
            "WebOnly": "boolean",
            "ConfirmedOnly": "boolean",
            "IncludeTracking": "boolean",
            "IncludeCancelled": "boolean",
            "DateFrom": "dateTime",
            "DateTo": "dateTime",
            "InvoiceStageIDs": "string",
            "ShowItems": "boolean",
        },
    ),
    "ExportOrders": Operation("string", {"OrderCode": "string", "MappingType": "int"}),
    "ImportStockStatus": Operation(
        "TStockList", {"StockStatus": "string", "UpdateStockData": "boolean", "UpdateStockLevels": "boolean"}
    ),
    "GetCompanyInfo": Operation("TCompanyInfo[]", {"CompanyCode": "string", "MappingType": "int"}),
}
WRITING = frozenset({"ProcessReturn", "CancelOrder", "ImportStockStatus"})
"""Operations whose answer may be lost after they did what they do."""
OPTIONAL: Mapping[str, Operation] = {
    "ProcessReturn": Operation("string", {"ReturnCode": "string", "ManualAuthCode": "string"}),
    "CancelOrder": Operation("string", {"OrderCode": "string", "AssociatedRef": "string"}),
}
SWITCH_OF: Mapping[str, str] = {"ProcessReturn": "process_return", "CancelOrder": "cancel_order"}
"""The switch by which an installation has each."""

STRUCTS: Mapping[str, Mapping[str, str]] = {
    "TSite": {"SiteID": "int", "SiteName": "string"},
    "TSiteList": {"CurrentSiteID": "int", "List": "TSite[]"},
    "TStockListItem": {
        "StockCode": "string",
        "OtherRef": "string",
        "StockDesc": "string",
        "ParentCode": "string",
        "ParentOtherRef": "string",
        "LastUpdated": "dateTime",
    },
    "TStockList": {"Count": "int", "List": "TStockListItem[]"},
    "TCompanyInfo": {
        "CompanyCode": "string",
        "CompanyName": "string",
        "OtherRef": "string",
        "HideCompany": "boolean",
        "CreditLimit": "decimal",
        "CreditUnallocated": "decimal",
        "CurrencyCode": "string",
        "CreditStop": "boolean",
        "PaysVAT": "boolean",
    },
}


def answer_type(operation: str) -> str:
    """The type of an operation's answer."""
    return {**OPERATIONS, **OPTIONAL}[operation].answer
