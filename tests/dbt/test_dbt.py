"""dbt with dbt-duckdb, which knows nothing of backhaul, builds the template's folder into the same tables."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from backhaul.cli import cli
from tests.template.campaign import ROOT, Template, template
from tests.template.test_engines import change, differences, fill

DBT = ROOT / ".venv-dbt" / "bin" / "dbt"

pytestmark = pytest.mark.dbt


def write_files(folder: Path) -> Path:
    told = CliRunner().invoke(cli, ["dbt", "--project-dir", str(folder), "--json"])
    assert told.exit_code == 0, told.output
    document = json.loads(told.output)
    assert [Path(file).exists() for file in document["files"]] == [True] * 4
    return Path(document["folder"])


def dbt(files: Path, *words: str) -> list[dict[str, Any]]:
    """Run dbt on the written files; gives what became of each node, by dbt's own account."""
    if not DBT.exists():
        pytest.fail(f"{DBT.relative_to(ROOT)} is not installed. Next: run `make test-dbt`")
    where = ["--project-dir", str(files), "--profiles-dir", str(files)]
    done = subprocess.run([str(DBT), *words, *where], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
    results: list[dict[str, Any]] = json.loads((files / "target" / "run_results.json").read_text())["results"]
    return results


def test_dbt_builds_the_same_tables_and_then_the_same_changes(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"

    def beside(work: Callable[[Template], None], *ours_first: tuple[str, ...]) -> list[dict[str, Any]]:
        """Do the same to both raw logs, build the one with our engine and the other with dbt, and compare."""
        with template(ours) as here:
            work(here)
            for select in ours_first:
                here.run(*select)
        with template(theirs) as there:
            work(there)
        results = dbt(write_files(theirs), "build")
        with template(ours) as here, template(theirs) as there:
            assert differences(here, there) == {}
        return results

    first = beside(fill, ("engagement_events",), ())
    kinds = [result["unique_id"].split(".")[0] for result in first]
    assert (kinds.count("model"), kinds.count("seed")) == (25, 1)
    assert kinds.count("test") > 200
    assert {result["status"] for result in first} == {"success", "pass"}
    beside(change, ())


def test_a_warehouse_that_is_not_duckdb_is_told_of(tmp_path: Path) -> None:
    with template(tmp_path):
        pass
    profile = tmp_path / "profiles" / "demo.yml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(
        text.replace("{destination: duckdb, path: template.duckdb}", "{destination: postgres, credentials: x}"),
        encoding="utf-8",
    )
    told = CliRunner().invoke(cli, ["dbt", "--project-dir", str(tmp_path)])
    assert told.exit_code == 2
    assert "the profile's warehouse is postgres" in told.output
