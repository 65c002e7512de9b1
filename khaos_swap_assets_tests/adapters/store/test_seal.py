"""Tests of sealing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.store.seal import Sealer

PARTY = {"Forename": "Zoë", "Addr1": "1 Low Lane", "Postcode": "LS1 1AA"}
OLD, NEW = Sealer.new_key(), Sealer.new_key()
OLD_SEALER = Sealer(SecretStr(OLD))


def text() -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(text(), text() | st.integers() | st.none() | st.booleans()))
def test_what_is_sealed_comes_back(mapping: dict[str, object]) -> None:
    assert OLD_SEALER.unseal(OLD_SEALER.seal(mapping)) == mapping


def test_the_sealed_bytes_show_nothing_and_differ_each_time() -> None:
    first, second = OLD_SEALER.seal(PARTY), OLD_SEALER.seal(PARTY)
    assert first != second
    assert b"Low Lane" not in first


def test_a_changed_key_still_opens_the_old_and_seals_with_the_new() -> None:
    both = Sealer(SecretStr(f"{NEW}, {OLD}"))
    assert both.unseal(OLD_SEALER.seal(PARTY)) == PARTY
    assert Sealer(SecretStr(NEW)).unseal(both.seal(PARTY)) == PARTY


def test_another_key_says_which_setting_to_correct() -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_SEAL_KEY does not open"):
        Sealer(SecretStr(NEW)).unseal(OLD_SEALER.seal(PARTY))


def test_a_changed_byte_is_noticed() -> None:
    sealed = bytearray(OLD_SEALER.seal(PARTY))
    sealed[20] ^= 1
    with pytest.raises(SettingsError):
        OLD_SEALER.unseal(bytes(sealed))


@pytest.mark.parametrize("key", ["", " , ", "hunter2", "é" * 44, f"{OLD},hunter2", OLD[:-2]], ids=range(6))
def test_a_bad_key_names_the_setting_and_not_the_key(key: str) -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_SEAL_KEY") as caught:
        Sealer(SecretStr(key))
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
