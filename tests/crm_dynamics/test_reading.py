"""Pages by next link: spooled as received, counted, resumed, complete; and records fetched by id or key."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.crm import no_progress
from backhaul.crm.dynamics.reading import NotAPage, PageFacts, page_facts
from backhaul.errors import ConfigurationError, CRMError, IncompleteImport, TransientError
from backhaul.record import Condition, Extract, Group, PageFormat, Window
from backhaul.spool import Spool
from tests.crm.wire import Answer, Reaction, Sent
from tests.examples import examples

from .environment import ORIGIN, ROOT, account, connect, error, guid

CONTACTS = f"GET {ROOT}contacts"
QUERY = Extract("contact", ("contactid", "lastname", "ownerid", "modifiedon"))


def rows(first: int, last: int) -> list[dict[str, Any]]:
    return [
        {"@odata.etag": f'W/"{n}"', "contactid": guid(n), "lastname": f'N"{n}', "_ownerid_value": guid(9)}
        for n in range(first, last + 1)
    ]


def page(
    made: list[dict[str, Any]], following: str | None = None, count: int | None = None, host: str = ORIGIN
) -> Answer:
    body: dict[str, Any] = {"@odata.context": f"{host}{ROOT}$metadata#contacts(lastname)"}
    if count is not None:
        body["@odata.count"] = count
    body["value"] = made
    if following:
        body["@odata.nextLink"] = f"{host}{ROOT}contacts?$select=lastname&$skiptoken={following}"
    return Answer(body=json.dumps(body, separators=(",", ":")), gzip=True)


def by_token(pages: dict[str, Reaction]) -> Callable[[Sent], Answer | Exception]:
    """The page of the request's skip token, "" for the first."""

    def answer(sent: Sent) -> Answer | Exception:
        made = pages[sent.query.get("$skiptoken", [""])[0]]
        assert isinstance(made, Answer | Exception)
        return made

    return answer


def reads(sent: list[Sent]) -> list[str]:
    return [one.query.get("$skiptoken", [""])[0] for one in sent if one.path == f"{ROOT}contacts"]


def test_pages_are_followed_and_kept_as_received(tmp_path: Path) -> None:
    second = "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%253e%22%20/%3E"
    first = page(rows(1, 3), second, count=5)
    crm, wire, _ = connect({CONTACTS: [first, page(rows(4, 5))]}, page_rows=3)
    seen: list[tuple[int, int]] = []
    spool = Spool(tmp_path / "s")
    done = crm.extract(QUERY, spool, lambda *progress: seen.append(progress))
    assert (done.rows, done.announced, done.format, done.rows_key) == (5, 5, PageFormat.JSON, "value")
    assert done.columns == ("contactid", "lastname", "_ownerid_value", "modifiedon")
    assert seen == [(3, 5), (5, 5)]
    assert [Path(path).suffixes for path in done.paths] == [[".json", ".gz"]] * 2
    assert gzip.decompress(Path(done.paths[0]).read_bytes()) == str(first.body).encode()
    asked = [sent for sent in wire.sent if sent.path == f"{ROOT}contacts"]
    assert asked[0].query == {
        "$select": ["contactid,lastname,_ownerid_value,modifiedon"],
        "$orderby": ["contactid"],
        "$count": ["true"],
    }
    assert asked[1].query["$skiptoken"] == ['<cookie pagenumber="2" pagingcookie="%3ccookie%3e" />']
    assert [sent.headers["Prefer"] for sent in asked] == ["odata.maxpagesize=3"] * 2


