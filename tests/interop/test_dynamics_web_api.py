"""The npm package dynamics-web-api at work against the simulated environment, and its state afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from backhaul.simulator import Running
from backhaul.simulator.dataverse import APPLICATION_USER_ID
from tests.interop.conftest import CLIENTS, NODE, token

pytestmark = pytest.mark.interop


def test_it_reads_and_writes(running: Running, tmp_path: Path) -> None:
    if not (CLIENTS / "dynamics-web-api").exists():
        pytest.fail("dynamics-web-api is not installed. Next: run `make interop`")
    script = tmp_path / "work.mjs"
    shutil.copy(Path(__file__).with_name("dataverse_work.mjs"), script)
    (tmp_path / "node_modules").symlink_to(CLIENTS)
    environment = {"PATH": os.environ["PATH"], "URL_HTTP": running.dynamics_http_url, "TOKEN": token(running)}
    done = subprocess.run([str(NODE), str(script)], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(done.stdout)
    created = found.pop("created")
    assert found == {
        "me": APPLICATION_USER_ID,
        "deltaLink": True,
        "updated": True,
        "missing": 404,
        "read": ["Größe", "“quoted”"],
        "stale": False,
        "upserted": True,
        "batched": 2_000,
        "broken": 1,
        "all": 2_001,
        "long": 120,
        "count": 666,
        "fetched": 2_001,
        "expanded": "Node",
        "total": 2_001,
        "choices": 2,
        "deleted": True,
        "changes": ["Keyed", "deleted"],
    }
    org = running.dynamics
    assert [one["id"] for one in org.tombstones("lead")] == [created]
    rows = {row["lastname"]: row for row in org.dump("contact")}
    assert len(rows) == 2_001 and "Undone" not in rows
    assert all(rows[f"Node {place}"]["numberofchildren"] == place % 3 for place in range(2_000))
    assert rows["Bound"]["_parentcustomerid_value"] == org.dump("account")[0]["accountid"]
