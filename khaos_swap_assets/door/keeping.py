"""Who is in: trying a password, beginning a session, finding and ending it.

Belongs here: the members with their sessions and attempts. Stays out: HTTP (``door.signing_in``, ``door.gate``), the
tables (``adapters.store.door_sessions``, ``adapters.store.door_attempts``). What is logged names members, never what
somebody typed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import psycopg

from khaos_swap_assets.adapters import passwords
from khaos_swap_assets.adapters.members import MemberRow, Roster
from khaos_swap_assets.adapters.settings_door import DoorSettings
from khaos_swap_assets.adapters.store import audit_log, door_attempts, door_sessions
from khaos_swap_assets.adapters.store.door_sessions import Session, SessionLimits
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.domain.desk.members import OF_ROLE, Member, Role
from khaos_swap_assets.door.accounts import providers_of
from khaos_swap_assets.door.keys import new_key

LOG = logging.getLogger("khaos_swap.door")
MOST_OF_A_NAME, MOST_OF_AN_ADDRESS = 8, 40
"""Attempts in a quarter of an hour; behind a tunnel or a proxy that names nobody, all share one address."""
Denied = Literal["wrong", "too often", "no role"]


@dataclass(frozen=True)
class Admission:
    """A key for the browser, or why there is none."""

    key: str = ""
    denied: Denied | None = None


class Doorkeeper:
    """Knows the members of the ``roster`` and who of them is in. Every method may raise ``StoreError``."""

    def __init__(
        self, pool: Pool, roster: Roster, settings: DoorSettings, clock: Callable[[], datetime], *, is_demo: bool
    ) -> None:
        self.roster, self.is_demo, self.providers = roster, is_demo, providers_of(settings)
        self._pool, self._clock = pool, clock
        self._of_accounts = _credential_of_accounts(roster)
        self._limits = SessionLimits(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.longest_hours))

    def who(self, key: str) -> Member | None:
        """Who holds a key now; nobody when the session is over, the member gone or the password another one."""
        if not key:
            return None
        with self._pool.transaction() as conn:
            session = door_sessions.find(conn, key, self._clock(), self._limits)
        if session is None:
            return None
        if session.credential == self._of_accounts:
            return Member(session.member, frozenset(role for role in OF_ROLE if role in session.roles))
        row = self.roster.find(session.member)
        if row is None or _credential(row) != session.credential:
            return None
        return Member(row.name, row.roles)

    def by_password(self, name: str, password: str, address: str) -> Admission:
        """Let a member in by name and password; as slow for a name that nobody has, and not too often for any."""
        row = self.roster.find(name)
        told = f"{row.name if row else 'an unknown name'} from {address}"
        if self._is_too_often(name, address):
            LOG.warning("refused sign-in of %s: too many attempts", told)
            return Admission(denied="too often")
        if not passwords.is_right(password, row.password if row and row.password else None) or row is None:
            LOG.warning("refused sign-in of %s: name or password is wrong", told)
            return Admission(denied="wrong")
        return Admission(self._let_in(row.name, row.roles, _credential(row), address))

    def by_account(self, name: str, roles: frozenset[Role], address: str) -> Admission:
        """Let somebody in whom a provider of accounts vouches for, with the roles of their groups; not without one."""
        if not roles:
            LOG.warning("refused sign-in of the account %a from %s: no role in the members file", name, address)
            return Admission(denied="no role")
        return Admission(self._let_in(name, roles, self._of_accounts, address))

    def by_one_click(self, name: str, address: str) -> Admission:
        """Let a member of the demo in; of no other installation."""
        row = self.roster.find(name) if self.is_demo else None
        if row is None:
            LOG.warning("refused sign-in by one click from %s", address)
            return Admission(denied="wrong")
        return Admission(self._let_in(row.name, row.roles, _credential(row), address))

    def leave(self, key: str) -> None:
        """End the session of a key."""
        with self._pool.transaction() as conn:
            door_sessions.end(conn, key)

    def leave_everywhere(self, member: Member) -> int:
        """End every session of a member; says how many there were."""
        with self._pool.transaction() as conn:
            ended = door_sessions.end_all(conn, member.name)
            self._note(conn, member.name, "signed out everywhere")
        LOG.info("signed out everywhere: %s, sessions: %d", member.name, ended)
        return ended

    def is_address_too_often(self, address: str) -> bool:
        """Count one more attempt of an address; whether there were too many."""
        with self._pool.transaction() as conn:
            return door_attempts.count(conn, f"address {address}", self._clock()) > MOST_OF_AN_ADDRESS

    def _is_too_often(self, name: str, address: str) -> bool:
        """Count before the password is looked at, so that many at once are as few as one after the other."""
        if self.is_address_too_often(address):
            return True
        with self._pool.transaction() as conn:
            return door_attempts.count(conn, f"name {name.casefold()}", self._clock()) > MOST_OF_A_NAME

    def _let_in(self, name: str, roles: frozenset[Role], credential: str, address: str) -> str:
        key, session = new_key(), Session(name, frozenset(roles), credential)
        with self._pool.transaction() as conn:
            door_attempts.forgive(conn, f"name {name.casefold()}", MOST_OF_A_NAME)
            door_attempts.forgive(conn, f"address {address}", 1)
            door_sessions.begin(conn, key, session, self._clock(), self._limits)
            self._note(conn, name, "signed in")
        LOG.info("signed in: %s from %s", name, address)
        return key

    def _note(self, conn: psycopg.Connection, who: str, what: str) -> None:
        audit_log.append(conn, [audit_log.Entry(self._clock(), who, what, "door")])


def _credential(row: MemberRow) -> str:
    """What a session stands on: with another password, those of the old one are over."""
    return hashlib.sha256(row.password.encode()).hexdigest()


def _credential_of_accounts(roster: Roster) -> str:
    """With other groups, or other roles of those without a password, sessions by account are over: roles are theirs."""
    groups = sorted((group, sorted(roles)) for group, roles in roster.groups.items())
    people = sorted((row.name, sorted(row.roles)) for row in roster.members.values() if not row.password)
    return f"account {hashlib.sha256(repr((groups, people)).encode()).hexdigest()}"
