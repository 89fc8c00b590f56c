"""Running pipelines: the steps of a YAML workflow, one after the other, over one warehouse and its ledger.

A :class:`Workspace` holds what a command needs (project, warehouse, ledger, connectors, models), each opened when it is
first used. Verbs of the command line are methods here, so that a program can do what a person does::

    with Workspace(load_project(Path.cwd())) as workspace:
        result = workspace.run("contacts")
"""

from backhaul.workflow.lock import PipelineLock
from backhaul.workflow.results import Listener, RunResult, SilentListener, StepResult, exit_code, in_one_line
from backhaul.workflow.workspace import Workspace

__all__ = [
    "Listener",
    "PipelineLock",
    "RunResult",
    "SilentListener",
    "StepResult",
    "Workspace",
    "exit_code",
    "in_one_line",
]
