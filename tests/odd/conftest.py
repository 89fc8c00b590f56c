"""The project of the undo's tests, with one step and its model of a test's own."""

from __future__ import annotations

from typing import Any

from backhaul.workflow import StepResult
from tests.undo.conftest import Tried, orgs, tried

__all__ = ["orgs", "run", "step", "tried"]


def step(tried: Tried, model: str, text: str, *, verb: str = "export", imports: str = "") -> None:
    """Write a pipeline `odd` of one step over a model of SQL; `text` is the step but for its object and model."""
    whole = f"{tried.crm}.{tried.names['object']}"
    (tried.folder / "transforms/export/odd.sql").write_text(model, encoding="utf-8")
    (tried.folder / "pipelines/odd.yml").write_text(
        f"steps:\n  - import: {whole}\n{imports}  - transform: odd\n"
        f"  - {{{verb}: {whole}, name: odd, from: odd, {text}}}\n",
        encoding="utf-8",
    )


def run(tried: Tried, **options: Any) -> StepResult:
    """Run it; gives what became of the step."""
    with tried.open() as workspace:
        return workspace.run("odd", allow=["max_shrink", "constant"], **options).steps[-1]
