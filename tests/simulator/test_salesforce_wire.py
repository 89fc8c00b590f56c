"""Salesforce's wire manners: printing, conditional requests, limits of the address, media types, retired versions."""

from __future__ import annotations

import re

import pytest
import requests

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code

FIELD_KEYS = (
    "aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete caseSensitive "
    "compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate "
    "dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo "
    "filterable filteredLookupInfo formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup "
    "inlineHelpText label length mask maskType name nameField namePointing nillable permissionable picklistValues "
    "polymorphicForeignKey precision queryByDistance referenceTargetField referenceTo relationshipName "
    "relationshipOrder restrictedDelete restrictedPicklist scale searchPrefilterable soapType sortable type unique "
    "updateable writeRequiresMasterRead"
)
OBJECT_KEYS = (
    "actionOverrides activateable associateEntityType associateParentEntity childRelationships compactLayoutable "
    "createable custom customSetting deepCloneable defaultImplementation deletable deprecatedAndHidden extendedBy "
    "extendsInterfaces feedEnabled fields hasSubtypes implementedBy implementsInterfaces isInterface isSubtype "
    "keyPrefix label labelPlural layoutable listviewable lookupLayoutable mergeable mruEnabled name namedLayoutInfos "
    "networkScopeFieldName queryable recordTypeInfos replicateable retrieveable searchLayoutable searchable "
    "sobjectDescribeOption supportedScopes triggerable undeletable updateable urls"
)


