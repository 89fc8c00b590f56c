"""What the terminal shows: whole titles, unbroken ids, numbers with their nouns, one document with --json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from backhaul.cli import cli
from backhaul.cli.console import Console, counted, describe_step
from backhaul.cli.making import make_project
from backhaul.report import table
from backhaul.workflow import PipelineLock, StepResult, in_one_line

TITLE = "a title that is much longer than the narrow table that stands below it"
KEY = "2c5b43b5-ba31-54af-b482-d500d193cf3d"


def test_titles_are_whole_and_tables_stand_apart(capsys: pytest.CaptureFixture[str]) -> None:
    Console().tables([table(TITLE, [{"a": 1}]), table("second", [{"b": 2}])])
    said = capsys.readouterr().out
    assert TITLE in said.splitlines()
    assert "\n\nsecond\n" in said


def test_a_table_without_rows_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Console().tables([table("rejects", [], ("step", "key")), table("nothing known", [])])
    assert capsys.readouterr().out == "rejects\n(none)\n"


def test_sentences_are_folded_before_ids(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"step": "export_dynamics_contact", "key": KEY, "message": "word " * 30, "why": "because " * 15}]
    Console().tables([table("rejects", rows)])
    said = capsys.readouterr().out
    assert KEY in said and "export_dynamics_contact" in said
    assert max(len(line) for line in said.splitlines()) <= 140


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (1200, "1,200 rows")])
def test_numbers_have_their_noun(number: int, text: str) -> None:
    assert counted(number, "row") == text


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (StepResult("i", "import", "a.B", "done", rows=1, seconds=1, details={"rows_loaded": 1}), "1 row in 1.0 s"),
        (StepResult("d", "import_deleted", "a.B", "done", rows=1, seconds=1), "1 deletion in 1.0 s"),
        (StepResult("i", "import", "a.B", "failed", "no route", seconds=2), "stopped after 2.0 s"),
        (StepResult("e", "export", "a.B", "skipped", "an earlier step failed"), "an earlier step failed"),
        (
            StepResult("t", "test", "all", "failed", "x", 2, 1, {"tests": [{"state": "failed"}, {"state": "passed"}]}),
            "2 tests, 1 failed in 1.0 s",
        ),
    ],
)
def test_a_step_in_a_few_words(result: StepResult, text: str) -> None:
    assert describe_step(result) == text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my work"
    make_project(made, "tried")
    return made


def test_init_tells_a_folder_as_a_shell_wants_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "my work")])
    assert f"cd '{tmp_path / 'my work'}'" in result.output


def test_a_word_asked_wrongly_is_a_document_too(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["check", "--var", "x", "--json", "--project-dir", str(folder)])
    assert result.exit_code == 2
    assert json.loads(result.output) == {"error": "--var wants name=value, not 'x'", "exit_code": 2}


def test_an_unknown_step_has_no_rejects(folder: Path) -> None:
    words = ["rejects", "export_salesforce_contact", "--project-dir", str(folder)]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "did you mean 'export_salesforce_Contact'?" in result.output


def test_an_object_in_another_case_is_suggested(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["import", "salesforce.contact", "--project-dir", str(folder)])
    assert result.exit_code == 2
    assert "did you mean 'salesforce.Contact'?" in result.output


def test_an_account_that_cannot_be_asked_is_named_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKHAUL_CA_BUNDLE", "missing.pem")
    words = ["check", "--online", "--json", "--project-dir", str(folder)]
    result = CliRunner().invoke(cli, words)
    faults = json.loads(result.output)["faults"]
    assert result.exit_code == 2 and len(faults) == 2
    assert all(fault["message"].count("account") <= 1 and "next:" not in fault["message"] for fault in faults)
    assert all(fault["next"] for fault in faults)


def test_an_account_that_does_not_answer_is_no_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = folder / "profiles" / "simulator.yml"
    profile.write_text(profile.read_text(encoding="utf-8").replace(":844", ":1"), encoding="utf-8")
    (folder / ".backhaul/simulator").mkdir(parents=True)
    (folder / ".backhaul/simulator/ca.pem").touch()
    monkeypatch.setattr("backhaul.crm.http.RetryPolicy.wait", lambda *_: 0.0)
    words = ["check", "--online", "--project-dir", str(folder)]
    said = CliRunner().invoke(cli, words)
    assert said.exit_code == 1, said.output
    assert "not checked: sign in: nobody answers at https://127.0.0.1:1" in said.output
    assert "no faults in what could be checked; 2 accounts could not be reached" in said.output
    document = CliRunner().invoke(cli, [*words, "--json"])
    assert document.exit_code == 1
    answer = json.loads(document.output)
    assert not answer["faults"] and len(answer["unreached"]) == 2 and all(one["next"] for one in answer["unreached"])


@pytest.mark.parametrize("verb", ["simulate", "demo"])
def test_what_another_process_works_with_is_not_removed(verb: str, tmp_path: Path) -> None:
    make_project(tmp_path)
    name = {"simulate": "simulator"}.get(verb, verb)
    kept = tmp_path / ".backhaul" / name / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    words = [verb, "--fresh", "--json", "--project-dir", str(tmp_path)]
    for lock in (
        PipelineLock(tmp_path / ".backhaul" / "locks", name, "it"),
        PipelineLock(kept.parent / "locks", "contacts"),
    ):
        with lock:
            result = CliRunner().invoke(cli, words)
        assert (result.exit_code, kept.exists()) == (1, True)
        assert f"is already running: process {os.getpid()} on" in json.loads(result.output)["error"]


def test_a_misspelt_verb_is_suggested(folder: Path) -> None:
    path = folder / "pipelines" / "contacts.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("- test:", "- tset:"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", "--project-dir", str(folder)])
    assert result.exit_code == 2
    assert "names no verb" in result.output and "did you mean 'test'?" in result.output


def test_what_is_too_wide_for_columns_is_stacked(capsys: pytest.CaptureFixture[str]) -> None:
    row = {f"column_{number}": f"value {number} " + "x" * 30 for number in range(6)}
    Console().tables([table("wide", [row, {**row, "column_0": None}])])
    said = capsys.readouterr().out
    assert all(said.count(value) == (1 if name == "column_0" else 2) for name, value in row.items())


def test_an_announcement_is_followed_by_what_it_announces() -> None:
    assert (
        in_one_line("nothing was written:\n    max_rows: 7 rows\n    next: look")
        == "nothing was written: max_rows: 7 rows"
    )
    assert in_one_line("one line\n    next: look") == "one line"
    assert in_one_line("") == ""


@pytest.mark.parametrize("verb", ["demo", "simulate"])
def test_simulators_that_are_not_installed_are_told(verb: str, tmp_path: Path) -> None:
    make_project(tmp_path)
    without = "import sys; sys.modules['starlette'] = None; from backhaul.cli import main; main()"
    command = [sys.executable, "-c", without, verb, "--project-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.splitlines() == [
        "error: the simulators need the Python package starlette, which is not installed",
        "    next: pip install 'backhaul[simulator]'",
    ]


@pytest.mark.parametrize("verb", ["demo", "check", "status"])
def test_a_folder_within_a_project_is_led_to_it_and_left_as_it_is(verb: str, tmp_path: Path) -> None:
    make_project(tmp_path)
    within = tmp_path / "notes"
    within.mkdir()
    told = CliRunner().invoke(cli, [verb, "--project-dir", str(within)])
    assert told.exit_code == 2
    assert f"next: change to the folder of the project, {tmp_path.resolve()}, or run" in told.output
    assert list(within.iterdir()) == []
