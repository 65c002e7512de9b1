from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.khaos.chunks import MOST_SILENT, addressable, gather
from khaos_swap_assets.adapters.khaos.envelope import KhaosFault, UnusableDocumentError
from khaos_swap_assets.adapters.khaos.wire import RefusedKey, Rows


class Khaos:
    """Echoes keys; a call that holds a bad one is refused as a whole."""

    def __init__(self, bad: set[str], error: Exception | None = None) -> None:
        self.bad, self.error = bad, error
        self.calls: list[list[str]] = []

    def __call__(self, keys: Sequence[str]) -> Rows[str]:
        self.calls.append(list(keys))
        if self.bad & set(keys):
            raise self.error or KhaosFault("ExportStock", "access violation")
        return list(keys), []


def keys(count: int) -> list[str]:
    return [f"K{number}" for number in range(count)]


def test_keys_travel_in_chunks_and_once() -> None:
    khaos = Khaos(set())
    assert gather([*keys(7), "K0"], 3, khaos) == (keys(7), [])
    assert [len(call) for call in khaos.calls] == [3, 3, 1]


def test_nothing_asked_is_no_call() -> None:
    khaos = Khaos(set())
    assert gather([], 50, khaos) == ([], [])
    assert khaos.calls == []


@pytest.mark.parametrize("error", [KhaosFault("M", "boom"), UnusableDocumentError("no XML")])
def test_a_refused_chunk_is_split_down_to_the_bad_key(error: Exception) -> None:
    khaos = Khaos({"K3"}, error)
    rows, faults = gather(keys(8), 8, khaos)
    assert rows == [key for key in keys(8) if key != "K3"]
    assert faults == [RefusedKey("K3", str(error))]
    assert len(khaos.calls) == 7


def test_keys_that_a_comma_list_cannot_carry_are_faults() -> None:
    good, faults = addressable(["A", "B,C", "", " ", "A"])
    assert good == ["A"]
    assert [fault.subject for fault in faults] == ["B,C", "", " "]
    khaos = Khaos(set())
    gather(["B,C"], 50, khaos)
    assert khaos.calls == []


def test_an_outage_is_no_fault_of_the_keys() -> None:
    khaos = Khaos(set(keys(50)), TransientError("down"))
    with pytest.raises(TransientError):
        gather(keys(50), 50, khaos)
    assert len(khaos.calls) == MOST_SILENT
    with pytest.raises(TransientError):
        gather(keys(2), 50, Khaos(set(keys(2)), TransientError("down")))
    with pytest.raises(PermanentError, match="401"):
        gather(keys(3), 50, Khaos({"K1"}, PermanentError("401")))


def test_nobody_there_is_asked_once() -> None:
    error = TransientError("refused")
    error.place = "khaos:443"
    khaos = Khaos(set(keys(50)), error)
    with pytest.raises(TransientError):
        gather(keys(50), 50, khaos)
    assert len(khaos.calls) == 1


@pytest.mark.parametrize("number", [0, 17, 49])
def test_a_key_about_which_khaos_is_silent_loses_itself_alone(number: int) -> None:
    khaos = Khaos({f"K{number}"}, TransientError("no answer in time"))
    rows, faults = gather(keys(50), 50, khaos)
    assert len(rows) == 49
    assert faults == [RefusedKey(f"K{number}", "no answer in time")]
    assert len(khaos.calls) < 15


def test_a_khaos_that_answers_nothing_stops_the_reading() -> None:
    with pytest.raises(PermanentError, match=r"none of 6 keys.*access violation"):
        gather(keys(6), 50, Khaos(set(keys(6))))


@given(st.integers(0, 40), st.sets(st.integers(0, 39), max_size=4), st.integers(1, 50))
def test_every_key_comes_back_exactly_once(count: int, bad: set[int], size: int) -> None:
    refused = {f"K{number}" for number in bad}
    rows, faults = gather(keys(count), size, Khaos(refused))
    assert sorted([*rows, *(fault.subject for fault in faults)]) == sorted(keys(count))
    assert {fault.subject for fault in faults} == refused & set(keys(count))
