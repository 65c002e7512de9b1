"""The WSDL that the sandbox's Khaos publishes: which operations this installation has.

Belongs here: operations, their parameters and the document around them (khaos.md §5.1, §6). Stays out: what they do.
Optional operations are absent from the document when their switch is off.
"""

from __future__ import annotations

from collections.abc import Mapping

from khaos_swap_assets.sandbox.khaos_wire import INTERFACE, escape

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "GetVersion": (),
    "GetSiteList": (),
    "GetStockList": ("DateType", "DateValue", "StockItemType"),
    "ExportStock": ("StockCode", "MappingType", "LastUpdated"),
    "ExportStockStatus": ("StockCode", "MappingType", "LastUpdated", "SiteID", "PotentialLeadTime"),
    "ExportOrderStatusEx": (
        "IDs",
        "MappingType",
        "WebOnly",
        "ConfirmedOnly",
        "IncludeTracking",
        "IncludeCancelled",
        "DateFrom",
        "DateTo",
        "InvoiceStageIDs",
        "ShowItems",
    ),
    "ExportOrders": ("OrderCode", "MappingType"),
    "GetCompanyInfo": ("CompanyCode", "MappingType"),
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {"ProcessReturn": ("ReturnCode", "ManualAuthCode")}


def wsdl(address: str, operations: Mapping[str, tuple[str, ...]]) -> str:
    """The document for the service at ``address`` with these operations and their parameters."""
    parts = "".join(map(_messages, operations, operations.values()))
    ports = "".join(map(_port_operation, operations))
    bindings = "".join(map(_binding_operation, operations))
    return (
        '<?xml version="1.0" encoding="utf-8"?><definitions xmlns="http://schemas.xmlsoap.org/wsdl/" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        f'xmlns:tns="{INTERFACE}" name="IKosWebservice" targetNamespace="{INTERFACE}">'
        f'{parts}<portType name="IKosWeb">{ports}</portType><binding name="IKosWebbinding" type="tns:IKosWeb">'
        f'<soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>{bindings}</binding>'
        '<service name="IKosWebservice"><port name="IKosWebPort" binding="tns:IKosWebbinding">'
        f'<soap:address location="{escape(address)}"/></port></service></definitions>'
    )


def _messages(name: str, parameters: tuple[str, ...]) -> str:
    parts = "".join(f'<part name="{parameter}" type="xs:string"/>' for parameter in parameters)
    answer = '<part name="return" type="xs:string"/>'
    return f'<message name="{name}Request">{parts}</message><message name="{name}Response">{answer}</message>'


def _port_operation(name: str) -> str:
    messages = f'<input message="tns:{name}Request"/><output message="tns:{name}Response"/>'
    return f'<operation name="{name}">{messages}</operation>'


def _binding_operation(name: str) -> str:
    body = (
        f'<soap:body use="encoded" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" namespace="{INTERFACE}"/>'
    )
    action = f'<soap:operation soapAction="{INTERFACE}#{name}" style="rpc"/>'
    return f'<operation name="{name}">{action}<input>{body}</input><output>{body}</output></operation>'