def test_window_filter_and_order_are_sent(tmp_path: Path) -> None:
    crm, wire, _ = connect({CONTACTS: page([], count=0)})
    window = Window("modifiedon", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    either = Group(False, (Condition("statecode", "eq", 0), Condition("lastname", "eq", "O'B & #1")))
    query = Extract("contact", ("lastname",), window, either, (("lastname", True), ("ownerid", False)))
    done = crm.extract(query, Spool(tmp_path / "s"), no_progress)
    assert (done.rows, done.announced, done.paths) == (0, 0, ())
    (asked,) = [sent for sent in wire.sent if sent.path == f"{ROOT}contacts"]
    assert asked.query["$filter"] == [
        "(modifiedon ge 2026-01-01T00:00:00Z and modifiedon lt 2026-01-02T00:00:00Z)"
        " and (statecode eq 0 or lastname eq 'O''B & #1')"
    ]
    assert asked.query["$orderby"] == ["lastname desc,_ownerid_value,contactid"]


def test_labels_and_tables_are_asked_for_as_annotations(tmp_path: Path) -> None:
    crm, wire, _ = connect({CONTACTS: page([], count=0)})
    fields = ("statuscode", "statuscode_label", "parentcustomerid_table", "parentcustomerid_name")
    done = crm.extract(Extract("contact", fields), Spool(tmp_path / "s"), no_progress)
    (asked,) = [sent for sent in wire.sent if sent.path == f"{ROOT}contacts"]
    assert asked.query["$select"] == ["contactid,statuscode,_parentcustomerid_value"]
    assert asked.headers["Prefer"] == (
        "odata.maxpagesize=5000,odata.include-annotations="
        '"Microsoft.Dynamics.CRM.lookuplogicalname,OData.Community.Display.V1.FormattedValue"'
    )
    assert done.columns == (
        "contactid",
        "statuscode",
        "statuscode@OData.Community.Display.V1.FormattedValue",
        "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
        "_parentcustomerid_value@OData.Community.Display.V1.FormattedValue",
    )
    for query in (
        Extract("contact", ("lastname",), None, Group(True, (Condition("statuscode_label", "eq", "Active"),))),
        Extract("contact", ("lastname",), order_by=(("ownerid_name", False),)),
    ):
        with pytest.raises(ConfigurationError, match=r"cannot filter or order by '\w+_(label|name)'"):
            crm.extract(query, Spool(tmp_path / "t"), no_progress)


def test_a_population_is_asked_for_in_lists(tmp_path: Path) -> None:
    crm, wire, _ = connect({CONTACTS: page([], count=0)})
    window = Window("modifiedon", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    ids, fresh = tuple(guid(n) for n in range(450)), (guid(900).upper(),)
    crm.extract(Extract("contact", ("lastname",), window, ids=ids, fresh=fresh), Spool(tmp_path / "s"), no_progress)
    filters = sorted(sent.query["$filter"][0] for sent in wire.sent if sent.path == f"{ROOT}contacts")
    assert len(filters) == 4 and all(len(sent.path) < 32_768 for sent in wire.sent)
    assert filters[0].startswith("(modifiedon ge 2026-01-01T00:00:00Z and modifiedon lt 2026-01-02T00:00:00Z) and (")
    assert filters[3] == f"(modifiedon lt 2026-01-02T00:00:00Z) and (contactid eq {guid(900)})"
    assert sum(text.count(guid(n)) for text in filters for n in range(450)) == 450
    with pytest.raises(ConfigurationError, match="the population to import: 'M-1' is not a record id"):
        crm.extract(Extract("contact", ("lastname",), ids=("M-1",)), Spool(tmp_path / "t"), no_progress)
    nobody = crm.extract(Extract("contact", ("lastname",), window, ids=()), Spool(tmp_path / "n"), no_progress)
    assert (nobody.rows, nobody.paths) == (0, ())


def test_a_broken_download_goes_on_at_its_page(tmp_path: Path) -> None:
    pages: dict[str, Reaction] = {
        "": page(rows(1, 2), "B"),
        "B": page(rows(3, 4), "C"),
        "C": requests.ConnectionError("reset"),
    }
    crm, _, _ = connect({CONTACTS: by_token(pages)})
    with pytest.raises(TransientError):
        crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    pages["C"] = page(rows(5, 5))
    crm, wire, _ = connect({CONTACTS: by_token(pages)})
    done = crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    assert done.rows == 5 and len(done.paths) == 3
    assert reads(wire.sent) == ["C"]
    crm, wire, _ = connect({CONTACTS: by_token(pages)})
    assert crm.extract(QUERY, Spool(tmp_path / "s"), no_progress).rows == 5
    assert reads(wire.sent) == []


def test_another_query_does_not_inherit_pages(tmp_path: Path) -> None:
    crm, wire, _ = connect({CONTACTS: page(rows(1, 2))})
    crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    other = Extract("contact", ("contactid", "firstname"))
    assert crm.extract(other, Spool(tmp_path / "s"), no_progress).rows == 2
    assert reads(wire.sent) == ["", ""]


def test_pages_of_another_address_are_not_gone_on_from(tmp_path: Path) -> None:
    pages: dict[str, Reaction] = {"": page(rows(1, 2), "B"), "B": requests.ConnectionError("reset")}
    crm, _, _ = connect({CONTACTS: by_token(pages)})
    with pytest.raises(TransientError):
        crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    moved = "https://renamed.crm4.dynamics.com"
    pages = {"": page(rows(1, 2), "B", host=moved), "B": page(rows(3, 3), host=moved)}
    crm, wire, _ = connect({CONTACTS: by_token(pages)}, account=account(url=moved))
    assert crm.extract(QUERY, Spool(tmp_path / "s"), no_progress).rows == 3
    assert reads(wire.sent) == ["", "B"]


def test_a_page_cookie_that_is_no_longer_good_starts_anew(tmp_path: Path) -> None:
    pages: dict[str, Reaction] = {"": page(rows(1, 2), "B"), "B": requests.ConnectionError("reset")}
    crm, _, _ = connect({CONTACTS: by_token(pages)})
    with pytest.raises(TransientError):
        crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    pages |= {"": page(rows(1, 3)), "B": error(400, "0x8004112A", "paging cookie is invalid")}
    crm, wire, _ = connect({CONTACTS: by_token(pages)})
    done = crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    assert done.rows == 3 and reads(wire.sent) == ["B", ""]


@pytest.mark.parametrize(("announced", "arrived"), [(4, 3), (2, 3)])
def test_another_number_than_announced_fails_and_leaves_nothing(tmp_path: Path, announced: int, arrived: int) -> None:
    crm, _, _ = connect({CONTACTS: page(rows(1, arrived), count=announced)})
    with pytest.raises(IncompleteImport, match=f"announced {announced} records, {arrived} arrived"):
        crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    assert Spool(tmp_path / "s").pages == ()
    crm, _, _ = connect({CONTACTS: page(rows(1, 4), count=4)})
    assert crm.extract(QUERY, Spool(tmp_path / "s"), no_progress).announced == 4


def test_five_thousand_is_no_total(tmp_path: Path) -> None:
    crm, _, _ = connect({CONTACTS: [page(rows(1, 5_000), "B", count=5000), page(rows(5_001, 5_001))]})
    assert crm.extract(QUERY, Spool(tmp_path / "s"), no_progress).announced is None
    crm, _, _ = connect({CONTACTS: [page(rows(1, 2), "B", count=5000), page(rows(3, 3))]})
    with pytest.raises(IncompleteImport, match="announced 5,000 or more records, 3 arrived"):
        crm.extract(QUERY, Spool(tmp_path / "few"), no_progress)


def test_a_page_that_breaks_off_is_asked_for_again(tmp_path: Path) -> None:
    whole = page(rows(1, 3), count=3)
    cut = Answer(body=whole.body, gzip=True, cut=9)
    crm, wire, _ = connect({CONTACTS: [cut, whole]})
    assert crm.extract(QUERY, Spool(tmp_path / "s"), no_progress).rows == 3
    assert reads(wire.sent) == ["", ""]


def test_a_next_link_that_does_not_move_on_is_an_error(tmp_path: Path) -> None:
    crm, _, _ = connect({CONTACTS: page(rows(1, 2), "B")})
    with pytest.raises(CRMError, match="the same next link twice"):
        crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)


def test_the_token_goes_to_no_other_host(tmp_path: Path) -> None:
    crm, wire, _ = connect({CONTACTS: page(rows(1, 2), "B", host="https://evil.example.com")})
    with pytest.raises(CRMError, match=r"another host \(https://evil\.example\.com\)"):
        crm.extract(QUERY, Spool(tmp_path / "s"), no_progress)
    assert not [sent for sent in wire.sent if "evil" in sent.headers.get("Host", "")] and reads(wire.sent) == [""]


def test_throttling_is_waited_out(tmp_path: Path) -> None:
    busy = error(429, "0x80072322", "Number of requests exceeded the limit of 6000.", Retry_After="17")
    timeout = error(400, "0x80044151", "SQL timeout expired.")
    crm, _, pauses = connect({CONTACTS: [busy, timeout, Answer(503, "<html>"), page(rows(1, 1))]})
    assert crm.extract(QUERY, Spool(tmp_path / "s"), no_progress).rows == 1
    assert pauses[0] == 17 and len(pauses) == 3


def test_a_query_too_long_for_a_url_goes_inside_a_batch(tmp_path: Path) -> None:
    urls: list[str] = []

    def inner(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        urls.append(url)
        assert headers["Prefer"] == "odata.maxpagesize=5000"
        return 200, {"Content-Type": "application/json"}, str(page(rows(1, 2), count=2).body).encode()

    names = tuple(f"Long name number {n:05d}" for n in range(1300))
    query = Extract("contact", ("contactid",), None, Group(True, (Condition("lastname", "in", names),)))
    crm, wire, _ = connect({}, inner)
    done = crm.extract(query, Spool(tmp_path / "s"), no_progress)
    assert (done.rows, done.announced) == (2, 2)
    assert len(urls) == 1 and len(urls[0]) > 32_768
    assert json.loads(Path(done.paths[0]).read_bytes())["value"][0]["contactid"] == guid(1)
    longer = Extract("contact", ("contactid",), None, Group(True, (Condition("lastname", "in", names),) * 2))
    with pytest.raises(ConfigurationError, match="characters long; Dataverse takes 65,536"):
        crm.extract(longer, Spool(tmp_path / "t"), no_progress)
    assert reads(wire.sent) == []


def test_ids_read_the_key_alone(tmp_path: Path) -> None:
    crm, wire, _ = connect({CONTACTS: page([{"@odata.etag": "1", "contactid": guid(1)}], count=1)})
    done = crm.ids("contact", Spool(tmp_path / "s"), no_progress)
    assert (done.rows, done.columns) == (1, ("contactid",))
    assert wire.sent[-1].query["$select"] == ["contactid"] and "$filter" not in wire.sent[-1].query


def test_deletions_are_not_listed() -> None:
    crm, _, _ = connect({})
    assert not crm.detects_deletions
    with pytest.raises(CRMError, match="keeps no list of deleted contact records"):
        crm.deleted("contact", None, datetime(2026, 1, 1, tzinfo=UTC))


def test_an_unknown_field_is_a_configuration_fault_before_anything_is_read(tmp_path: Path) -> None:
    crm, wire, _ = connect({})
    with pytest.raises(ConfigurationError, match="has no field 'lastnam'") as caught:
        crm.extract(Extract("contact", ("lastnam",)), Spool(tmp_path / "s"), no_progress)
    assert "did you mean 'lastname'?" in str(caught.value)
    assert reads(wire.sent) == []


# --- counting ---------------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=20) | st.sampled_from(
    ['"contactid":"', '"@odata.etag":', '\\"contactid\\":', '"@odata.nextLink":"https://evil"', '@odata.count":7', "{"]
)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(st.tuples(TEXTS, TEXTS | st.none()), max_size=6),
    st.none() | st.text(max_size=20).map(lambda text: "https://x/" + text),
    st.none() | st.integers(0, 5000),
    st.booleans(),
    st.sampled_from([(",", ":"), (", ", ": ")]),
)
def test_counting_agrees_with_parsing(
    made: list[tuple[str, str | None]], link: str | None, count: int | None, etags: bool, separators: tuple[str, str]
) -> None:
    body: dict[str, Any] = {"@odata.context": "x"}
    if count is not None:
        body["@odata.count"] = count
    body["value"] = [
        {**({"@odata.etag": "1"} if etags else {}), "contactid": guid(1), "a": first, "contactid2": second}
        for first, second in made
    ]
    if link is not None:
        body["@odata.nextLink"] = link
    for ascii_only in (True, False):
        text = json.dumps(body, separators=separators, ensure_ascii=ascii_only)
        assert page_facts(text.encode("utf-8", "surrogatepass"), "contactid") == PageFacts(len(made), link, count)


