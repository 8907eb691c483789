"""Whether the database is sound: its pages, its indexes, its references."""

from __future__ import annotations

import sqlite3

from library.checks.finding import Finding, Patient, ok

LARGE = ("files", "images", "vectors", "indexed_vectors")
"""The tables that grow with the library: each is a check of its own."""

_SHOWN = 3


def structure(patient: Patient, tables: tuple[str, ...]) -> Finding:
    """Pages and rows; and that indexes agree with their tables, which takes as long again thrice.

    PRAGMA integrity_check, or quick_check for a large table that nobody asked to look at fully.
    """
    problems: list[str] = []
    rows, quick = 0, False
    for table in tables:
        try:
            number = _count(patient.connection, table)
            rows += number
            check = "integrity_check" if patient.looks_at_all(number) else "quick_check"
            quick = quick or check == "quick_check"
            found = patient.connection.execute(f'PRAGMA {check}("{table}")').fetchall()
            problems += [str(problem) for (problem,) in found if problem != "ok"]
        except sqlite3.DatabaseError as error:
            problems.append(f"{table}: {error}")
    if problems:
        return patient.mending_and_crawl(f"the database is damaged: {_some(problems)}")
    note = "; its indexes were not compared with it: --thorough does" if quick else ""
    return ok(f"{rows:,} rows, sound{note}")


def references(patient: Patient, tables: tuple[str, ...]) -> Finding:
    """PRAGMA foreign_key_check: whether every row that another refers to is there."""
    wrong = 0
    for table in tables:
        query = f"""SELECT count(*) FROM pragma_foreign_key_check('{table}')"""
        try:
            (found,) = patient.connection.execute(query).fetchone()
        except sqlite3.DatabaseError as error:
            return patient.mending_and_crawl(f"the database is damaged: {error}")
        wrong += found
    if wrong:
        what = f"rows that refer to rows that are not there: {wrong:,}"
        return patient.mending_and_crawl(what)
    return ok("every row that another refers to is there")


def small_tables(connection: sqlite3.Connection) -> tuple[str, ...]:
    """All other tables."""
    rows = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return tuple(name for (name,) in rows if name not in LARGE)


def _count(connection: sqlite3.Connection, table: str) -> int:
    (number,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    return int(number)


def _some(problems: list[str]) -> str:
    more = f" and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
    return "; ".join(" ".join(problem.split()) for problem in problems[:_SHOWN]) + more
