"""The command line: ``backhaul VERB ...``, with dbt's habits.

Only click is imported to answer ``--help``; a verb's module, and all that is heavy below it, loads when the verb runs.
Exit codes: 0 done, 1 failed, 2 asked wrongly, 3 done with rejects.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from backhaul import __version__

# verb -> (module, what the list of commands says). The functions carry the verb's name, with `_command` behind it.
VERBS = {
    "init": ("making", "Make a new project from the packaged template."),
    "check": ("making", "Find every fault in the project's YAML and SQL, with file and line."),
    "dbt": ("making", "Write the files by which dbt builds the same models."),
    "discover": ("discovering", "List a CRM's objects and fields; write them to sources/."),
    "run": ("running", "Run a pipeline: all its steps, in order."),
    "import": ("running", "Import objects from a CRM into the raw log."),
    "transform": ("running", "Build models."),
    "test": ("running", "Run the tests of models."),
    "plan": ("exporting", "Show every change that a pipeline's exports would make; write nothing."),
    "apply": ("exporting", "Send exactly the plan of a file, or nothing."),
    "export": ("exporting", "Plan and send a pipeline's exports."),
    "retry": ("exporting", "Send rows again that the CRM refused, from the models as they stand."),
    "resume": ("exporting", "Finish a run that was killed or failed: the steps that are not done."),
    "conflicts": ("exporting", "Show, and decide, what CRM and model disagree about."),
    "doubts": ("doubts", "Show, and settle, rows that were sent and never answered."),
    "undo": ("undoing", "Take back what a run wrote: show it, or do it with --apply."),
    "explain": ("explaining", "Tell where a record's values came from and went."),
    "status": ("looking", "Show how the last runs ended and how fresh each import is."),
    "rejects": ("looking", "Show the rows that were refused, and why."),
    "state": ("looking", "Show, set or reset where each import goes on."),
    "unlock": ("unlocking", "Show which runner holds the warehouse; take it from it with --apply."),
    "simulate": ("simulating", "Run the Salesforce and Dataverse simulators in the foreground."),
    "demo": ("simulating", "Run the demo: two simulated CRMs, one pipeline, both directions."),
}


class Verbs(click.Group):
    """A group that knows its commands' names and one-line helps, and imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order in which a person meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, imported now."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"backhaul.cli.{VERBS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def main(self, *args: Any, **options: Any) -> Any:
        """As click does; but with --json a command that was asked wrongly is answered by a document, too."""
        words = args[0] if args else options.get("args")
        words = list(sys.argv[1:] if words is None else words)
        if "--json" not in words[: words.index("--") if "--" in words else None]:
            return super().main(*args, **options)
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except click.ClickException as error:
            import json

            answer = {"error": error.format_message(), "exit_code": error.exit_code}
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
            code = error.exit_code
        except click.Abort:
            code = 1
        sys.exit(code if isinstance(code, int) else 0)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does, with a suggestion for a verb that was misspelt."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, 1) if args else []
            if not near or "Did you mean" in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="backhaul")
def cli() -> None:
    """CRM <-> campaign-database pipelines as code.

    Declare in YAML and SQL what to import from Salesforce and Dynamics 365, how to clean and merge it, and what to
    push back; see every change before it is made.
    """


def main() -> None:
    """The entry point of the installed command."""
    cli(prog_name="backhaul")
