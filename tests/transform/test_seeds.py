"""CSV files as tables."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from backhaul.transform import load_models, run_models

from .workshop import make, opened

TYPES = """
    seeds:
      - name: people
        description: known people
        config:
          delimiter: ";"
          column_types: {id: BIGINT, born: DATE, seen: TIMESTAMPTZ, share: "DECIMAL(9, 4)", here: BOOLEAN}
"""
HEADER = 'ID;name;born;seen;share;here;odd "one"\n'


def test_values_arrive_as_they_are(tmp_path: Path) -> None:
    project = make(tmp_path, {"seeds/people.csv": HEADER, "seeds/about.yml": TYPES})
    (tmp_path / "transforms/seeds/people.csv").write_text(
        "\ufeff"
        + HEADER
        + '1;007;1999-12-31;2024-05-01T10:00:00+02:00;1.25;true;"a;b\nc"\n2;NA;;;;;\n3;null;;;0;false;""\n',
        encoding="utf-8",
    )
    made = load_models(project)
    with opened(project) as warehouse:
        for _ in range(2):
            result = run_models(project, warehouse, made, made.select())[0]
            assert (result.state, result.rows, result.materialized, result.message) == ("done", 3, "seed", "")
        assert warehouse.columns("seeds", "people") == {
            "ID": "BIGINT",
            "name": "VARCHAR",
            "born": "DATE",
            "seen": "TIMESTAMP WITH TIME ZONE",
            "share": "DECIMAL(9,4)",
            "here": "BOOLEAN",
            'odd "one"': "VARCHAR",
        }
        rows = [list(row.values()) for row in warehouse.rows("select * from seeds.people")]
        seen = datetime.datetime(2024, 5, 1, 8, tzinfo=datetime.UTC)
        assert rows == [
            [1, "007", datetime.date(1999, 12, 31), seen, Decimal("1.2500"), True, "a;b\nc"],
            [2, "NA", None, None, None, None, None],
            [3, "null", None, None, Decimal("0.0000"), False, None],
        ]
        assert warehouse.scalar("select count(*) from information_schema.tables") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEADER + "1;a;;;;;\n2;b;1999-13-01;;;;\n3;c;soon;;;;\n",
            "transforms/seeds/people.csv:3: the value '1999-13-01' of column 'born' is not DATE (and 1 more like it)\n"
            "    next: correct the value, or the type of 'born' in column_types of the seed 'people'",
        ),
        (
            HEADER + '1;"a\nb";;;;;\n2;b;;;;;x;y\n',
            "transforms/seeds/people.csv:4: this row has 8 cells, the header has 7\n"
            "    next: put a cell that holds the delimiter or a line break into double quotes",
        ),
        (
            HEADER + '1;"a"b;;;;;\n',
            "transforms/seeds/people.csv:2: the CSV file cannot be read (';' expected after '\"')",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_old_table_stays(tmp_path: Path, text: str, message: str) -> None:
    project = make(tmp_path, {"seeds/people.csv": HEADER + "9;z;;;;;\n", "seeds/about.yml": TYPES})
    made = load_models(project)
    with opened(project) as warehouse:
        assert run_models(project, warehouse, made, made.select())[0].state == "done"
        (tmp_path / "transforms/seeds/people.csv").write_text(text, encoding="utf-8")
        result = run_models(project, warehouse, made, made.select())[0]
        assert (result.state, result.message) == ("failed", message)
        assert warehouse.rows("select ID, name from seeds.people") == [{"ID": 9, "name": "z"}]


def test_a_seed_without_rows_makes_an_empty_table(tmp_path: Path) -> None:
    project = make(
        tmp_path, {"seeds/people.csv": HEADER, "seeds/about.yml": TYPES, "one/a.sql": "from {{ ref('people') }}"}
    )
    made = load_models(project)
    with opened(project) as warehouse:
        results = run_models(project, warehouse, made, made.select())
        assert [(result.name, result.state, result.rows) for result in results] == [
            ("people", "done", 0),
            ("a", "done", None),
        ]


def test_the_same_values_when_rows_come_in_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backhaul.transform.seeds._BATCH", 3)
    project = make(tmp_path, {"seeds/n.csv": "n\n" + "".join(f"{n:03}\n" for n in range(10))})
    made = load_models(project)
    with opened(project) as warehouse:
        run_models(project, warehouse, made, made.select())
        assert [row["n"] for row in warehouse.rows("select * from seeds.n")] == [f"{n:03}" for n in range(10)]
