"""Faults x verbs x roads x the request that the fault meets, on Dataverse, through whole steps of a project.

After the fault and one further run the tables and the environment agree, nothing was made twice, nothing is lost, each
row that was sent is done or rejected (none is in doubt: every write here can be sent twice), and a step that failed
says so in words.

Roads of reading: change tracking, next links of one window ("paged"), several windows at once. Roads of writing:
$batch, set messages, and for deletions bulk delete jobs. Combinations that make no sense are left out.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backhaul.crm.dynamics import DynamicsConnector
from backhaul.simulator import Running
from backhaul.workflow import RunResult, Workspace

from .conftest import Tried, failed
from .dynamics import by_road, newest, small_pages
from .matrix import HTML, PAGE, Fault, at_chosen, combinations, got_through, met

PEOPLE = 240
HELD = 130
"""So many of the people are in the environment at first."""
GONE = 110
"""So many of those are to be deleted."""
MORE = 600
"""Further records, where it is reading that meets the fault."""
IDS = [f"00000000-0000-4011-8000-{number:012d}" for number in range(HELD)]
PAGE_ROWS, SPLIT_FROM, JOB_FROM = 100, 500, 50

READING = ("tracked", "paged", "windows")
ROADS_OF = {
    "read": READING,
    "compare": ("paged",),
    "create": ("batch", "sets"),
    "update": ("batch", "sets"),
    "upsert": ("batch", "sets"),
    "delete": ("batch", "jobs"),
}
WRITING = ("create", "update", "upsert", "delete")


def files() -> dict[str, str]:
    """The project, of all roads."""
    rows = [(IDS[n] if n < HELD else "", f"M{n}", f"New {n}", n % 90) for n in range(PEOPLE)]
    return {
        "sources/dynamics.yml": (
            "account: dynamics\nobjects:\n  contact: {fields: [lastname, new_membernumber, new_campaignscore]}\n"
        ),
        "transforms/seeds/people.yml": "seeds:\n  - name: people\n    config: {column_types: {score: double}}\n",
        "transforms/seeds/people.csv": "crm_id,member,name,score\n"
        + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in rows),
        "transforms/export/everybody.sql": "select member, name, score from {{ ref('people') }}",
        "transforms/export/known.sql": "select crm_id, name, score from {{ ref('people') }} where crm_id <> ''",
        "transforms/export/gone.sql": (
            f"select crm_id from {{{{ ref('people') }}}} where crm_id <> '' order by crm_id limit {GONE}"
        ),
        "pipelines/models.yml": "steps:\n  - transform: +export\n",
        "pipelines/read.yml": "steps:\n  - import: dynamics.contact\n",
        "pipelines/compare.yml": "steps:\n  - import: dynamics.contact\n  - import_deleted: dynamics.contact\n",
        **writing(
            "update",
            "{export: dynamics.contact, from: known, mode: update, key: {contactid: crm_id}, "
            "map: {lastname: name, new_campaignscore: score}}",
        ),
        **writing(
            "upsert",
            "{export: dynamics.contact, from: everybody, mode: upsert, key: {new_membernumber: member}, "
            "map: {lastname: name, new_campaignscore: score}}",
        ),
        **writing(
            "create",
            "{export: dynamics.contact, from: everybody, identify: member, "
            "map: {lastname: name, new_campaignscore: score}}",
        ),
        **writing(
            "delete",
            "{delete: dynamics.contact, from: gone, key: {contactid: crm_id}, guards: {max_deletes: 1000}}",
        ),
    }


def writing(verb: str, step: str) -> dict[str, str]:
    """The step alone, and behind an import."""
    return {
        f"pipelines/{verb}.yml": f"steps:\n  - import: dynamics.contact\n  - {step}\n",
        f"pipelines/only_{verb}.yml": f"steps:\n  - {step}\n",
    }


def refusal(status: int, code: str, message: str, **headers: str) -> dict[str, Any]:
    body = json.dumps({"error": {"code": code, "message": message}})
    return {"status": status, "headers": {"Content-Type": "application/json; odata.metadata=minimal", **headers},
            "body": body}  # fmt: skip


def throttled(code: str, message: str) -> dict[str, Any]:
    return refusal(429, code, message, **{"Retry-After": "2"})


def html(status: int) -> dict[str, Any]:
    return {**HTML, "status": status, "body": PAGE}


def plug_in(**rule: Any) -> Any:
    return lambda tried: tried.org.verbs["plugins"]({"object": "contact", **rule})


def no_plug_in(tried: Tried) -> None:
    tried.org.verbs["plugins"]([])


def expired(tried: Tried) -> None:
    """Somebody was deleted and another changed before the delta tokens expired."""
    tried.org.delete("contact", IDS[:3])
    tried.org.change("contact", [{"contactid": IDS[-1], "lastname": "Changed"}])
    tried.org.verbs["expire_tokens"]({"object": "contact"})


def limited(**limits: Any) -> Fault:
    """The service itself counts, and refuses with what its own replies say is left."""
    usual = {"requests": 6_000, "execution_ms": 1_200_000, "concurrent": 52}
    return Fault(
        before=lambda tried: tried.org.settings({"limits": limits}),
        after=lambda tried: tried.org.settings({"limits": usual}),
    )


DEAD = {
    "status": 401,
    "headers": {
        "WWW-Authenticate": "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize, "
        "resource_id=https://org.crm.dynamics.com/"
    },
}
TIMED_OUT = refusal(
    500,
    "0x80044151",
    "Sql error: SQL timeout expired. CRM ErrorCode: -2147204783 Sql ErrorCode: -2146232060 Sql Number: -2",
)
DEADLOCK = refusal(
    500,
    "0x80044150",
    "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 Sql Number: 1205",
)
REQUESTS = throttled("0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds.")
LENGTH = throttled(
    "0x80072321",
    "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 "
    "seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.",
)
CROWD = throttled("0x80072326", "Number of concurrent requests exceeded the limit of 52.")
API = "/api/data/"


def whole_set(times: int, status: int, code: str, message: str) -> Fault:
    """A set message that is refused, whatever its rows."""
    return Fault(
        refusal(status, code, message), times, roads=("sets",), verbs=("create", "update", "upsert"), path="Multiple"
    )


ROW = {"when": {"new_membernumber": "M7"}}
FAULTS = {
    "token dies": Fault(DEAD, path=API),
    "token stays dead": Fault(DEAD, 0, path=API),
    "too many requests": Fault(REQUESTS, 2, path=API),
    "too much time": Fault(LENGTH, 2, path=API),
    "too many at once": Fault(CROWD, 2, path=API),
    "too many requests for long": Fault(REQUESTS, 0, path=API),
    "too many at once for long": Fault(CROWD, 0, path=API),
    "bad gateway": Fault(html(502), 2, unsure=True),
    "busy": Fault(html(503), 2, unsure=True),
    "busy for long": Fault({"status": 503}, 0, unsure=True),
    "gateway gives up": Fault(html(504), 2, unsure=True),
    "gateway gives up for long": Fault(html(504), 0, unsure=True),
    "slow": Fault({"delay": 0.1}, 3),
    "slower than the time-out": Fault({"delay": 0.5}, unsure=True),
    "SQL times out": Fault(TIMED_OUT, 2, path=API),
    "SQL times out for long": Fault(TIMED_OUT, 0, path=API),
    "deadlock": Fault(DEADLOCK, 2, path=API),
    "deadlocks": Fault(DEADLOCK, 0, path=API),
    "cut in the middle": Fault({"cut_after": 100}, unsure=True),
    "cut in the middle for long": Fault({"cut_after": 100}, 0, unsure=True),
    "cut before": Fault({"cut_before": True}, unsure=True),
    "cut before for long": Fault({"cut_before": True}, 0, unsure=True),
    "reply lost": Fault({"drop_reply": True}, unsure=True),
    "replies lost": Fault({"drop_reply": True}, 0, unsure=True),
    "page of HTML": Fault(HTML, unsure=True),
    "pages of HTML": Fault(HTML, 0, unsure=True),
    "few requests are left": limited(requests=6),
    "little time is left": limited(execution_ms=20),
    "one at a time": limited(concurrent=1),
    "delta token expired": Fault(before=expired, roads=("tracked",), verbs=("read",)),
    "set refused": whole_set(1, 400, "0x80040265", "The plug-in does not like it."),
    "sets refused": whole_set(0, 400, "0x80040265", "The plug-in does not like it."),
    "set crashes": whole_set(2, 500, "0x80040224", "Object reference not set."),
    "no such message": whole_set(0, 404, "0x80060888", "Resource not found for the segment 'CreateMultiple'."),
    "plug-in refuses a row": Fault(
        before=plug_in(**ROW, refuse="Credit limit reached."), after=no_plug_in, rejects=1, verbs=("update", "upsert")
    ),
    "plug-in fails for a row": Fault(
        before=plug_in(**ROW, crash="Object reference not set."), after=no_plug_in, rejects=1,
        verbs=("update", "upsert"),
    ),
    "plug-in refuses a new row": Fault(
        before=plug_in(when={"lastname": "New 7"}, refuse="No."), after=no_plug_in, rejects=1, verbs=("create",)
    ),
    "plug-in keeps a row": Fault(
        before=plug_in(**ROW, messages=["Delete"], refuse="It is needed."), after=no_plug_in, rejects=1,
        verbs=("delete",),
    ),
    "jobs are not allowed": Fault(
        refusal(403, "0x80040220", "Principal user is missing prvBulkDelete privilege"), 0, path="/BulkDelete",
        verbs=("delete",), roads=("jobs",),
    ),
    "job does not end": Fault(settings={"job_seconds": 600}, verbs=("delete",), roads=("jobs",)),
}  # fmt: skip
CASES = combinations(FAULTS, (("read", "compare"), ("create", "update", "upsert"), ("delete",)), ROADS_OF.__getitem__)
ALWAYS = [  # some of each kind of fault, each verb, each road; the fault lets so many requests pass
    ("cut in the middle", "read", "tracked", 9),
    ("too many at once", "read", "windows", 14),
    ("pages of HTML", "compare", "paged", 10),
    ("replies lost", "create", "sets", 6),
    ("SQL times out", "update", "sets", 5),
    ("gateway gives up for long", "upsert", "batch", 8),
    ("plug-in fails for a row", "upsert", "sets", 0),
    ("busy", "delete", "jobs", 6),
]
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Tried:
    """The project; what the writing verbs begin with is imported once and kept."""
    made = Tried(tmp_path_factory.mktemp("matrix"), orgs, "dynamics", files())
    for verb in ("create", "update"):
        seeded(made, "sets", verb)
        assert made.run("read").state == "done"
        made.keep(kept_for(verb))
    return made


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    smaller(monkeypatch)


def smaller(patch: pytest.MonkeyPatch) -> None:
    """Few records make several pages, several windows, and jobs."""
    small_pages(patch, PAGE_ROWS)
    patch.setattr(DynamicsConnector, "batch_rows", 100)
    patch.setattr("backhaul.crm.dynamics.writing.MOST_PARTS", 100)
    patch.setattr("backhaul.crm.dynamics.erasing.PATIENCE", 60.0)


def kept_for(verb: str) -> str:
    return {"read": "", "compare": "", "create": "unnamed"}.get(verb, "known")


def seeded(tried: Tried, road: str, verb: str, kept: str = "") -> None:
    """An environment that holds what the verb begins with."""
    tried.fresh(kept)
    by_road(tried, "tracked" if road not in ("paged", "windows") else "windows")
    people = [
        {"contactid": one, "lastname": f"Old {n}", "new_membernumber": None if verb == "create" else f"M{n}"}
        for n, one in enumerate(IDS)
    ]
    tried.org.seed("contact", people, modified_at=LONG_AGO)
    if verb in ("read", "compare"):
        many = MORE if road == "windows" else 300
        days = [
            {"lastname": f"More, {n}\n", "modifiedon": (LONG_AGO - timedelta(hours=n)).isoformat()} for n in range(many)
        ]
        tried.org.seed("contact", days)


def live(tried: Tried) -> dict[str, dict[str, Any]]:
    return {row["contactid"]: row for row in tried.org.dump("contact")}


def agree(tried: Tried) -> None:
    """The mirror holds what the environment holds."""
    mirror = tried.rows(newest("contactid, lastname, new_campaignscore AS score"))
    held = {one: (row["lastname"], row["new_campaignscore"] or 0) for one, row in live(tried).items()}
    assert {row["contactid"]: (row["lastname"], float(row["score"] or 0)) for row in mirror} == held


def done(tried: Tried, verb: str, books: dict[str, int], rejects: int) -> None:
    """The environment is as the step wants it: nothing twice, nothing lost, nothing in doubt."""
    now = live(tried)
    names = Counter(row["lastname"] for row in now.values())
    assert books.get("rejected", 0) == rejects, books
    assert not books.get("in_doubt"), books
    if verb == "update":
        assert names == Counter(f"New {n}" for n in range(HELD))
    elif verb == "upsert":
        assert names == Counter(f"New {n}" for n in range(PEOPLE))
        assert set(IDS) <= set(now)
    elif verb == "delete":
        assert set(now) == set(IDS[GONE:])
    else:
        assert {name: n for name, n in names.items() if name.startswith("New ")} == {
            f"New {n}": 1 for n in range(PEOPLE)
        }


def through(tried: Tried, name: str, verb: str, road: str, skip: int) -> None:
    """One case. The fault lets the first `skip` requests of the run pass."""
    fault = FAULTS[name]
    seeded(tried, road, verb, kept_for(verb))
    if verb == "compare" or fault.before is expired:
        # What is compared is what was held.
        assert not failed(tried.run("read"))
        tried.org.requests.clear()
    if verb == "compare":
        tried.org.delete("contact", IDS[:20])
    with on_road(road):
        both_runs(tried, fault, verb, skip)


@contextlib.contextmanager
def on_road(road: str) -> Iterator[None]:
    """As many rows as these tests have go by this road."""
    with pytest.MonkeyPatch.context() as patch:
        if road == "windows":
            patch.setattr("backhaul.crm.dynamics.reading.SPLIT_FROM", SPLIT_FROM)
        if road == "batch":
            patch.setattr("backhaul.crm.dynamics.sets.FEW", 1_000)
        if road == "jobs":
            patch.setattr("backhaul.crm.dynamics.JOB_FROM", JOB_FROM)
        yield


def both_runs(tried: Tried, fault: Fault, verb: str, skip: int) -> None:
    first = met(tried, fault, lambda: tried.run(first_of(verb)), skip=skip)
    refused = sum(step.details.get("rejected", 0) for step in first.steps)
    assert refused == fault.rejects, [step.message for step in first.steps]
    if fault.settings:
        tried.org.settings(dict.fromkeys(fault.settings, 0))
    got_through(again(tried, verb, retry=bool(fault.rejects)))
    if verb in WRITING:
        done(tried, verb, tried.books(), fault.rejects)
        tried.org.clock.advance(5)
        got_through(tried.run("compare" if verb == "delete" else "read"))
    agree(tried)


def first_of(verb: str) -> str:
    return f"only_{verb}" if verb in WRITING else verb


def again(tried: Tried, verb: str, *, retry: bool) -> RunResult:
    with Workspace(tried.project) as workspace:
        return workspace.run(verb, retry=retry)


_requests: dict[tuple[str, str], list[str]] = {}


def requests_of(tried: Tried, verb: str, road: str, path: str) -> int:
    """How many requests an undisturbed run makes of those that the fault can meet."""
    if (verb, road) not in _requests:
        seeded(tried, road, verb, kept_for(verb))
        with on_road(road):
            assert not failed(tried.run(first_of(verb)))
        _requests[verb, road] = [entry["path"] for entry in tried.org.requests.show()["log"]]
        assert ROAD_SEEN[road](_requests[verb, road]), _requests[verb, road]
    return sum(path in one for one in _requests[verb, road])


ROAD_SEEN: dict[str, Any] = {
    "tracked": lambda paths: sum(path.endswith("/$batch") for path in paths) == 2,  # nobody asks how much there is
    "paged": lambda paths: sum(path.endswith("/contacts") for path in paths) < 12,
    "windows": lambda paths: sum(path.endswith("/contacts") for path in paths) > 12,
    "batch": lambda paths: (
        sum(path.endswith("/$batch") for path in paths) > 3 and not any("Multiple" in p for p in paths)
    ),
    "sets": lambda paths: any("Multiple" in path for path in paths),
    "jobs": lambda paths: any("BulkDelete" in path for path in paths),
}
"""Whether a run of these requests went by the road."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "verb", "road", "skip"), ALWAYS)
def test_after_a_fault_and_one_further_run_all_is_well(
    tried: Tried, name: str, verb: str, road: str, skip: int
) -> None:
    through(tried, name, verb, road, skip)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "verb", "road"), CASES)
def test_every_fault_at_any_request_of_every_verb(tried: Tried, name: str, verb: str, road: str) -> None:
    fault = FAULTS[name]
    many = requests_of(tried, verb, road, fault.path) if fault.action else 1
    at_chosen(f"{name} {verb} {road}", many, lambda skip: through(tried, name, verb, road, skip))
