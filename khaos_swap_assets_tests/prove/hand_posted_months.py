"""Months of the sandbox that staff posted by hand, audited from their files and held against the sandbox's own truth.

Belongs here: one month's figures, and the claim about many. Stays out: what the sandbox makes (``sandbox.hand_month``)
and what the audit makes of it (``audit``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import Paths
from khaos_swap_assets.audit.rows import AuditRow
from khaos_swap_assets.sandbox import audit_files, hand_month, hand_posted
from khaos_swap_assets.sandbox.hand_month import HandMonth
from khaos_swap_assets_tests.audit.reading import read_inputs
from khaos_swap_assets_tests.prove.plays import ROOT

SEEDS = range(1, 51)
RETURNS = 200
LEAST_CLEAN = 0.98
NAMED_AS = {"again": ("goods", "quantity"), "typed": ("goods", "rounding")}
"""A second note is goods or units too many; a slip of the keyboard is goods at another price, or rounding."""

COMMAND = "khaos_swap_assets_tests.prove.hand_posted_months"
PAGE = ROOT / "docs" / "matching_figures.md"
PAGE_HEAD = f"""# What the linker finds in months that staff posted by hand

The sandbox makes {len(SEEDS)} months (seeds {SEEDS[0]} to {SEEDS[-1]}) of {RETURNS} returns each, much alike: few
goods, few prices, customers who return twice. Staff type the Credit Notes with the slips that people make. The audit
reads the files that such a merchant has, without the posting ledger, and its links are held against the truth.
`python -m {COMMAND}` makes the months again and writes this page.

Of {{notes:,}} notes **{{wrong_links}}** are linked to a wrong return for certain. Of {{clean:,}} that were typed as
they should be, {{clean_found:,}} are linked for certain ({{share}}). Left to a person is what could mean two things,
and what belongs to no return.

| the note | notes | linked for certain | left to a person | linked wrongly |
| --- | --- | --- | --- | --- |
"""

Figures = dict[str, Any]


def hand_posted_months() -> Figures:
    """Sandbox months posted by hand, seeds 1 to 50: nothing certain is wrong, clean is found, each cause is named.

    The page ``docs/matching_figures.md`` says the same; ``python -m …prove.hand_posted_months`` writes it.
    """
    shown = together(one_month(seed) for seed in SEEDS)
    if PAGE.read_text(encoding="utf-8") != page(shown):
        shown["faults"].append(f"{PAGE.name} is of other months: python -m {COMMAND} writes it")
    return shown | {"holds": not shown["faults"]}


def page(shown: Figures) -> str:
    """What the linker found for certain, by what staff did to the note."""
    told = {slip: (function.__doc__ or "").partition("\n")[0] for slip, (_, function) in hand_posted.SLIPS.items()}
    told |= {"merged": "One note for two returns of a customer.", "stray": "A note that belongs to no return at all."}
    rows = [
        f"| {told[slip].removesuffix('.')} | {notes:,} | {shown['certain'][slip]:,} | "
        f"{notes - shown['certain'][slip] - shown['wrong'][slip]:,} | {shown['wrong'][slip]:,} |\n"
        for slip, notes in shown["slips"].most_common()
    ]
    share = f"{100 * shown['clean_found'] / shown['clean']:.2f} %"
    return PAGE_HEAD.format(share=share, **shown) + "".join(rows)


def together(months: Iterable[Figures]) -> Figures:
    """The figures of all months and whether the claim holds."""
    shown = list(months)
    faults = [f"seed {one['seed']}: {fault}" for one in shown for fault in one["faults"]]
    clean, found = (sum(one[name] for one in shown) for name in ("clean", "clean_found"))
    if found < LEAST_CLEAN * clean:
        faults.append(f"{found} of {clean} clean notes are matched for certain")
    slips: Counter[str] = Counter()
    certain: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for one in shown:
        slips.update(one["slips"])
        certain.update(one["certain_by_slip"])
        wrong.update(one["wrong_by_slip"])
    sums = {name: sum(one[name] for one in shown) for name in ("notes", "rows", "explained")}
    by_slip = {"slips": slips, "certain": certain, "wrong": wrong, "wrong_links": wrong.total()}
    return {"holds": not faults, "faults": faults, **sums, "clean": clean, "clean_found": found, **by_slip}


def one_month(seed: int, returns: int = RETURNS) -> Figures:
    """Make, write, audit and judge one month."""
    month = hand_month.build(seed, returns)
    return {"seed": seed, **judged(month, audited(month))}


def audited(month: HandMonth) -> Sequence[AuditRow]:
    """The rows of the audit of the month's files."""
    with TemporaryDirectory() as folder:
        options = audit_files.write(month, Path(folder))
        names = ("returns", "stock-codes", "sales-orders", "credit-notes")
        inputs = read_inputs(Paths(*(Path(options[name]) for name in names)), skips_bad_rows=False)
        return list(run.reconcile(inputs, Span(date.fromisoformat(options["as-of"]))).rows)