@pytest.mark.parametrize("text", ["", "{", "<html>", '{"error":{}}', '{"value":7}', '[{"contactid":"1"}]'])
def test_what_is_no_page_is_noticed(text: str) -> None:
    with pytest.raises(NotAPage):
        page_facts(text.encode(), "contactid")


# --- fetch ------------------------------------------------------------------------------------------------------------


def test_fetch_gives_typed_values_under_the_fields_names() -> None:
    row = {
        "@odata.etag": "1",
        "contactid": guid(1),
        "lastname": "A",
        "_ownerid_value": guid(9),
        "annualincome": 922337203685477.5807,
        "birthdate": "1980-02-29",
        "modifiedon": "2026-03-01T09:15:00Z",
        "donotbulkemail": False,
        "statecode": 0,
        "new_campaignscore": None,
    }
    text = json.dumps({"value": [row]}).replace("922337203685477.6", "922337203685477.5807")
    crm, wire, _ = connect({CONTACTS: Answer(body=text)})
    fields = ["contactid", "ownerid", "annualincome", "birthdate", "modifiedon", "donotbulkemail", "statecode"]
    found = crm.fetch("contact", "contactid", [guid(1), "not an id", guid(1)], [*fields, "new_campaignscore"])
    assert found == [
        {
            "contactid": guid(1),
            "ownerid": guid(9),
            "annualincome": Decimal("922337203685477.5807"),
            "birthdate": date(1980, 2, 29),
            "modifiedon": datetime(2026, 3, 1, 9, 15, tzinfo=UTC),
            "donotbulkemail": False,
            "statecode": 0,
            "new_campaignscore": None,
        }
    ]
    assert wire.sent[-1].query["$filter"] == [f"contactid eq {guid(1)}"]