def test_pretty_printing_as_the_service_does(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    (key,) = salesforce_door.seed("Account", [{"Name": 'A "ü"'}])
    text = client.query("SELECT Name FROM Account", headers={"X-PrettyPrint": "1"}).content.decode()
    assert text == (
        '{\n  "totalSize" : 1,\n  "done" : true,\n  "records" : [ {\n    "attributes" : {\n'
        f'      "type" : "Account",\n      "url" : "/services/data/v67.0/sobjects/Account/{key}"\n'
        '    },\n    "Name" : "A \\"ü\\""\n  } ]\n}'
    )
    empty = client.query("SELECT Name FROM Lead", headers={"X-PrettyPrint": "1"}).text
    assert '"records" : [ ]' in empty
    several = client.query("SELECT Nope FROM Lead", headers={"X-PrettyPrint": "1"}).text
    assert several.startswith('[ {\n  "message" : ') and several.endswith("\n} ]")


def test_describe_has_every_property(running: Running) -> None:
    client = Client(running)
    for entry in client.get("/sobjects").json()["sobjects"]:
        found = client.get(entry["urls"]["describe"]).json()
        assert set(found) == set(OBJECT_KEYS.split())
        assert all(set(field) == set(FIELD_KEYS.split()) for field in found["fields"])
        assert {*entry} <= {*found} and entry["keyPrefix"] == found["keyPrefix"]


def test_conditional_describes(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    for path in ("/sobjects", "/sobjects/Contact/describe"):
        first = client.get(path)
        for name, value in (("If-Modified-Since", "Last-Modified"), ("If-None-Match", "ETag")):
            again = client.get(path, headers={name: first.headers[value]})
            assert (again.status_code, again.content) == (304, b"") and again.headers["ETag"] == first.headers["ETag"]
            assert again.headers["Sforce-Limit-Info"]
        for old in ("Thu, 03 Sep 2020 21:35:07 GMT", "Thu, 03 Sep 2020 21:35:07", "no date"):
            assert client.get(path, headers={"If-Modified-Since": old}).status_code == 200
    part = {
        "method": "GET",
        "url": "/services/data/v67.0/sobjects",
        "referenceId": "a",
        "httpHeaders": {"If-Modified-Since": first.headers["Last-Modified"]},
    }
    (answer,) = client.send("POST", "/composite", json={"compositeRequest": [part]}).json()["compositeResponse"]
    assert (answer["httpStatusCode"], answer["body"]) == (304, None) and answer["httpHeaders"]["ETag"]
    salesforce_door.post("clock", {"advance": 60})
    salesforce_door.post("fields", {"object": "Contact", "fields": [{"name": "New__c"}]})
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_addresses_and_headers_have_a_limit(running: Running) -> None:
    client = Client(running)
    assert code(client.get("/limits", headers={"X-Big": "x" * 16_400})) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
    assert code(client.query("SELECT Id FROM Contact WHERE LastName = '" + "x" * 16_400 + "'"))[0] == 414


def test_heads_media_types_and_methods(running: Running) -> None:
    client = Client(running)
    head = client.send("HEAD", "/limits")
    assert (head.status_code, head.content) == (200, b"") and head.headers["Sforce-Limit-Info"]
    assert code(client.send("POST", "/sobjects/Account", data={"Name": "x"})) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert client.send("POST", "/sobjects/Account", data=b'{"Name": "x"}').status_code == 201
    assert code(client.send("OPTIONS", "/limits")) == (405, "METHOD_NOT_ALLOWED")
    assert client.get("/composite").json()["graph"] == "/services/data/v67.0/composite/graph"


@pytest.mark.parametrize("path", ["/limits//", "//limits", "/limits/?x=1", "/Limits"])
def test_slashes(running: Running, path: str) -> None:
    assert Client(running).get(path).status_code == (404 if path == "/Limits" else 200)


def test_retired_versions(running: Running) -> None:
    client = Client(running)
    for version in ("8.0", "20.0", "30.0"):
        assert code(client.get(f"/services/data/v{version}/limits")) == (410, "UNSUPPORTED_API_VERSION")
        token = str(client.session.headers["Authorization"]).partition(" ")[2]
        headers = {"X-SFDC-Session": token, "Content-Type": "application/json"}
        answer = client.send("POST", f"/services/async/{version}/job", headers=headers, json={})
        assert (answer.status_code, answer.json()["exceptionCode"]) == (410, "InvalidUrl")
    assert client.get("/services/data/v31.0/limits").status_code == 200


def test_every_rest_answer_tells_the_allowance(running: Running) -> None:
    client = Client(running)
    paths = ("", "/sobjects", "/query?q=nonsense", "/nothing", "/jobs/query", "/jobs/ingest", "/sobjects/Nope")
    used = [client.get(path).headers["Sforce-Limit-Info"] for path in paths]
    assert used == [f"api-usage={place}/100000" for place in range(1, len(paths) + 1)]
    assert "Sforce-Limit-Info" not in client.get("/services/data").headers


def test_gzip_wherever_it_is_asked_for(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    salesforce_door.seed("Contact", [{"LastName": f"Person {place}"} for place in range(50)])
    paths = ["/services/data", "/sobjects", "/sobjects/Contact/describe", "/query?q=SELECT+Id+FROM+Contact"]
    paths.append(client.job("SELECT Id, LastName FROM Contact") + "/results")
    for path in paths:
        plain = client.get(path, headers={"Accept-Encoding": "identity"})
        packed = client.get(path, headers={"Accept-Encoding": "gzip, deflate"})
        assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
        assert plain.content == packed.content


def test_the_identity_answers_what_their_readers_ask(running: Running) -> None:
    client = Client(running)
    token = str(client.session.headers["Authorization"]).partition(" ")[2]
    url = client.get("").json()["identity"]
    found = requests.get(url, params={"format": "json", "oauth_token": token}, timeout=10).json()
    assert found["id"] == url and found["urls"]["rest"] == f"{client.base}/services/data/v{{version}}/"
    assert (found["user_id"], found["organization_id"]) == (running.salesforce.user_id, running.salesforce.id)
    assert found["username"] == "integration@example.com" and found["active"] is True
    posted = requests.post(f"{client.base}/services/oauth2/userinfo", data={"access_token": token}, timeout=10).json()
    assert posted["sub"] == url and posted["preferred_username"] == "integration@example.com"
    other = re.sub(r"00D\w+", "00D000000000001EAA", url)
    for address, status, text in (
        (url, 403, "Missing_OAuth_Token"),
        (f"{url}?oauth_token=x", 403, "Bad_OAuth_Token"),
        (f"{other}?oauth_token={token}", 403, "Wrong_Org"),
        (f"{url[:-18]}{running.salesforce.other_user_id}?oauth_token={token}", 404, "Bad_Id"),
        (f"{client.base}/services/oauth2/userinfo", 403, "Missing_OAuth_Token"),
    ):
        answer = requests.get(address, timeout=10)
        assert (answer.status_code, answer.text) == (status, text)


def test_conditional_requests_for_records(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    (key,) = salesforce_door.seed("Account", [{"Name": "A"}], modified_at="2026-01-02T03:04:05Z")
    path = f"/sobjects/Account/{key}"
    stamp = "Fri, 02 Jan 2026 03:04:05 GMT"
    assert client.get(path).headers["Last-Modified"] == stamp
    same = client.get(path, headers={"If-Modified-Since": stamp})
    assert (same.status_code, same.content) == (304, b"")
    before = {"If-Unmodified-Since": "Fri, 02 Jan 2026 03:04:04 GMT"}
    for method, body in (("GET", None), ("PATCH", {"Name": "B"}), ("DELETE", None)):
        assert code(client.send(method, path, json=body, headers=before)) == (412, "PRECONDITION_FAILED")
    assert salesforce_door.dump("Account")[0]["Name"] == "A"
    assert client.send("PATCH", path, json={"Name": "B"}, headers={"If-Unmodified-Since": stamp}).status_code == 204
    assert client.send("PATCH", path, json={"Name": "C"}, headers={"If-Unmodified-Since": stamp}).status_code == 412
    assert client.get(path, headers={"If-Modified-Since": stamp}).json()["Name"] == "B"
