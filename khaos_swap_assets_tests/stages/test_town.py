"""One return through every stage: the way that the other tests bend."""

from __future__ import annotations

from khaos_swap_assets_tests.stages.town import Town, a_return


def test_a_refund_becomes_one_issued_credit_note_and_a_unit_on_the_shelf(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    assert town.sync().outcomes == {"planned": 1}
    (note,) = town.pull()
    assert (note.associated_ref, note.gross_pence, note.customer_code) == ("RMA1", 1000, "C1")
    assert town.pull() == []
    assert town.sync().outcomes == {"confirmed": 1}
    town.sync()
    assert town.ask("SELECT status, credited_pence, issued_pence, gap_pence FROM recon.reconciliation") == [
        ("matched", 1000, 1000, 0)
    ]
    assert town.ask("SELECT state, level_verdict FROM recon.stock_moves") == [("confirmed", "confirmed")]
    assert town.kinds() == {}


def test_a_run_without_news_changes_nothing(town: Town) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2))
    for _ in range(3):
        town.sync()
        town.pull()
    town.sync()
    before = town.ask("SELECT * FROM recon.postings ORDER BY 1"), town.ask("SELECT * FROM recon.audit_log ORDER BY 1")
    town.sync()
    town.pull()
    assert (
        town.ask("SELECT * FROM recon.postings ORDER BY 1"),
        town.ask("SELECT * FROM recon.audit_log ORDER BY 1"),
    ) == before
    assert town.one("SELECT count(*) FROM recon.worklist") == 0
