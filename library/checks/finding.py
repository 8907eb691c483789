"""What checks are given, and what they find."""

from __future__ import annotations

import shlex
import sqlite3
from dataclasses import dataclass
from typing import Literal

from library.crawl_lock import CrawlAtWork, crawl_at_work
from library.database import Database
from library.settings import Settings

State = Literal["ok", "wrong", "skipped"]

ENOUGH = 200_000
"""Rows up to which a check looks at all of a table: so many take it about a second."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, as a sentence, and the one command that mends what is wrong."""

    state: State
    text: str
    command: str | None = None


def ok(text: str) -> Finding:
    """All is well."""
    return Finding("ok", text)


def skipped(text: str) -> Finding:
    """Nobody looked, and why."""
    return Finding("skipped", text)


@dataclass(frozen=True, slots=True)
class Patient:
    """A library that is looked over.

    `thorough`: at all of it, however long that takes. `alone`: the locks of crawls and of the
    index are ours, so nobody else works with it.
    """

    settings: Settings
    database: Database
    thorough: bool = False
    alone: bool = False

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection to its database."""
        return self.database.connection

    @property
    def crawl(self) -> CrawlAtWork | None:
        """The crawl that is at work, which is about to change what is looked at."""
        return None if self.alone else crawl_at_work(self.settings.data_dir)

    def looks_at_all(self, rows: int) -> bool:
        """Whether all of so many rows are looked at, or a part."""
        return self.thorough or rows <= ENOUGH

    def mending(self, what: str) -> Finding:
        """Something is wrong that the doctor mends."""
        return Finding("wrong", what, mend_command(self.settings))

    def mending_and_crawl(self, what: str) -> Finding:
        """Something is wrong that the doctor removes and the next crawl makes again."""
        command = f"{mend_command(self.settings)} && {crawl_command(self.settings)}"
        return Finding("wrong", what, command)


def mend_command(settings: Settings) -> str:
    """The command that mends a library."""
    return f"python -m library doctor --mend {_data(settings)}"


def crawl_command(settings: Settings) -> str:
    """The command that crawls the known folders of a library again."""
    return f"python -m crawler {_data(settings)}"


def _data(settings: Settings) -> str:
    return f"--data {shlex.quote(str(settings.data_dir))}"
