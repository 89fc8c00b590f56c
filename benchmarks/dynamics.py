"""Dataverse at size: contacts in by pages, updates back by a plan, next to the bare work and Microsoft's own client.

    python benchmarks/dynamics.py [--rows 500000] [--updates 100000] [--larger 1]

The simulator runs in a process of its own; each measurement runs in a fresh one:

- ``import``: the pipeline's import of 25 fields into DuckDB: connector, spool, dlt, raw log, link to go on from.
- ``bare``: the same columns with `requests` and nothing else, page after page by next link into files, the rows cut
  out of each page unparsed (DuckDB reads a plain array an order of magnitude faster than one inside an object), then
  DuckDB's own JSON reader, typed, into a table of a new file. This is the limit.
- ``microsoft``: PowerPlatform-Dataverse-Client, page after page as a data frame into a typed table of a new file; run
  by the Python of its own environment, which `make interop` makes. Left out where that is missing.
- ``plan`` and ``export``: a model over the imported rows changes `--updates` of them; the plan and its sending.
- ``bare update``: as many updates of the same columns by `requests`, 1,000 an UpdateMultiple and as many at once as an
  export sends, only their status looked at: the limit.

Printed: seconds, rows/s, CPU seconds of the measured process and of the simulator's, its peak resident memory, and
API requests a million rows; then the ratios to the limits of the same run. Aim: import within 1.5 of ``bare``, else
the exit code is 1. On a machine that does other things too, only the smallest ratios of several runs mean much.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulated import Clocked, Crm, asked, bearer, bench, load_plainly, measure_export, measure_import

if TYPE_CHECKING:
    import requests

DYNAMICS = Crm(
    name="dynamics",
    account="""
    crm: dynamics
    url: "{{ env_var('BACKHAUL_DYNAMICS_URL') }}"
    ca_bundle: "{{ env_var('BACKHAUL_CA_BUNDLE') }}"
    auth:
      method: client_secret
      authority: "{{ env_var('BACKHAUL_DYNAMICS_AUTHORITY') }}"
      tenant_id: "{{ env_var('BACKHAUL_DYNAMICS_TENANT_ID') }}"
      client_id: "{{ env_var('BACKHAUL_DYNAMICS_CLIENT_ID') }}"
      client_secret: "{{ env_var('BACKHAUL_DYNAMICS_CLIENT_SECRET') }}"
""",
    object="contact",
    fields=(
        *("firstname", "lastname", "salutation", "address1_line1", "address1_city", "address1_stateorprovince"),
        *("address1_postalcode", "address1_country", "telephone1", "mobilephone", "emailaddress1", "jobtitle"),
        *("department", "birthdate", "description", "donotbulkemail", "donotphone", "donotemail", "createdon"),
        *("new_campaignscore", "new_lastopen", "new_membernumber", "statecode"),
    ),  # with the id and the cursor: 25
    id="contactid",
    title="jobtitle",
    score="new_campaignscore",
)
COLUMNS = ("contactid", *DYNAMICS.fields, "modifiedon")
LABEL = "OData.Community.Display.V1.FormattedValue"
LABELLED = f"statecode@{LABEL}"
TYPES = {
    **dict.fromkeys((*COLUMNS, LABELLED), "VARCHAR"),
    **dict.fromkeys(("donotbulkemail", "donotphone", "donotemail"), "BOOLEAN"),
    **dict.fromkeys(("createdon", "modifiedon", "new_lastopen"), "TIMESTAMP WITH TIME ZONE"),
    "birthdate": "DATE",
    "new_campaignscore": "DECIMAL(5,1)",
    "statecode": "INTEGER",
}
PAGE_ROWS = 5_000
TARGETS = 1_000
AT_ONCE = 4
MOST_TO_BARE = 1.5
PYTHON = Path(__file__).parents[1] / ".venv-interop" / "python" / "bin" / "python"
"""Of the environment with Microsoft's client."""

_NEXT = re.compile(rb'"@odata\.nextLink":\s*"([^"]+)"')


def signed_in() -> tuple[requests.Session, str]:
    """A bare session of the simulated environment and the base of its API."""
    url = os.environ["BACKHAUL_DYNAMICS_URL"]
    token = f"{os.environ['BACKHAUL_DYNAMICS_AUTHORITY']}/{os.environ['BACKHAUL_DYNAMICS_TENANT_ID']}/oauth2/v2.0/token"
    return bearer(token, DYNAMICS, scope=f"{url}/.default"), f"{url}/api/data/v9.2"


def measure_bare(folder: Path, rows: int) -> dict[str, Any]:
    """Page after page by hand, then DuckDB's reader: the least that any import does."""
    pages = folder / "bare"
    pages.mkdir()
    session, base = signed_in()
    session.headers["Prefer"] = f'odata.maxpagesize={PAGE_ROWS},odata.include-annotations="{LABEL}"'
    clocked = Clocked()
    url = f"{base}/contacts?$select={','.join(COLUMNS)}"
    files: list[str] = []
    while url:
        reply = session.get(url, timeout=300)
        reply.raise_for_status()
        body = reply.content
        found = _NEXT.search(body)
        url = json.loads(b'"%b"' % found[1]) if found else ""
        files.append(str(pages / f"page-{len(files):05}.json"))
        Path(files[-1]).write_bytes(body[body.index(b'"value":') + 8 : body.rindex(b"}]") + 2])
    fetched = clocked.figures(rows)
    columns = ", ".join(f"'{name}': '{type}'" for name, type in TYPES.items())
    select = f"FROM read_json({files}, format = 'array', columns = {{{columns}}}, maximum_object_size = 100000000)"
    load = load_plainly(select, folder / "bare.duckdb", rows)
    session.close()
    return clocked.figures(rows, fetch=fetched["seconds"], load=load)


