"""QUALIFY carried over to a database that has none, executed both ways on DuckDB, where the outcome is SQL, too."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import parse_one
from sqlglot.optimizer.qualify import qualify

from backhaul.transform.keeping import without_qualify

TABLE = "CREATE TABLE t AS SELECT range AS n, range % 4 AS g, 'ABC'[range % 3 + 1] AS name FROM range(24)"
NEWEST = "row_number() over (partition by g order by n desc)"


@pytest.mark.parametrize(
    "sql",
    [
        f"select g, n from t qualify {NEWEST} = 1 order by g",
        f"select n as m from t qualify {NEWEST} = 1 and name = 'A' order by m",
        f"select g from t where n > 3 qualify {NEWEST} <= 2 order by n desc, name limit 3",
        f"select distinct name from t qualify {NEWEST} <= 3 order by name",
        f"with u as (select * from t qualify {NEWEST} = 2) select count(*) as found, max(n) as most from u",
        f"select o.n from t as o where o.n in (select i.n from t as i qualify {NEWEST} = 1) order by o.n",
        "select g, count(*) as found from t group by g qualify max(count(*)) over () = count(*) order by g",
    ],
)
def test_the_same_rows_come_out(sql: str) -> None:
    connection = duckdb.connect()
    connection.execute(TABLE).fetchall()
    schema: dict[str, object] = {"t": {"n": "BIGINT", "g": "BIGINT", "name": "VARCHAR"}}
    tree = qualify(parse_one(sql, dialect="duckdb"), dialect="duckdb", schema=schema)
    written = without_qualify(tree, "postgres").sql("duckdb")
    assert "QUALIFY" not in written
    expected = connection.execute(sql).fetchall()
    assert expected and connection.execute(written).fetchall() == expected
