"""Sweeps: what is asked, how pages are followed, and which paging is not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from khaos_swap_assets.adapters.errors import PermanentError, SettingsError, TransientError
from khaos_swap_assets.adapters.swap import client
from khaos_swap_assets_tests.adapters.swap.rows import STORE, Swap, page, row, settings

MOMENT = datetime(2026, 3, 1, 10, 30, 5, 999, tzinfo=UTC)


def connect(swap: Swap, **changes: Any) -> client.SwapClient:
    return client.connect(settings(**changes), transport=httpx.MockTransport(swap), sleep=lambda seconds: None)


def ids(result: client.SweepResult) -> list[str]:
    return [one.record.return_id for one in result.returns]


def test_all_pages_are_read_in_order() -> None:
    swap = Swap(page([row(1), row(2)], 1, 2, 3), page([row(3)], 2, 2, 3))
    result = connect(swap).changed_since(MOMENT)
    assert ids(result) == ["ret_1", "ret_2", "ret_3"]
    assert (result.pages, result.is_drifted, result.faults) == (2, False, ())
    assert [question["page"] for question in swap.questions] == ["1", "2"]


@pytest.mark.parametrize(
    ("ask", "field", "value"),
    [
        (lambda swap: swap.changed_since(MOMENT), "last_RMA_updated_date", "2026-03-01T10:30:05Z"),
        (lambda swap: swap.submitted_since(MOMENT), "from_return_submission_date", "2026-03-01T10:30:05Z"),
        (lambda swap: swap.by_rma("RMA #1/2&x"), "rma_number", "RMA #1/2&x"),
    ],
)
def test_each_question_names_the_store_one_filter_and_the_page(ask: Any, field: str, value: str) -> None:
    swap = Swap(page([]))
    ask(connect(swap, page_size=50))
    assert swap.questions == [{"swap_store_id": STORE, field: value, "items_per_page": "50", "page": "1"}]
    assert swap.requests[0].url.path == "/returns-api/v2/external/returns"
    assert swap.requests[0].headers["x-api-key"] == "key-123456"


def test_of_a_whole_list_those_wanted_are_kept_and_every_row_counts_against_drift() -> None:
    swap = Swap(page([row(1), row(2)], 1, 2, 4), page([row(3), {"return_id": ""}], 2, 2, 4))
    result = connect(swap).whole(lambda record: record.return_id == "ret_2")
    assert (ids(result), len(result.faults), result.is_drifted) == (["ret_2"], 1, False)
    assert swap.questions[0].keys() == {"swap_store_id", "items_per_page", "page"}
    moved = Swap(page([row(1)], 1, 2, 3), page([row(2)], 2, 2, 3), page([row(1)], 1, 2, 3), page([row(2)], 2, 2, 3))
    assert connect(moved).whole(lambda record: False).is_drifted


def test_a_moment_of_another_zone_is_asked_in_utc() -> None:
    swap = Swap(page([]))
    connect(swap).changed_since(MOMENT.astimezone(timezone(timedelta(hours=5))))
    assert swap.questions[0]["last_RMA_updated_date"] == "2026-03-01T10:30:05Z"


@pytest.mark.parametrize(("encodes", "written"), [(False, b"T10:30:05Z"), (True, b"T10%3A30%3A05Z")])
def test_colons_are_written_as_the_setting_says(encodes: bool, written: bytes) -> None:
    swap = Swap(page([]))
    connect(swap, encodes_colons=encodes).changed_since(MOMENT)
    assert written in swap.requests[0].url.query


def test_a_row_at_fault_loses_only_itself() -> None:
    swap = Swap(page([row(1), row(2, date_closed="Sep"), "nonsense", None, row(3)]))
    result = connect(swap).changed_since(MOMENT)
    assert ids(result) == ["ret_1", "ret_3"]
    assert result.faults[0].subject == "20002"
    assert len(result.faults) == 3
    assert not result.is_drifted


def test_a_body_that_is_cut_off_is_asked_for_again() -> None:
    whole = page([row(1)])
    assert ids(connect(Swap(whole[:200], whole)).changed_since(MOMENT)) == ["ret_1"]


def test_a_body_that_stays_cut_off_names_its_page() -> None:
    swap = Swap(page([row(1)], 1, 2, 2), page([row(2)], 2, 2, 2)[:300])
    with pytest.raises(PermanentError, match=r"page 2: the answer is no whole JSON, 300 bytes"):
        connect(swap).changed_since(MOMENT)
    assert len(swap.requests) == 4, "page 1 once, page 2 once and two repeats"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[]", "no list of returns"),
        ('{"message": "ok"}', "no list of returns"),
        ('{"returns": {}, "pagination": {"has_next_page": false}}', "no list of returns"),
        ('{"returns": []}', "no list of returns"),
        (page([], has_next_page=None), "has_next_page is neither"),
        (page([], has_next_page="false"), "has_next_page is neither"),
        (page([], has_next_page=True, total_pages=9), "page 1: it is empty, yet more"),
        (page([row(1)], has_next_page=True), "page 1: more is said to follow, yet there are 1 pages"),
    ],
)
def test_a_page_that_cannot_be_true_stops_the_sweep(body: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        connect(Swap(body)).changed_since(MOMENT)


def test_a_list_that_never_ends_is_stopped_at_the_page_that_repeats() -> None:
    swap = Swap(page([row(1)], has_next_page=True, total_pages=99, total_items=99))
    with pytest.raises(PermanentError, match="page 2: it repeats an earlier page"):
        connect(swap).changed_since(MOMENT)
    assert len(swap.requests) == 2


def test_an_empty_page_later_on_is_not_believed() -> None:
    swap = Swap(page([row(1)], 1, 3, 3), page([], 2, 3, 3))
    with pytest.raises(PermanentError, match="page 2: it is empty"):
        connect(swap).changed_since(MOMENT)


def test_more_pages_than_any_store_has_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 3)
    swap = Swap(*(page([row(number)], number, 99, 99) for number in range(1, 9)))
    with pytest.raises(PermanentError, match="more than 3 pages"):
        connect(swap).changed_since(MOMENT)


def test_a_list_that_moved_is_read_again_and_both_readings_count() -> None:
    moving = [page([row(1), row(2)], 1, 2, 3), page([row(2), row(3)], 2, 2, 4)]
    still = [page([row(0), row(1)], 1, 2, 4), page([row(2), row(4)], 2, 2, 4)]
    result = connect(Swap(*moving, *still)).changed_since(MOMENT)
    assert sorted(ids(result)) == ["ret_0", "ret_1", "ret_2", "ret_3", "ret_4"]
    assert (result.pages, result.is_drifted) == (4, False)


def test_a_row_lost_between_pages_shows_although_the_total_stood_still() -> None:
    moving = [page([row(1), row(2)], 1, 2, 4), page([row(2), row(4)], 2, 2, 4)]
    still = [page([row(1), row(2)], 1, 2, 4), page([row(3), row(4)], 2, 2, 4)]
    result = connect(Swap(*moving, *still)).changed_since(MOMENT)
    assert sorted(ids(result)) == ["ret_1", "ret_2", "ret_3", "ret_4"]
    assert not result.is_drifted


def test_a_list_that_keeps_moving_is_told_and_not_read_for_ever() -> None:
    moving = [page([row(1)], 1, 2, 2), page([row(2)], 2, 2, 3)]
    swap = Swap(*moving, *moving, *moving)
    assert connect(swap).changed_since(MOMENT).is_drifted
    assert len(swap.requests) == 4


def test_a_return_on_two_pages_counts_once_and_the_newest_wins() -> None:
    old, new = row(1, return_status="Open"), row(1, date_updated="9 Mar 2026, 16:00:00")
    for first, second in ((old, new), (new, old)):
        swap = Swap(page([first, row(2)], 1, 2, 2), page([second], 2, 2, 2))
        result = connect(swap).changed_since(MOMENT)
        assert {one.record.return_id: one.record.status for one in result.returns}["ret_1"] == "Closed"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_waited_out(status: int) -> None:
    swap = Swap(httpx.Response(status), page([row(1)]))
    assert ids(connect(swap).changed_since(MOMENT)) == ["ret_1"]


def test_an_outage_is_transient_and_moves_nothing() -> None:
    swap = Swap(page([row(1)], 1, 2, 2), httpx.Response(503, json={"message": "maintenance"}))
    with pytest.raises(TransientError, match="GET /returns-api/v2/external/returns: 503 maintenance"):
        connect(swap).changed_since(MOMENT)


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "SWAP_API_KEY"), (403, "SWAP_STORE_ID"), (404, "KHAOS_SWAP_SWAP_URL")]
)
def test_a_refusal_says_which_setting_to_look_at(status: int, hint: str) -> None:
    with pytest.raises(PermanentError, match=hint) as caught:
        connect(Swap(httpx.Response(status, json={"message": "key-123456 is wrong"}))).probe()
    assert "key-123456" not in str(caught.value)


def test_the_probe_reads_one_row_and_tells_what_it_saw() -> None:
    swap = Swap(page([row(1)], 1, 40, 40))
    assert connect(swap).probe() == f"Swap answers for store {STORE}: 40 returns in sight"
    assert swap.questions[0]["items_per_page"] == "1"
    assert "cannot be read: date_closed" in connect(Swap(page([row(1, date_closed="Sep")]))).probe()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": ""}, "KHAOS_SWAP_SWAP_URL"),
        ({"api_key": " ", "store_id": ""}, "KHAOS_SWAP_SWAP_API_KEY, KHAOS_SWAP_SWAP_STORE_ID"),
        ({"url": "http://swap.example"}, "must be https"),
        ({"url": "swap.example/returns-api"}, "not a usable"),
    ],
)
def test_settings_at_fault_are_named_before_anything_is_sent(changes: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        client.connect(settings(**changes))


def test_plain_http_is_fine_on_this_machine() -> None:
    client.connect(settings(url="http://127.0.0.1:8080/returns-api"))
