"""The functions that Snowflake and BigQuery are given, run by a JavaScript engine, against DuckDB."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from backhaul.config import WarehouseConfig
from backhaul.transform.functions import ARGUMENTS, statement
from backhaul.warehouse import open_warehouse
from tests.interop.conftest import NODE
from tests.transform.test_functions import PLAIN, same

pytestmark = pytest.mark.interop
ALPHABETS = ("abmr", "abcdefgh -", "aáßñлЖ½🎉'\\$", "e\u0301o\u0308 \u00a0")


def body(name: str, dialect: str) -> str:
    """What stands between the quotes of the statement."""
    text = statement(name, dialect)
    assert text is not None
    quote = "$$" if dialect == "snowflake" else '"""'
    return text.split(quote)[1]


@pytest.mark.parametrize("dialect", ("snowflake", "bigquery"))
def test_they_give_what_duckdb_gives(tmp_path: Path, dialect: str) -> None:
    node = str(NODE) if NODE.exists() else shutil.which("node")
    if node is None:
        pytest.fail("Node.js is not installed. Next: run `make interop`")
    draw = random.Random(dialect)
    pairs = [
        ["".join(draw.choices(letters, k=draw.randint(0, 12))) for _ in range(2)]
        for letters in ALPHABETS
        for _ in range(300)
    ]
    case = str.upper if dialect == "snowflake" else str.lower
    functions = ",\n".join(
        f"{name}: ({', '.join(case(argument) for argument in arguments)}) => {{{body(name, dialect)}}}"
        for name, arguments in ARGUMENTS.items()
    )
    script = (
        f"const made = {{{functions}}};\nconst pairs = JSON.parse(require('fs').readFileSync(0));\n"
        "const all = Object.entries(made).map(([name, f]) => [name, pairs.map(([a, b]) => "
        "f(a, name === 'signs_replaced' ? '-' : b))]);\nconsole.log(JSON.stringify(Object.fromEntries(all)));"
    )
    done = subprocess.run([node, "-e", script], input=json.dumps(pairs), capture_output=True, text=True, check=True)
    got = json.loads(done.stdout)
    with open_warehouse(WarehouseConfig(path=":memory:"), tmp_path) as warehouse:
        for name, sql in PLAIN.items():
            for (one, other), found in zip(pairs, got[name], strict=True):
                words = {"a": one, "b": "-" if name == "signs_replaced" else other}
                expected = warehouse.scalar(
                    f"select {sql}", {key: word for key, word in words.items() if f"${key}" in sql}
                )
                assert same(float(found) if isinstance(expected, float) else found, expected), (name, words)
