from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox.channel import FIRST_CONTACT, Channel, gateway_client
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, Gateway, document, small_books

FIRST, SECOND = document(reference="A"), document(reference="B")


def opened(*pages: list[dict[str, object]]) -> tuple[Books, Gateway, Channel]:
    """A channel whose gateway gives these pages, one after the other, with tokens ks1.1, ks1.2, ..."""
    books, gateway = small_books(), Gateway()
    tokens = [FIRST_CONTACT, *(f"ks1.{number}" for number in range(1, len(pages) + 1))]
    gateway.pages = {tokens[at]: (page, tokens[at + 1]) for at, page in enumerate(pages)}
    client = gateway_client("http://gateway", "khaos", "secret", gateway.transport())
    return books, gateway, Channel(books, client)


def references(books: Books) -> list[str]:
    return [note.associated_ref for note in books.world.notes.values()]


def tokens(gateway: Gateway) -> list[str]:
    return [token for token, _ in gateway.pulls]


def test_each_pull_sends_the_token_of_the_last_answer() -> None:
    books, gateway, channel = opened([FIRST], [SECOND])
    assert [channel.pull().imported for _ in range(3)] == [1, 1, 0]
    assert references(books) == ["A", "B"]
    assert tokens(gateway) == [FIRST_CONTACT, "ks1.1", "ks1.2"]


def test_the_token_survives_a_restart_of_the_channel() -> None:
    books, gateway, channel = opened([FIRST], [SECOND])
    channel.pull()
    client = gateway_client("http://gateway", "khaos", "secret", gateway.transport())
    assert Channel(books, client).pull().imported == 1
    assert tokens(gateway)[-1] == "ks1.1"


@pytest.mark.parametrize(
    ("fault", "after_one", "after_two"),
    [
        ("channel_response_lost", [], ["A", "B"]),
        ("channel_lost_acknowledgement", ["A", "B"], ["A", "B", "A", "B"]),
        ("channel_fault_after_commit", ["A"], ["A", "A", "B"]),
    ],
)
def test_a_lost_step_repeats_the_continuation(fault: str, after_one: list[str], after_two: list[str]) -> None:
    books, gateway, channel = opened([FIRST, SECOND])
    books.state.faults.arm(fault)
    first = channel.pull()
    assert (references(books), first.fetched, len(first.problems)) == (after_one, 2, 1)
    channel.pull()
    assert references(books) == after_two
    assert tokens(gateway) == [FIRST_CONTACT, FIRST_CONTACT]


def test_a_duplicate_pull_sends_the_same_continuation_at_once() -> None:
    books, gateway, channel = opened([FIRST])
    books.state.faults.arm("channel_duplicate_pull")
    assert channel.pull().fetched == 2
    assert tokens(gateway) == [FIRST_CONTACT, FIRST_CONTACT]
    assert references(books) == ["A", "A"]


def test_a_retry_names_its_references_in_quotes() -> None:
    books, gateway, channel = opened([FIRST, SECOND])
    books.state.faults.arm("channel_specific_ids")
    channel.pull()
    assert gateway.pulls == [(FIRST_CONTACT, ""), ("ks1.1", '"A,B"')]
    channel.pull()
    assert gateway.pulls[-1] == ("ks1.1", "")


def test_a_gateway_that_is_down_is_a_problem_in_words() -> None:
    books, gateway, channel = opened([FIRST])
    gateway.is_down = True
    done = channel.pull()
    assert (done.fetched, done.imported, len(done.problems)) == (0, 0, 1)
    gateway.is_down = False
    assert channel.pull().imported == 1
    assert references(books) == ["A"]


def test_the_configuration_is_read_once_a_day() -> None:
    books, _, channel = opened()
    channel.pull()
    read_at = books.world.memory["channel_config_read_at"]
    books.world.now += timedelta(hours=23)
    channel.pull()
    assert books.world.memory["channel_config_read_at"] == read_at
    books.world.now += timedelta(hours=1)
    channel.pull()
    assert books.world.memory["channel_config_read_at"] == books.now.isoformat()


def test_stock_is_pushed_only_by_switch_and_only_what_moved() -> None:
    books, gateway, channel = opened()
    assert (channel.push_stock(), gateway.posts) == (0, [])
    books.state.switches["stock_push"] = "on"
    assert channel.push_stock() == 2
    assert [path for path, _ in gateway.posts] == ["/khaos/stock", "/khaos/stock-status"]
    books.world.now += timedelta(hours=1)
    books.world.items[HAT].moved_at = books.now
    assert channel.push_stock() == 1
    assert gateway.posts[-1][1]["Statuses"] == [
        {"StockCode": HAT, "StockID": "7745", "SiteID": 1, "Levels": {"Available": 5}},
        {"StockCode": HAT, "StockID": "7745", "SiteID": 9, "Levels": {"Available": 0}},
    ]


def test_pushes_hold_at_most_a_hundred() -> None:
    books, gateway, channel = opened()
    books.state.switches["stock_push"] = "on"
    jacket = books.world.items[JACKET]
    books.world.items |= {f"X{number}": jacket for number in range(150)}
    channel.push_stock()
    sizes = [len(next(iter(body.values()))) for _, body in gateway.posts]  # type: ignore[arg-type]
    assert max(sizes) == 100
    assert sum(sizes) == 3 * 152


def test_a_failed_push_is_tried_again() -> None:
    books, gateway, channel = opened()
    books.state.switches["stock_push"] = "on"
    gateway.post_status = 500
    assert len(channel.push().problems) == 1
    gateway.post_status = 200
    assert channel.push().problems == ()
    assert books.world.memory["channel_stock_pushed_at"] == books.now.isoformat()