def judged(month: HandMonth, rows: Sequence[AuditRow]) -> Figures:
    """The rows beside the truth: counts, and every fault in words."""
    truth = {one.note_code: set(one.rmas) for one in month.typed}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for code in row.credit_note_codes if row.certainty == "certain" else ():
            found[code].add(row.rma)
    whole = [row for row in rows if _is_whole(month, row)]
    good = {one.note_code for one in month.typed if found[one.note_code] == truth[one.note_code] != set()}
    clean = {one.note_code for one in month.typed if one.slip == "clean"}
    faults = [f"{code} is not of {sorted(rmas - truth[code])}" for code, rmas in found.items() if rmas - truth[code]]
    faults += [f"{row.rma}: legs do not sum to the gap" for row in rows if sum(row.legs.values()) != row.gap_pence]
    faults += [f"{row.rma}: {row.legs['unexplained']} pence unexplained" for row in rows if row.legs["unexplained"]]
    faults += _lost(month, rows)
    faults += [fault for row in whole for fault in _misnamed(row, month.off[row.rma])]
    return {
        "faults": faults,
        "notes": len(truth),
        "rows": len(rows),
        "explained": len(whole),
        "clean": len(clean),
        "clean_found": len(clean & good),
        "slips": Counter(one.slip for one in month.typed),
        "certain_by_slip": Counter(one.slip for one in month.typed if one.note_code in good),
        "wrong_by_slip": Counter(one.slip for one in month.typed if found[one.note_code] - truth[one.note_code]),
    }


def _lost(month: HandMonth, rows: Sequence[AuditRow]) -> Iterator[str]:
    """Returns that are not told exactly once, and notes that are told nowhere."""
    told = Counter(row.rma for row in rows if row.return_id)
    yield from (f"{rma} is told {told[rma]} times" for rma in month.world.rmas if told[rma] != 1)
    codes = {code for row in rows for code in row.credit_note_codes}
    yield from (f"{one.note_code} is told nowhere" for one in month.typed if one.note_code not in codes)


def _is_whole(month: HandMonth, row: AuditRow) -> bool:
    """True for a return that has exactly its own notes for certain: of such the truth names the whole gap."""
    own = {one.note_code for one in month.typed if row.rma in one.rmas}
    return bool(own) and row.certainty == "certain" and set(row.credit_note_codes) == own


def _misnamed(row: AuditRow, off: Mapping[str, int]) -> Iterator[str]:
    """What the audit says of a gap and the truth does not."""
    wanted = {cause: pence for cause, pence in off.items() if pence}
    legs = {leg: pence for leg, pence in row.legs.items() if pence}
    for cause, names in NAMED_AS.items():
        pence = wanted.pop(cause, 0)
        if pence and sum(legs.pop(name, 0) for name in names) != pence:
            yield f"{row.rma}: {pence} pence {cause} are told otherwise"
    if wanted != legs:
        yield f"{row.rma}: {legs} is told, the truth is {wanted}"


if __name__ == "__main__":
    PAGE.write_text(page(together(one_month(seed) for seed in SEEDS)), encoding="utf-8")
