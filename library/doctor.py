"""The doctor: looks a library over, says what is wrong, and mends what can be made again."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial

from library.alone import alone
from library.checks import database as tables
from library.checks import index, model, places, thumbnails, vectors
from library.checks.finding import Finding, Patient, crawl_command, mend_command
from library.database import Database
from library.errors import DatabaseError, SchemaTooNewError
from library.salvage import salvage
from library.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; where the doctor can mend it, how: that gives a sentence on it."""

    name: str
    look: Callable[[Patient], Finding]
    mend: Callable[[Patient], str] | None = None


CHECKS = (
    Check("vectors: lengths", vectors.lengths, vectors.forget_wrong_lengths),
    Check("vectors: values", vectors.values, vectors.forget_wrong_values),
    Check("thumbnails: files", thumbnails.complete, thumbnails.make_complete),
    Check("thumbnails: pictures", thumbnails.sound, thumbnails.make_sound),
    Check("index", index.answers, index.throw_away),
    Check("model", model.loads),
    Check("work", places.nothing_to_do),
    Check("folders", places.roots_are_there),
    Check("disk", places.room),
    Check("leftovers", places.leftovers, places.remove_leftovers),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found, and how long it took in seconds."""

    name: str
    finding: Finding
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The object that `--json` prints of it."""
        return {"name": self.name, **asdict(self.finding), "seconds": round(self.seconds, 3)}


def examine(settings: Settings, thorough: bool = False) -> Iterator[Result]:
    """Carry out every check; nothing in the library is changed.

    `thorough` looks at everything, where a check else looks at a part of a large library. A
    damaged database ends the examination: nothing that it says can be relied on. Raises
    SchemaTooNewError.
    """
    try:
        database = Database(settings.database_path)
    except SchemaTooNewError:
        raise
    except DatabaseError as error:
        command = f"{mend_command(settings)} && {crawl_command(settings)} FOLDER..."
        finding = Finding("wrong", str(error), command if _is_damage(error) else None)
        yield Result("database", finding, 0.0)
        return
    with closing(database):
        patient = Patient(settings, database, thorough)
        sound = True
        for check in database_checks(patient):
            result = _look(check, patient)
            sound = sound and result.finding.state == "ok"
            yield result
        for check in CHECKS if sound else ():
            yield _look(check, patient)


def mend(settings: Settings, thorough: bool = False) -> Iterator[str]:
    """Mend what the checks find and the doctor can mend; a sentence on each thing done.

    Raises CrawlBusyError or IndexBusyError while a crawl or the site works with the library.
    """
    with alone(settings.data_dir):
        yield from _mend(settings, thorough)


def _mend(settings: Settings, thorough: bool) -> Iterator[str]:
    if _is_damaged(settings, thorough):
        yield salvage(settings.database_path)
    with closing(Database(settings.database_path)) as database:
        patient = Patient(settings, database, thorough, alone=True)
        for check in CHECKS:
            if check.mend and check.look(patient).state == "wrong":
                yield check.mend(patient)


def _is_damaged(settings: Settings, thorough: bool) -> bool:
    try:
        database = Database(settings.database_path)
    except SchemaTooNewError:
        raise
    except DatabaseError as error:
        if not _is_damage(error):
            raise
        return True
    with closing(database):
        patient = Patient(settings, database, thorough, alone=True)
        return any(check.look(patient).state == "wrong" for check in database_checks(patient))


def _is_damage(error: DatabaseError) -> bool:
    """Whether the file is at fault; else it is locked, unreadable, or the disk is full."""
    return not isinstance(error.__cause__, OSError | sqlite3.OperationalError)


def database_checks(patient: Patient) -> Iterator[Check]:
    """A check a large table, since each has to look at all of it."""
    small = tables.small_tables(patient.connection)
    for name, group in (*((table, (table,)) for table in tables.LARGE), ("the rest", small)):
        yield Check(f"database: {name}", partial(tables.structure, tables=group))
        yield Check(f"references: {name}", partial(tables.references, tables=group))


def _look(check: Check, patient: Patient) -> Result:
    started = time.perf_counter()
    try:
        finding = check.look(patient)
    except sqlite3.DatabaseError as error:  # damage that the quick look did not find
        finding = patient.mending_and_crawl(f"the database is damaged: {error}")
    return Result(check.name, finding, time.perf_counter() - started)