def test_fetch_goes_in_runs_and_follows_next_links() -> None:
    def answer(sent: Sent) -> Answer:
        if "$skiptoken" in sent.query:
            return page(rows(2, 2))
        return page(rows(1, 1), "B")

    crm, wire, _ = connect({CONTACTS: answer})
    values = [guid(n) for n in range(450)]
    found = crm.fetch("contact", "contactid", values, ["contactid"])
    assert [row["contactid"] for row in found] == [guid(1), guid(2)] * 3
    asked = [sent.query["$filter"][0] for sent in wire.sent if "$filter" in sent.query]
    assert sum(text.count('"') // 2 for text in asked) == 450
    assert crm.fetch("contact", "contactid", [], ["contactid"]) == []


def test_fetch_by_a_hostile_key() -> None:
    crm, wire, _ = connect({CONTACTS: page([])})
    crm.fetch("contact", "emailaddress1", ["o'b+1@x.de", "a&b", "plain@x.de", "other@x.de"], ["contactid"])
    assert wire.sent[-1].query["$filter"] == [
        '(Microsoft.Dynamics.CRM.In(PropertyName=\'emailaddress1\',PropertyValues=["plain@x.de","other@x.de"])'
        " or emailaddress1 eq 'o''b+1@x.de' or emailaddress1 eq 'a&b')"
    ]


@pytest.mark.parametrize("behind", [True, False])
def test_the_link_and_the_count_of_a_large_page_are_found_on_either_side_of_its_rows(behind: bool) -> None:
    hostile = '"@odata.nextLink":"no","@odata.count":1' + "]}" * 20
    found = [{"@odata.etag": f'W/"{n}"', "contactid": str(n), "lastname": hostile} for n in range(12_000)]
    link = "https://next?[$skiptoken=\\"
    told = {"@odata.count": 12_000, "@odata.nextLink": link}
    made = {"@odata.context": "c", **({} if behind else told), "value": found, **(told if behind else {})}
    text = json.dumps(made, separators=(",", ":")).encode()
    assert len(text) > 1_000_000
    assert page_facts(text, "contactid") == PageFacts(12_000, link, 12_000)
