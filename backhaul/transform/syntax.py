"""Whether a text is SQL that DuckDB's own parser takes, without tables and without touching the warehouse.

Models are written in DuckDB's dialect, whose parser is asked for its verdict: a copy of the grammar (sqlglot's) lags
behind it. ``json_serialize_sql`` parses and says where it stumbled, and needs neither the tables nor a file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from backhaul.warehouse import StatementFailed, Warehouse, open_warehouse


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the parser said, and where in the text (line and column from 1, 0 = unknown)."""

    reason: str
    line: int = 0
    column: int = 0
    hint: str = ""


class Parser:
    """DuckDB's parser behind the warehouse's door. Opened at the first question; to be closed."""

    @cached_property
    def _warehouse(self) -> Warehouse:
        from backhaul.config import WarehouseConfig

        return open_warehouse(WarehouseConfig(path=":memory:"), Path())

    def refusal(self, sql: str) -> Refusal | None:
        """Why the text is not one SELECT (in the wide sense: WITH, FROM, VALUES, UNION count); None when it is."""
        if not sql.strip():
            return Refusal("it makes no SQL at all: its text is empty")
        try:
            answer = json.loads(self._warehouse.scalar("SELECT json_serialize_sql(?)", [sql]))
        except StatementFailed as failed:
            # Deeply nested SQL can be more than the serialiser, not the parser, bears: leave it to the run.
            return None if "parser" not in failed.reason.lower() else Refusal(failed.reason)
        if not answer.get("error"):
            return self._counted(sql, len(answer.get("statements", ())))
        if answer.get("error_type") == "parser":
            return _placed(sql, answer)
        return self._other_statement(sql)

    def unknown_type(self, declared: str) -> str:
        """Why the text is not a type of DuckDB; empty when it is one."""
        try:
            self._warehouse.rows(f"SELECT CAST(NULL AS {declared})")
        except StatementFailed as failed:
            return failed.reason.splitlines()[0]
        return ""

    def close(self) -> None:
        """Give the parser back."""
        if "_warehouse" in self.__dict__:
            self._warehouse.close()

    def _counted(self, sql: str, statements: int) -> Refusal | None:
        if statements == 0:
            return Refusal("it makes no SQL: there are only comments")
        if statements > 1:
            return Refusal(f"it holds {statements} statements; a model is one SELECT")
        ending = bare(sql).rstrip()
        if ending.endswith(";"):
            line = ending.count("\n") + 1
            return Refusal("a model ends without a semicolon", line, hint="remove the ';'")
        return None

    def _other_statement(self, sql: str) -> Refusal | None:
        """The serialiser takes SELECT only: a statement that can stand in parentheses (PIVOT) is good, others not."""
        try:
            answer = json.loads(self._warehouse.scalar("SELECT json_serialize_sql(?)", [f"SELECT * FROM (\n{sql}\n)"]))
        except StatementFailed:
            return None
        if not answer.get("error") or answer.get("error_type") == "not implemented":
            return None
        return Refusal("it is not a SELECT", hint="a model is one SELECT; backhaul makes the table around it")


def _placed(sql: str, answer: dict[str, Any]) -> Refusal:
    reason = str(answer.get("error_message", "it cannot be parsed")).splitlines()[0]
    try:
        position = int(answer["position"])
    except (KeyError, ValueError):
        return Refusal(reason)
    before = sql.encode()[:position].decode(errors="ignore")
    line = before.count("\n") + 1
    return Refusal(reason, line, len(before) - (before.rfind("\n") + 1) + 1)


def bare(sql: str) -> str:
    """The SQL with every comment replaced by spaces; line breaks, and so every position, stay."""
    out: list[str] = []
    at = 0
    while at < len(sql):
        two = sql[at : at + 2]
        if two == "--":
            end = sql.find("\n", at)
            end = len(sql) if end < 0 else end
            out.append(" " * (end - at))
        elif two == "/*":
            closed = sql.find("*/", at + 2)
            end = len(sql) if closed < 0 else closed + 2
            out.append("".join("\n" if character == "\n" else " " for character in sql[at:end]))
        elif sql[at] in "'\"":
            closed = sql.find(sql[at], at + 1)
            end = len(sql) if closed < 0 else closed + 1
            out.append(sql[at:end])
        elif sql[at] == "$" and (tag := _dollar_tag(sql, at)):
            closed = sql.find(tag, at + len(tag))
            end = len(sql) if closed < 0 else closed + len(tag)
            out.append(sql[at:end])
        else:
            end = at + 1
            out.append(sql[at])
        at = end
    return "".join(out)


def _dollar_tag(sql: str, at: int) -> str:
    """The opening ``$tag$`` of a dollar-quoted text at this position, or nothing."""
    end = sql.find("$", at + 1)
    name = sql[at + 1 : end] if end > 0 else "-"
    return sql[at : end + 1] if not name or name.isidentifier() else ""
