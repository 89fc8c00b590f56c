"""The statements that fill a table in a destination's SQL: of a query, from a staged table by key, of values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlglot import exp, parse_one

from backhaul.warehouse.wording import Wording

LONGEST = 250_000
"""Characters of a statement that inserts rows; the shortest that a destination takes is twice as much."""
ROWS = 500
"""Rows of such a statement: SQL Server takes 1,000."""


def body(sql: str) -> str:
    """A query without the semicolon at its end; untouched where it has none, so that places in it stay right."""
    return sql.strip().rstrip(";") if sql.rstrip().endswith(";") else sql


def table_as(words: Wording, target: str, sql: str) -> str:
    """What comes behind CREATE (or, on SQL Server, the whole statement) to make `target` of a query."""
    if words.dialect in ("tsql", "fabric"):
        made = exp.Create(
            this=exp.to_table(target, dialect=words.dialect),
            kind="TABLE",
            expression=parse_one(sql, dialect=words.dialect),
        )
        return str(made.sql(words.dialect))
    ends = f" {words.abilities.table_ends}" if words.abilities.table_ends else ""
    return f"TABLE {target}{ends} AS\n{body(sql)}"


def merged(words: Wording, target: str, source: str, columns: Sequence[str], unique_key: Sequence[str]) -> list[str]:
    """The statements that put the rows of `source` into `target` (both quoted), those of the same key replaced.

    `columns` are those of the source, all of which the target has. Without a key the rows are appended.
    """
    named = [words.name(column) for column in columns]
    keys = [words.name(key) for key in unique_key]
    listed = ", ".join(named)

    def same(old: str) -> str:
        return " AND ".join(f"({old}.{key} = new.{key} OR ({old}.{key} IS NULL AND new.{key} IS NULL))" for key in keys)

    if keys and words.abilities.merges:
        updates = ", ".join(f"{column} = new.{column}" for column in named if column not in keys)
        matched = f"WHEN MATCHED THEN UPDATE SET {updates} " if updates else ""
        values = ", ".join(f"new.{column}" for column in named)
        end = ";" if words.dialect in ("tsql", "fabric") else ""
        return [
            f"MERGE INTO {target} AS old USING {source} AS new ON {same('old')} {matched}"
            f"WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({values}){end}"
        ]
    gone = f"DELETE FROM {target} WHERE EXISTS (SELECT 1 FROM {source} AS new WHERE {same(target)})"
    return [*([gone] if keys else []), f"INSERT INTO {target} ({listed}) SELECT {listed} FROM {source}"]


def merged_whole(
    words: Wording, target: str, source: str, columns: Mapping[str, bool], unique_key: Sequence[str]
) -> str:
    """The query of all rows that `target` holds after the merge, where only a table as a whole is replaced in one step.

    `columns`: those of the target, and whether the source has them, too.
    """
    names = [words.name(column) for column in columns]
    given = [words.name(column) if there else f"NULL AS {words.name(column)}" for column, there in columns.items()]
    # A key may be null, which equals nothing: as a text beside whether it is one it does.
    keys = ", ".join(f"isNull({key}), ifNull(toString({key}), '')" for key in map(words.name, unique_key))
    old = f" WHERE ({keys}) NOT IN (SELECT {keys} FROM {source})" if keys else ""
    return f"SELECT {', '.join(names)} FROM {target}{old} UNION ALL SELECT {', '.join(given)} FROM {source}"


def inserted(
    words: Wording, target: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> Iterator[tuple[str, int]]:
    """Statements that append `rows` to `target` (quoted), each with how many rows are in it.

    `columns`: name -> type in DuckDB's words, in the order of a row's values.
    """
    names, kinds = ", ".join(words.name(column) for column in columns), list(columns.values())
    # A list is no constant to Snowflake, which takes nothing else behind VALUES.
    selected = any(kind.endswith("[]") for kind in kinds)
    before, between, after = ("SELECT ", " UNION ALL SELECT ", "") if selected else ("VALUES (", "), (", ")")
    head = f"INSERT INTO {target} ({names}) {before}"
    size, held = 0, list[str]()
    for row in rows:
        written = ", ".join(map(words.literal, row, kinds))
        if held and (len(held) >= ROWS or size + len(written) > LONGEST):
            yield f"{head}{between.join(held)}{after}", len(held)
            size, held = 0, []
        held.append(written)
        size += len(written)
    if held:
        yield f"{head}{between.join(held)}{after}", len(held)
