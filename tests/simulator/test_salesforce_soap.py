"""Salesforce's SOAP calls for which there is no REST: merge, undelete, emptyRecycleBin; and the small ones."""

from __future__ import annotations

import re

import pytest
import requests

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code


class Soap:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.session = str(client.session.headers["Authorization"]).partition(" ")[2]

    def call(self, operation: str, inner: str = "", *, version: str = "67.0") -> requests.Response:
        body = (
            '<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Header><urn:SessionHeader><urn:sessionId>'
            f"{self.session}</urn:sessionId></urn:SessionHeader></soapenv:Header><soapenv:Body><urn:{operation}>{inner}"
            f"</urn:{operation}></soapenv:Body></soapenv:Envelope>"
        )
        headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
        return requests.post(
            f"{self.client.base}/services/Soap/u/{version}", data=body.encode(), headers=headers, timeout=30
        )


@pytest.fixture
def soap(running: Running) -> Soap:
    return Soap(Client(running))


def ids(*keys: str) -> str:
    return "".join(f"<urn:ids>{key}</urn:ids>" for key in keys)


def results(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/xml")
    return re.findall(r"<result>(.*?)</result>", answer.text)


def test_merge(soap: Soap, salesforce_door: Door) -> None:
    keep, lose = salesforce_door.seed("Account", [{"Name": "Keep"}, {"Name": "Lose"}])
    (person,) = salesforce_door.seed("Contact", [{"LastName": "A", "AccountId": lose}])
    master = f"<urn:masterRecord><urn:type>Account</urn:type><urn:Id>{keep}</urn:Id><urn:Name>A &amp; B</urn:Name>"
    request = f"<urn:request>{master}</urn:masterRecord><urn:recordToMergeIds>{lose[:15]}</urn:recordToMergeIds>"
    (done,) = results(soap.call("merge", f"{request}</urn:request>"))
    assert done == f"<id>{keep}</id><mergedRecordIds>{lose}</mergedRecordIds><success>true</success>"
    first, second = soap.client.records("SELECT Name, MasterRecordId, LastModifiedById FROM Account", everything=True)
    assert (first["Name"], second["MasterRecordId"]) == ("A & B", keep)
    assert soap.client.records("SELECT Id, AccountId FROM Contact") == [{"Id": person, "AccountId": keep}]
    (again,) = results(soap.call("merge", f"{request}</urn:request>"))
    assert "<statusCode>MERGE_FAILED</statusCode>" in again and "<success>false</success>" in again


def test_the_recycle_bin(soap: Soap, salesforce_door: Door) -> None:
    first, second, third = salesforce_door.seed("Lead", [{"LastName": n, "Company": "x"} for n in "ABC"])
    good, also, bad = results(soap.call("delete", ids(first, second, "junk")))
    assert f"<id>{first}</id><success>true</success>" == good and "success>true" in also and "MALFORMED_ID" in bad
    good, bad = results(soap.call("undelete", ids(first, third)))
    assert "<success>true</success>" in good and "UNDELETE_FAILED" in bad
    assert soap.client.values("SELECT Id FROM Lead ORDER BY Id") == [first, third]
    (good,) = results(soap.call("emptyRecycleBin", ids(second)))
    assert "<success>true</success>" in good
    everything = [row["Id"] for row in soap.client.records("SELECT Id FROM Lead", everything=True)]
    assert everything == [first, third]
    (gone,) = results(soap.call("undelete", ids(second)))
    assert "INVALID_CROSS_REFERENCE_KEY" in gone


def test_small_calls_and_sessions(soap: Soap, running: Running) -> None:
    assert "<userName>integration@example.com</userName>" in soap.call("getUserInfo").text
    assert re.search(
        r"<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z</timestamp>", soap.call("getServerTimestamp").text
    )
    refused = soap.call("describeGlobal")
    assert refused.status_code == 500 and "INVALID_OPERATION" in refused.text
    assert soap.call("getUserInfo", version="30.0").status_code == 500
    assert "<logoutResponse/>" in soap.call("logout").text
    dead = soap.call("getUserInfo")
    assert dead.status_code == 500 and "<sf:exceptionCode>INVALID_SESSION_ID</sf:exceptionCode>" in dead.text
    assert code(soap.client.get("/limits")) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    ("path", "since"),
    [
        ("/jobs/ingest", 41),
        ("/jobs/query", 47),
        ("/composite", 38),
        ("/composite/sobjects/Account?ids=1&fields=Id", 42),
    ],
)
def test_what_older_versions_do_not_have(soap: Soap, path: str, since: int) -> None:
    assert code(soap.client.get(f"/services/data/v{since - 1}.0{path}")) == (404, "NOT_FOUND")
    assert soap.client.get(f"/services/data/v{since}.0{path}").status_code in (200, 400)


def test_queries_inside_queries_are_counted(soap: Soap) -> None:
    some = "Id IN (SELECT AccountId FROM Contact)"
    inside = ", ".join(["(SELECT Id FROM Contacts)"] * 21)
    for soql, text in (
        (f"SELECT Id FROM Account WHERE {some} AND {some} AND {some}", "maximum 2 semi join sub-selects"),
        (f"SELECT Id, {inside} FROM Account", "too many sub-queries"),
    ):
        answer = soap.client.query(soql)
        assert code(answer) == (400, "MALFORMED_QUERY") and text in answer.json()[0]["message"]


def test_the_door_gives_sessions(salesforce_door: Door, running: Running) -> None:
    client = Client(running, sign_in=False)
    client.session.headers["Authorization"] = f"Bearer {salesforce_door.post('session')['access_token']}"
    assert client.get("/limits").status_code == 200
