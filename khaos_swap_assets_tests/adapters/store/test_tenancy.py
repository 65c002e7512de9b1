"""One house a database: refused while one lives, kept over a restart of the server, given time before it is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from khaos_swap_assets.adapters.errors import HouseError
from khaos_swap_assets.adapters.store.tenancy import GRACE_SECONDS, Tenancy

CUT = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'khaos-swap up'"
House = Callable[..., Tenancy]


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    """Makes houses on one database; none is left."""
    made: list[Tenancy] = []

    def make(
        holder: str, sleep: Callable[[float], None] = lambda _: pytest.fail("nobody is to be waited for")
    ) -> Tenancy:
        made.append(Tenancy(database_url, holder, sleep=sleep))
        return made[-1]

    yield make
    for one in made:
        one.leave()


def cut_all(url: str) -> None:
    """As a restart of the server does it."""
    with psycopg.connect(url) as conn:
        conn.execute(CUT)


def test_a_second_house_is_refused_and_told_whose_the_first_is(house: House) -> None:
    first = house("one:/data")
    first.take()
    refused = pytest.raises(
        HouseError, match="has a running `khaos-swap up` already, of one:/data: stop that one first"
    )
    with refused:
        house("two:/data").take()
    first.leave()
    house("two:/data").take()


def test_a_house_that_is_cut_off_takes_its_place_again(house: House, database_url: str) -> None:
    first = house("one:/data")
    first.take()
    assert not first.keep()
    cut_all(database_url)
    assert first.keep()
    with pytest.raises(HouseError, match="already, of one:/data"):
        house("two:/data").take()


def test_a_living_house_has_time_to_come_back_before_another_takes_its_place(house: House, database_url: str) -> None:
    first = house("one:/data")
    first.take()
    cut_all(database_url)
    waits: list[float] = []

    def meanwhile(seconds: float) -> None:
        waits.append(seconds)
        first.keep()

    with pytest.raises(HouseError, match="already, of one:/data"):
        house("two:/data", meanwhile).take()
    assert waits == [GRACE_SECONDS]


def test_the_place_of_a_house_that_does_not_come_back_is_taken_and_it_must_end(house: House, database_url: str) -> None:
    first = house("one:/data")
    first.take()
    cut_all(database_url)
    waits: list[float] = []
    house("two:/data", waits.append).take()
    assert waits == [GRACE_SECONDS]
    with pytest.raises(HouseError, match="already, of two:/data"):
        first.keep()


def test_a_house_that_died_is_not_waited_for_in_its_own_folder(house: House, database_url: str) -> None:
    house("one:/data").take()
    cut_all(database_url)
    house("one:/data").take()
