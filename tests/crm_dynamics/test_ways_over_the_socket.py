"""Sign-ins, options, limits and jobs against the simulated environment, over its socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backhaul.crm import no_progress
from backhaul.crm.dynamics import DynamicsConnector, erasing, writing
from backhaul.errors import SignInError
from backhaul.record import Change, Extract, Operation, State
from backhaul.simulator.dataverse import entra
from backhaul.spool import Spool
from tests.crm.contract import Control

from .test_signin_ways import made, pem

Open = Callable[..., DynamicsConnector]


@pytest.fixture(autouse=True)
def _as_new(control: Control) -> Iterator[None]:
    yield
    control.post("reset")


def people(count: int, **values: Any) -> list[Change]:
    return [Change(f"k{n}", {"lastname": f"N{n}", **values}) for n in range(count)]


# --- signing in -------------------------------------------------------------------------------------------------------


def test_a_certificate_opens_the_environment(control: Control, opened: Open) -> None:
    key, certificate = made()
    client = "3f1b0c55-9a0e-4a58-8d2f-1c9e7a60b3d4"
    user = control.post("applications", client_id=client, certificate=pem(None, certificate).decode())["systemuserid"]
    auth: dict[str, Any] = {"method": "certificate", "client_id": client, "certificate_file": None, "password": None}
    crm = opened(**auth, certificate=SecretStr(pem(key, certificate).decode()))
    assert crm.identity().user == user
    other_key, other = made()
    with pytest.raises(SignInError, match="AADSTS700027: the certificate is not the one that the app has"):
        opened(**auth, certificate=SecretStr(pem(other_key, other).decode())).identity()


def test_a_person_signs_in_by_device_code(control: Control, opened: Open, tmp_path: Path) -> None:
    shown: list[str] = []
    auth: dict[str, Any] = {"method": "device_code", "client_id": entra.PUBLIC_CLIENT_ID, "state_folder": tmp_path}
    crm = opened(**auth, tell=shown.append)
    robin = crm.identity().user
    assert len(shown) == 1
    again = opened(**auth, tell=shown.append)
    assert again.identity().user == robin and len(shown) == 1
    # The kept tokens are no good any more: the person is asked anew.
    control.post("settings", sign_in={"revoked": True})
    control.fault("GET", "WhoAmI", {"status": 401, "headers": {"WWW-Authenticate": "Bearer"}, "body": ""})
    assert opened(**auth, tell=shown.append).identity().user == robin and len(shown) == 2


@pytest.mark.parametrize("ending", ["decline", "expire"])
def test_a_code_that_is_not_entered_has_its_own_message(control: Control, opened: Open, ending: str) -> None:
    control.post("settings", sign_in={"device": ending})
    crm = opened(method="device_code", client_id=entra.PUBLIC_CLIENT_ID, tell=lambda text: None)
    with pytest.raises(SignInError, match=r"the sign-in was declined|the code was not entered in time"):
        crm.identity()


def test_a_name_and_a_password_where_the_tenant_allows_it(control: Control, opened: Open) -> None:
    auth: dict[str, Any] = {
        "method": "username_password",
        "client_id": entra.PUBLIC_CLIENT_ID,
        "username": entra.USER_NAME,
    }
    assert opened(**auth, password=SecretStr(entra.USER_PASSWORD)).identity().user
    with pytest.raises(SignInError, match="the user name or the password is wrong"):
        opened(**auth, password=SecretStr("wrong")).identity()
    control.post("settings", sign_in={"mfa": True})
    with pytest.raises(SignInError, match="a second factor"):
        opened(**auth, password=SecretStr(entra.USER_PASSWORD)).identity()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"member": False}, "the app is no application user of this environment"),
        ({"roles": False}, "the application user has no security role"),
        ({"disabled": True}, "the application user is disabled"),
    ],
)
def test_who_may_not_in_is_told_why(control: Control, opened: Open, settings: dict[str, Any], told: str) -> None:
    control.post("settings", **settings)
    with pytest.raises(SignInError, match=told):
        opened().identity()


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 40])
def test_duplicates_are_found_where_asked_for(control: Control, opened: Open, count: int) -> None:
    control.post("duplicates", object="contact", columns=["emailaddress1"])
    crm = opened()
    crm.write("contact", Operation.CREATE, [Change("first", {"lastname": "A", "emailaddress1": "a@example.com"})], {})
    twins = [*people(count), Change("twin", {"lastname": "B", "emailaddress1": "a@example.com"})]
    outcomes = crm.write("contact", Operation.CREATE, twins, {"duplicate_detection": True})
    refused = {one.key: one.symbol.lower() for one in outcomes if one.state is State.REJECTED}
    assert refused == {"twin": "0x80040333"}
    (allowed,) = crm.write("contact", Operation.CREATE, twins[-1:], {})
    assert allowed.state is State.DONE


@pytest.mark.parametrize("count", [1, 40])
def test_custom_logic_is_passed_by_where_asked_for(control: Control, opened: Open, count: int) -> None:
    control.post("plugins", object="contact", messages=["Create"], set={"jobtitle": "set by a plug-in"})
    crm = opened()
    plain = crm.write("contact", Operation.CREATE, people(count), {"id_scope": "plain"})
    past = crm.write("contact", Operation.CREATE, people(count), {"id_scope": "past", "bypass": "custom_sync"})
    titles = [
        {
            row["jobtitle"]
            for row in crm.fetch("contact", "contactid", [str(one.record_id) for one in some], ["jobtitle"])
        }
        for some in (plain, past)
    ]
    assert titles == [{"set by a plug-in"}, {None}]


def test_a_record_is_written_as_another_user(control: Control, opened: Open) -> None:
    user = control.post("users", name="kim@contoso.example", password="x")
    crm = opened()
    for number, run_as in enumerate((user["object_id"], f"systemuser:{user['systemuserid']}")):
        changes = [Change("k", {"lastname": "A"})]
        (one,) = crm.write("contact", Operation.CREATE, changes, {"run_as": run_as, "id_scope": str(number)})
        (row,) = crm.fetch("contact", "contactid", [str(one.record_id)], ["createdby"])
        assert row["createdby"] == user["systemuserid"]


def test_a_record_that_changed_since_is_not_written(control: Control, opened: Open) -> None:
    crm = opened()
    ids = [str(one.record_id) for one in crm.write("contact", Operation.CREATE, people(30), {})]
    seen = {str(row["contactid"]): str(row["versionnumber"]) for row in crm.fetch(
        "contact", "contactid", ids, ["versionnumber"])}  # fmt: skip
    control.post("change", object="contact", records=[{"contactid": ids[3], "firstname": "somebody else's"}])
    changes = [Change(f"u{n}", {"lastname": "mine"}, one, version=seen[one]) for n, one in enumerate(ids)]
    outcomes = crm.write("contact", Operation.UPDATE, changes, {"if_unchanged": True})
    refused = [(one.key, one.symbol.lower(), one.passing) for one in outcomes if one.state is not State.DONE]
    assert refused == [("u3", "0x80060882", True)]
    names = {str(row["contactid"]): row["lastname"] for row in crm.fetch("contact", "contactid", ids, ["lastname"])}
    assert names[ids[3]] == "N3" and {name for one, name in names.items() if one != ids[3]} == {"mine"}
    (gone,) = crm.write("contact", Operation.DELETE, [Change("d", {}, ids[3], version=seen[ids[3]])], {})
    assert (gone.state, gone.symbol.lower()) == (State.REJECTED, "0x80060882")


# --- limits and jobs --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_burst_limit_is_waited_out_and_nothing_is_lost(control: Control, opened: Open, tmp_path: Path) -> None:
    crm = opened()
    crm.describe("contact")
    control.post("settings", limits={"requests": 30, "seconds": 1})
    outcomes = [
        one
        for start in range(0, 60)
        for one in crm.write("contact", Operation.CREATE, [Change(f"k{start}", {"lastname": f"N{start}"})], {})
    ]
    assert {one.state for one in outcomes} == {State.DONE}
    control.post("settings", limits={"requests": 6000, "seconds": 300})
    got = crm.extract(Extract("contact", ("lastname",)), Spool(tmp_path), no_progress)
    assert got.rows == 60
    assert crm.limits.requests is not None


def test_a_bulk_delete_job_erases_and_leaves_what_may_not_go(
    control: Control, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_PARTS", 50)
    monkeypatch.setattr(erasing, "QUERY_ROWS", 40)
    crm = opened()
    crm.write("contact", Operation.CREATE, people(50), {"id_scope": "1"})
    crm.write("contact", Operation.CREATE, people(50), {"id_scope": "2"})
    ids = [row["contactid"] for row in requests_dump(control)]
    assert len(ids) == 100
    control.post("plugins", object="contact", messages=["Delete"], when={"lastname": "N7"}, refuse="still in use")
    outcomes = crm.write("contact", Operation.DELETE, [Change(one, {}, one) for one in ids], {})
    left = {row["contactid"] for row in requests_dump(control)}
    refused = {one.key for one in outcomes if one.state is State.REJECTED}
    assert refused == left and len(left) == 2
    assert {one.symbol.lower() for one in outcomes if one.state is State.REJECTED} == {"0x80040265"}
    assert {one.key for one in outcomes if one.state is State.DONE} == set(ids) - left


def requests_dump(control: Control) -> list[dict[str, Any]]:
    import requests

    found: list[dict[str, Any]] = requests.get(
        f"{control.url}/_control/dump", params={"object": "contact"}, timeout=60
    ).json()["records"]
    return found


def test_an_elastic_table_is_written_row_by_row_and_read(control: Control, opened: Open, tmp_path: Path) -> None:
    """A set message lands in part there, so that rows have answers of their own (§3.10, §5.3)."""
    control.post(
        "tables", object="new_event", type="Elastic", fields=[{"name": "new_kind", "type": "String", "length": 9}]
    )
    crm = opened()
    changes = [Change(f"k{n}", {"new_kind": "x" * 20 if n == 7 else f"K{n}"}) for n in range(60)]
    outcomes = crm.write("new_event", Operation.CREATE, changes, {})
    assert [one.key for one in outcomes if one.state is not State.DONE] == ["k7"]
    got = crm.extract(Extract("new_event", ("new_kind",)), Spool(tmp_path), no_progress)
    assert got.rows == 59
