"""Doing something with each store of a merchant, so that one store's trouble is its own.

Belongs here: going through the stores, what an outage of one means, and which stores are not seen. Stays out: what is
done with a store (``returns.sync``, ``storefront.sync``, ``completeness.comparing``). Where there is one store nothing
here changes anything: a vendor that answers nothing fails the run. Of several, one that does not answer is set back,
told by an exception that names it, and tried again a quarter of an hour later; all others go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from khaos_swap_assets.adapters.errors import SettingsError, VendorError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_stores import variable
from khaos_swap_assets.adapters.store import Conn, setbacks, stores
from khaos_swap_assets.stages import marks, refusing
from khaos_swap_assets.stages.toolbox import Toolbox

Done = TypeVar("Done")


def each(tools: Toolbox, operation: str, work: Callable[[Toolbox], Done]) -> list[Done]:
    """What ``work`` gives for each store that answers; ``operation`` is what is refused where one does not.

    Stores that are set back come last and are asked once, without repeats, so that they hold up nobody.
    """
    now = tools.now()
    with tools.store() as conn:
        require_names(conn, tools.settings)
        ill, paused = _set_back(conn, tools.settings, operation, now)
    if not tools.settings.has_several_stores:
        return [work(tools)]
    done = []
    for one in sorted(tools.by_store(), key=lambda part: part.settings.swap.store in ill):
        store = one.settings.swap.store
        if store in paused:
            continue
        try:
            done.append(work(_asking_once(one) if store in ill else one))
        except VendorError as error:
            set_back(tools, marks.of(operation, store), error)
    return done


def set_back(tools: Toolbox, operation: str, error: VendorError) -> None:
    """Keep that a store did not answer; it is tried again after the shortest pause, however often."""
    with tools.store() as conn:
        setbacks.keep(conn, operation, {setbacks.WHOLE: str(error)}, tools.now(), longest=longest_pause(tools.settings))


def longest_pause(settings: Settings) -> timedelta:
    """How long a list that is refused is left alone; of several stores each is asked soon again."""
    return setbacks.FIRST_PAUSE if settings.has_several_stores else setbacks.LONGEST_PAUSE


def require_names(conn: Conn, settings: Settings) -> None:
    """Raise ``SettingsError`` where a store was read under another name: its returns would be posted once more."""
    faults = [
        f"{variable(one.swap.store, 'SWAP_STORE_ID')}: {words}"
        for one in settings.by_store
        if (words := stores.claim(conn, one.swap.store, one.swap.store_id))
    ]
    if faults:
        raise SettingsError("\n".join(faults))


def unseen(conn: Conn, settings: Settings) -> tuple[list[str], list[str]]:
    """The mandatory operations that are refused, and the further stores that are not seen.

    Where there is but one store its own list is such an operation. One that the settings no longer name is not seen.
    """
    operations = refusing.not_seen(conn)
    gone = list(stores.gone(conn, [part.swap.store for part in settings.by_store]).values())
    if not settings.has_several_stores:
        return [one for one in operations if not refusing.is_of_store(one)], gone
    own = {marks.of(refusing.SWAP_LIST, one.swap.store): one.swap.store for one in settings.by_store}
    of_gone = {marks.of(refusing.SWAP_LIST, store) for store in gone}
    whole = [one for one in operations if one not in own and one not in of_gone]
    return whole, [*(own[one] for one in operations if one in own), *gone]


def _set_back(conn: Conn, settings: Settings, operation: str, now: datetime) -> tuple[frozenset[str], frozenset[str]]:
    """The stores that are set back at an operation, and those of them whose pause is not over."""
    own = {marks.of(operation, one.swap.store): one.swap.store for one in settings.by_store}
    again = {own[name]: moment for name, moment in setbacks.refused(conn, own).items()}
    return frozenset(again), frozenset(store for store, moment in again.items() if moment > now)


def _asking_once(tools: Toolbox) -> Toolbox:
    """The same, with clients that do not repeat."""
    once = {"retries": 0}
    swap, shop = tools.settings.swap, tools.settings.storefront
    return tools.of(
        tools.settings.model_copy(
            update={"swap": swap.model_copy(update=once), "storefront": shop.model_copy(update=once)}
        )
    )