def measure_microsoft(folder: Path, rows: int) -> dict[str, Any]:
    """Microsoft's client, every page as a data frame into a table."""
    os.environ |= {"REQUESTS_CA_BUNDLE": os.environ["BACKHAUL_CA_BUNDLE"], "NO_PROXY": "*", "no_proxy": "*"}
    import duckdb
    import pandas  # type: ignore[import-untyped]  # of the client's environment
    from azure.identity import ClientSecretCredential  # type: ignore[import-not-found]  # as above
    from PowerPlatform.Dataverse.client import DataverseClient  # type: ignore[import-not-found]  # as above

    credential = ClientSecretCredential(
        *(os.environ[f"BACKHAUL_DYNAMICS_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")),
        authority=os.environ["BACKHAUL_DYNAMICS_AUTHORITY"],
        disable_instance_discovery=True,
    )
    url = os.environ["BACKHAUL_DYNAMICS_URL"]
    credential.get_token(f"{url}/.default")
    clocked = Clocked()
    with DataverseClient(url, credential) as client, duckdb.connect(str(folder / "microsoft.duckdb")) as connection:
        columns = ", ".join(f'"{name}" {type}' for name, type in TYPES.items())
        connection.execute(f"CREATE TABLE plain ({columns})")
        pages = client.records.list_pages("contact", select=[*COLUMNS], page_size=PAGE_ROWS, include_annotations=LABEL)
        for page in pages:
            frame = pandas.DataFrame.from_records([dict(row) for row in page], columns=[*TYPES])
            connection.register("frame", frame)
            connection.execute("INSERT INTO plain SELECT * FROM frame")
        read = connection.execute("SELECT count(*) FROM plain").fetchall()[0][0]
    assert read == rows, f"{read} of {rows} rows"
    return clocked.figures(rows)


def measure_update(folder: Path, updates: int) -> dict[str, Any]:
    """The export's messages by hand with other values: the least that any export does."""
    import duckdb

    clocked = Clocked()
    with duckdb.connect(str(folder / "bench.duckdb"), read_only=True) as connection:
        ids = connection.execute(f"SELECT contactid FROM {DYNAMICS.raw} ORDER BY contactid LIMIT {updates}").fetchall()
    kind = "Microsoft.Dynamics.CRM.contact"
    rows = [
        {"@odata.type": kind, "contactid": str(one), "jobtitle": f"T {str(one)[-6:]}", "new_campaignscore": 55.5}
        for (one,) in ids
    ]

    def send(runs: list[int]) -> None:
        session, base = signed_in()
        with session:
            for start in runs:
                body = json.dumps({"Targets": rows[start : start + TARGETS]}, separators=(",", ":"))
                reply = session.post(
                    f"{base}/contacts/Microsoft.Dynamics.CRM.UpdateMultiple",
                    data=body.encode(),
                    headers={"Content-Type": "application/json"},
                    timeout=300,
                )
                reply.raise_for_status()

    runs = list(range(0, updates, TARGETS))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(send, [runs[place::AT_ONCE] for place in range(AT_ONCE)]))
    return clocked.figures(updates)


MEASURES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "import": lambda folder, _: measure_import(folder, DYNAMICS),
    "bare": measure_bare,
    "microsoft": measure_microsoft,
    "export": lambda folder, updates: measure_export(folder, updates, DYNAMICS),
    "update": measure_update,
}


def _has_client() -> bool:
    """Whether Microsoft's client, and DuckDB beside it, are installed."""
    words = [str(PYTHON), "-c", "import PowerPlatform.Dataverse.client, duckdb, pandas"]
    return PYTHON.exists() and subprocess.run(words, capture_output=True).returncode == 0


def main() -> None:
    """Run everything and print the table."""
    options = asked(__doc__, MEASURES, (500_000, 100_000, 1))
    with bench(__file__, DYNAMICS, options.rows, options.updates) as work:
        whole = work.table.run("import", work.folder, options.rows)
        bare = work.table.run("bare", work.folder, options.rows)
        theirs = None
        if _has_client():
            theirs = work.table.run("microsoft", work.folder, options.rows, python=str(PYTHON))
        else:
            print("microsoft: left out, as the client is not installed. Next: run `make interop`")
        export = work.table.run("export", work.folder, options.updates)
        update = work.table.run("update", work.folder, options.updates, "bare update")
        peaks = [whole["memory"], *work.larger(options.rows, options.larger)]
    ratio = whole["seconds"] / bare["seconds"]
    print(f"bare: download {bare['fetch']:.2f} s, DuckDB's reader {bare['load']:.2f} s")
    print(f"import / bare: {ratio:.2f} (CPU {whole['cpu'] / bare['cpu']:.2f}); at most {MOST_TO_BARE}")
    if theirs:
        print(f"Microsoft's client / bare: {theirs['seconds'] / bare['seconds']:.2f}")
    print(f"export / bare update: {export['seconds'] / update['seconds']:.2f}")
    print(f"peak memory of the import: {' MB, '.join(f'{peak:.0f}' for peak in peaks)} MB")
    if ratio > MOST_TO_BARE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
