"""What an export tells Dataverse beside the values, as headers of the requests that write."""

from __future__ import annotations

import pytest

from backhaul.crm.dynamics.options import OPTIONS
from backhaul.errors import ConfigurationError
from backhaul.record import Change, Operation

from .environment import guid, inner_requests
from .table import Contacts

GIVEN = {"duplicate_detection": True, "bypass": ["custom_sync", "custom_async", "flows"], "run_as": guid(7)}
HEADERS = {
    "MSCRM.SuppressDuplicateDetection": "false",
    "MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync",
    "MSCRM.SuppressCallbackRegistrationExpanderJob": "true",
    "CallerObjectId": guid(7),
}


def test_options_become_headers_of_writes_and_of_nothing_else() -> None:
    table = Contacts()
    crm, wire, _ = table.connect()
    crm.write("contact", Operation.UPSERT, [Change("k", {"lastname": "A"}, match={"new_membernumber": "1"})], GIVEN)
    crm.write("contact", Operation.CREATE, [Change(f"k{n}", {"lastname": "A"}) for n in range(30)], GIVEN)
    told = [set(HEADERS.items()) <= set(dict(sent.headers).items()) for sent in wire.sent]
    assert told == [sent.path.endswith("CreateMultiple") or b"PATCH" in sent.body for sent in wire.sent]
    (inner,) = [sent for sent in wire.sent if b"PATCH" in sent.body]
    assert set(HEADERS.items()) <= set(inner_requests(inner)[0][2].items())


def test_a_user_of_the_environment_may_be_named_instead() -> None:
    crm, wire, _ = Contacts().connect()
    crm.write("contact", Operation.CREATE, [Change("k", {"lastname": "A"})], {"run_as": f"systemuser:{guid(7)}"})
    assert wire.sent[-1].headers["MSCRMCallerID"] == guid(7) and "CallerObjectId" not in wire.sent[-1].headers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hard_delete": True}, "no option 'hard_delete'"),
        ({"bypass": "plugins"}, "bypass: plugins is unknown"),
        ({"run_as": "somebody"}, "run_as: 'somebody' is no user"),
        ({"run_as": f"team:{guid(1)}"}, "is no user"),
        ({"road": "bulk"}, "road: 'bulk' is unknown"),
    ],
)
def test_options_that_are_unknown_or_wrong_stop_the_call(options: dict[str, object], message: str) -> None:
    crm, wire, _ = Contacts().connect()
    with pytest.raises(ConfigurationError, match=message):
        crm.write("contact", Operation.CREATE, [Change("k", {"lastname": "A"})], options)
    assert not any(b"POST /api" in sent.body for sent in wire.sent)


def test_every_option_of_the_yaml_is_known() -> None:
    from backhaul.config import Options

    assert set(Options.dynamics) <= set(OPTIONS)
