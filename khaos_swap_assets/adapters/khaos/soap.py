"""One call of the Khaos web service: envelope out, answer in.

Belongs here: joining ``envelope`` to ``adapters.http``: path, action, faults under any status, repeats of cut-off
answers. Stays out: methods and their parameters (``client``). Source: contracts/khaos.md §5.1, §5.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
from lxml import etree

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TooLargeError, TransientError
from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.khaos import envelope
from khaos_swap_assets.adapters.khaos.envelope import Answer, KhaosFault, Param, UnusableDocumentError
from khaos_swap_assets.adapters.khaos.stock import changed_codes

PATH = "/soap/IKosWeb"
Heard = TypeVar("Heard")


@dataclass(frozen=True)
class Soap:
    """The web service behind ``http``, whose base URL ends with the ``.exe``."""

    http: Http

    def ask(self, method: str, params: Mapping[str, Param] | None = None) -> Answer:
        """Call a method that changes nothing. It is repeated when the answer is lost or cut off.

        Raises ``KhaosFault``, ``UnusableDocumentError``, ``PermanentError`` or ``TransientError``.
        """
        roots: list[etree._Element] = []
        try:
            self.http.read(
                "POST",
                PATH,
                content=envelope.request(method, params or {}),
                headers=_headers(method),
                accept=_is_fault,
                check=lambda answer: roots.append(envelope.parse(answer.content)),
            )
        except TooLargeError as error:
            raise UnusableDocumentError(str(error)) from None
        return Answer(roots[-1], method)

    def ask_document(self, method: str, params: Mapping[str, Param] | None = None) -> etree._Element | None:
        """The XML document in the string that the method answers with; None when the string is blank."""
        return envelope.document(self.ask(method, params).text())

    def change(self, method: str, params: Mapping[str, Param]) -> str:
        """Call a method that changes something, once; gives its text.

        Raises ``KhaosFault`` when it was answered with a fault, ``TransientError`` when it was certainly not sent,
        ``InDoubtError`` when it may have happened.
        """
        return self._changed(method, params, Answer.text)

    def change_list(self, method: str, params: Mapping[str, Param]) -> list[str]:
        """``change`` for a method that answers with the Stock Codes that it changed."""
        return self._changed(method, params, lambda answer: changed_codes(answer.value()))

    def _changed(self, method: str, params: Mapping[str, Param], read: Callable[[Answer], Heard]) -> Heard:
        answer = self.http.write(
            "POST", PATH, content=envelope.request(method, params), headers=_headers(method), accept=_is_fault
        )
        try:
            return read(Answer(envelope.parse(answer.content), method))
        except KhaosFault:
            raise
        except (PermanentError, TransientError) as error:
            raise InDoubtError(f"{method}: {error}; it may or may not have happened") from None


def _headers(method: str) -> dict[str, str]:
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{envelope.NAMESPACE}#{method}"'}


def _is_fault(answer: httpx.Response) -> bool:
    return answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR and envelope.is_fault(answer.content)
