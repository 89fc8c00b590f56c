"""The command line tells what it can: golden help texts, quickly, and only what the commands themselves say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from backhaul.cli import VERBS, cli

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[2]


def paths() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for verb in VERBS:
        found.append((verb,))
        command = cli.get_command(click.Context(cli), verb)
        if isinstance(command, click.Group):
            found += [(verb, name) for name in command.commands]
    return found


@pytest.mark.parametrize("path", paths(), ids=lambda path: " ".join(path) or "backhaul")
def test_help_is_as_written_down(path: tuple[str, ...]) -> None:
    """Golden files: to renew one after a change that is meant, delete it and run the test once."""
    result = CliRunner().invoke(cli, [*path, "--help"], prog_name="backhaul", terminal_width=100)
    assert result.exit_code == 0
    golden = GOLDEN / f"{'-'.join(path) or 'backhaul'}.txt"
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(result.output, encoding="utf-8")
        pytest.fail(f"{golden.name} was not there; it has been written: read it")
    assert result.output == golden.read_text(encoding="utf-8")


def test_the_list_of_commands_says_what_each_command_says_of_itself() -> None:
    for verb, (_, summary) in VERBS.items():
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None and command.short_help == summary


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, json\n"
        "from click.testing import CliRunner\n"
        "from backhaul.cli import cli, VERBS\n"
        "for words in [['--help'], *([verb, '--help'] for verb in VERBS)]:\n"
        "    assert CliRunner().invoke(cli, words).exit_code == 0\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    heavy = {
        "dlt",
        "duckdb",
        "pyarrow",
        "requests",
        "pydantic",
        "sqlglot",
        "jinja2",
        "rich",
        "msal",
        "yaml",
        "starlette",
    }
    assert heavy.isdisjoint(loaded)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chek"], "Did you mean 'check'?"),
        (["run"], "Missing argument 'PIPELINE'"),
        (["export", "contacts", "--allow", "everything"], "'everything' is not one of"),
    ],
)
def test_asked_wrongly_is_exit_code_2(words: list[str], says: str) -> None:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chek"], "Did you mean 'check'?"),
        (["run"], "Missing argument 'PIPELINE'"),
        (["status", "--nothing"], "No such option"),
        (["export", "contacts", "--allow", "everything"], "'everything' is not one of"),
        (["state", "sho"], "No such command"),
    ],
)
def test_with_json_asked_wrongly_is_a_document(words: list[str], says: str) -> None:
    result = CliRunner().invoke(cli, [*words, "--json"])
    assert result.exit_code == 2
    answer = json.loads(result.stdout)
    assert says in answer["error"] and answer["exit_code"] == 2
    assert not result.stderr


def test_a_word_that_looks_like_json_is_an_argument_after_two_dashes() -> None:
    result = CliRunner().invoke(cli, ["run", "--nothing", "--", "--json"])
    assert result.exit_code == 2 and not result.stdout


def test_help_is_help_beside_json() -> None:
    result = CliRunner().invoke(cli, ["run", "--json", "--help"])
    assert result.exit_code == 0 and result.stdout.startswith("Usage:")


def test_every_command_of_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S))
    used = re.findall(r"^backhaul ([a-z][^#\n]*)", blocks, re.M) + re.findall(r"`backhaul ([a-z][^`]*)`", text)
    assert len(used) > 12
    for line in used:
        words = [word for word in line.split() if word.strip()]
        command: click.Command = cli
        path = []
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            path.append(words[0])
            found = command.get_command(click.Context(command), words[0].split("|")[0])
            assert found is not None, f"README: backhaul {line}"
            command = found
            words.pop(0)
        known = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word.startswith("--"):
                assert word in known, f"README: {word} of backhaul {' '.join(path)}"


def test_every_make_target_of_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^make ([a-z0-9-]+)|`make ([a-z0-9-]+)`", text, re.M))
    assert {name for pair in targets for name in pair if name} >= {"demo", "test"}
    for pair in targets:
        for name in filter(None, pair):
            assert re.search(rf"^{name}:", makefile, re.M), f"README: make {name}"
