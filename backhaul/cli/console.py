"""What a person sees: step lines, progress, tables; or with ``--json`` one document on standard output and no more.

Progress and step lines go to standard error, so that a table or a document can be piped. On a terminal the running
step has a moving line; elsewhere plain lines come at most every two seconds.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backhaul.report import Table
    from backhaul.workflow import StepResult

_PLAIN_EVERY = 2.0  # seconds between two plain progress lines
_WHOLE = 40  # characters up to which a column is not folded while another one can be


class Console:
    """The terminal of one command. It is also the :class:`~backhaul.workflow.Listener` of what runs."""

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet or json
        self._moving = sys.stderr.isatty() and not self.quiet
        self._step = ""
        self._began = 0.0
        self._said = 0.0
        self._status: Any = None

    # Lines ----------------------------------------------------------------------------------------------------------

    def say(self, text: str = "") -> None:
        """One line for a person; nothing with --json or --quiet."""
        if not self.quiet:
            click.echo(text, err=True)

    def heading(self, text: str) -> None:
        """A line that stands out."""
        if not self.quiet:
            click.secho(f"\n{text}", err=True, bold=True)

    def tables(self, tables: Sequence[Table], document: Any = None) -> None:
        """Print tables, or with --json the document (by default the tables' rows by title)."""
        if self.json:
            from backhaul.report import as_json

            click.echo(as_json(document if document is not None else {t.title: t.records() for t in tables}))
            return
        from rich.console import Console as Terminal
        from rich.text import Text

        terminal = Terminal(highlight=False, width=None if sys.stdout.isatty() else 140)
        for number, table in enumerate(table for table in tables if table.columns):
            if number:
                terminal.print()
            # Above the table and not rich's own title, which is folded to the table's width.
            terminal.print(Text(table.title, style="bold"))
            terminal.print(_rich(table, terminal.width) if table.rows else Text("(none)"))

    # Listener -------------------------------------------------------------------------------------------------------

    def step_started(self, name: str, kind: str, target: str) -> None:
        """A step begins: on a terminal a moving line."""
        self._step = f"{kind:<15} {target}"
        self._began = self._said = monotonic()
        if self._moving:
            from rich.console import Console as Terminal

            self._status = Terminal(stderr=True).status(self._step)
            self._status.start()

    def progress(self, rows: int, expected: int) -> None:
        """Rows so far, rows a second and elapsed time of the running step."""
        now = monotonic()
        elapsed = max(now - self._began, 1e-6)
        if self.quiet or (not self._moving and now - self._said < _PLAIN_EVERY):
            return
        self._said = now
        share = f" of {expected:,}" if expected else ""
        text = f"{rows:,}{share} rows, {rows / elapsed:,.0f} rows/s, {elapsed:.1f} s"
        if self._status is not None:
            self._status.update(f"{self._step}  {text}")
        else:
            self.say(f"  ... {self._step}: {text}")

    def detail(self, text: str) -> None:
        """What a step just did, on the moving line only: the summary says it again."""
        if self._status is not None:
            self._status.update(f"{self._step}  {text}")

    def step_finished(self, result: StepResult) -> None:
        """One line a step: what, how many, how long; below it what went wrong."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self.quiet:
            return
        colour = {"done": "green", "done with rejects": "yellow", "skipped": None}.get(result.state, "red")
        mark = {"done": "ok", "done with rejects": "rejects"}.get(result.state, result.state)
        click.secho(f"{mark:>8}  ", fg=colour, nl=False, err=True)
        click.echo(f"{result.kind:<15} {result.target:<26} {describe_step(result)}", err=True)
        if result.message and result.state != "skipped":
            click.echo("          " + _shortened(result.message).replace("\n", "\n          "), err=True)


def _shortened(message: str, lines: int = 16) -> str:
    """A message of at most `lines` lines; the whole of it is in the ledger and with --json."""
    found = message.splitlines()
    return (
        "\n".join([*found[:lines], f"... and {len(found) - lines} lines more (--json shows all)"][: lines + 1])
        if (len(found) > lines)
        else message
    )


def describe_step(result: StepResult) -> str:
    """What a step did, in a few words."""
    details, took = result.details, f"{result.seconds:.1f} s"
    if result.state == "skipped":
        return result.message
    if result.state == "blocked" or (result.state == "failed" and not details):
        return f"stopped after {took}"
    match result.kind:
        case "import":
            received, loaded = details.get("rows_received", 0), details.get("rows_loaded", 0)
            again = f", {received - loaded:,} already known" if received > loaded else ""
            return f"{counted(loaded, 'row')} in {took}{again}"
        case "import_deleted":
            return f"{counted(result.rows, 'deletion')} in {took}"
        case "transform":
            return f"{counted(result.rows, 'model')}{_failed(details.get('models', ()))} in {took}"
        case "test":
            return f"{counted(result.rows, 'test')}{_failed(details.get('tests', ()))} in {took}"
        case "export" | "delete" if "created" in details or "planned" in details:
            words = [
                f"{details.get(word, 0):,} {text}"
                for word, text in (
                    ("created", "created"),
                    ("updated", "updated"),
                    ("deleted", "deleted"),
                    ("restored", "restored"),
                    ("rejected", "rejected by the CRM"),
                    ("refused", "refused"),
                    ("in_doubt", "in doubt"),
                )
                if details.get(word)
            ]
            return f"{', '.join(words) or 'nothing to do'} in {took}"
        case _:
            return f"{counted(result.rows, 'row')} in {took}"


def _failed(results: Sequence[Mapping[str, Any]]) -> str:
    failed = sum(result["state"] in ("failed", "error") for result in results)
    return f", {failed:,} failed" if failed else ""


def counted(number: int, word: str) -> str:
    """A number with its noun: ``1 row``, ``1,200 rows``."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _rich(table: Table, width: int) -> Any:
    from rich.cells import cell_len
    from rich.table import Table as RichTable
    from rich.text import Text

    cells = [[_cell(value) for value in row] for row in table.rows]
    widths = [
        max(cell_len(text) for text in (name, *(row[position] for row in cells)))
        for position, name in enumerate(table.columns)
    ]
    if sum(min(wide, _WHOLE) for wide in widths) + 3 * (len(widths) - 1) > width:
        # Too narrow for columns: one line a value, so that nothing is cut off or torn into letters.
        stacked = RichTable(show_edge=False, pad_edge=False, show_header=False)
        stacked.add_column(no_wrap=True)
        stacked.add_column(overflow="fold")
        for row in cells:
            shown = [(name, text) for name, text in zip(table.columns, row, strict=True) if text]
            for name, text in shown:
                stacked.add_row(Text(name.replace("_", " ")), Text(text), end_section=(name, text) == shown[-1])
        return stacked
    made = RichTable(show_edge=False, pad_edge=False)
    for position, name in enumerate(table.columns):
        # Where room is short, sentences are folded before a name or a record's id is torn apart.
        short = widths[position] <= _WHOLE
        made.add_column(
            name.replace("_", " "),
            justify="right" if name in table.numbers else "left",
            overflow="fold",
            no_wrap=short,
        )
    for row in cells:
        made.add_row(*(Text(cell) for cell in row))
    return made


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y/%m/%d %H:%M:%S")
    text = "".join(character if character.isprintable() else "�" for character in str(value).replace("\n", " "))
    return text if len(text) <= 160 else text[:157] + "..."


@contextmanager
def errors_told(console: Console, folder: Callable[[], Path]) -> Iterator[None]:
    """Turn every error into a message and an exit code; a defect's traceback goes to a file under `folder`."""
    from backhaul.errors import BackhaulError

    try:
        yield
    except BackhaulError as error:
        _stop(console, str(error), error.exit_code)
    except KeyboardInterrupt:
        _stop(console, "interrupted; run the same command again to go on", 1)
    except click.UsageError as error:
        if not console.json:
            raise
        _stop(console, error.format_message(), 2)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        log = folder() / "logs" / f"defect-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            # Frames only, never the values of variables: they may hold records or secrets.
            log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
            where = f"the traceback is in {log}"
        except OSError:
            where = "the traceback could not be written"
        _stop(console, f"a defect in backhaul: {type(error).__name__}\n    next: report it; {where}", 1)


def _stop(console: Console, text: str, code: int) -> None:
    if console._status is not None:
        console._status.stop()
    if console.json:
        from backhaul.report import as_json

        click.echo(as_json({"error": text, "exit_code": code}))
    else:
        click.secho("error: ", fg="red", nl=False, err=True)
        click.echo(text, err=True)
    raise SystemExit(code)
