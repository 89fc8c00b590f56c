"""Taking records out of the recycle bin. REST has no call for it: SOAP's ``undelete()`` does it, 200 ids a call.

Rests on salesforce-api.md §5.2 and on the SOAP guide's page of ``undelete()``: one ``UndeleteResult`` an id, in order;
children that went along with a record come back with it; some objects cannot be undeleted.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from xml.etree import ElementTree

from backhaul.crm.http import Http, Request
from backhaul.crm.salesforce.refusals import refused_row
from backhaul.crm.salesforce.values import long_id
from backhaul.errors import OutcomeInDoubt
from backhaul.record import Change, Operation, Outcome, State

NOT_IN_THE_BIN = "UNDELETE_FAILED"

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:p="urn:partner.soap.sforce.com">'
    "<soapenv:Header><p:SessionHeader><p:sessionId>{session}</p:sessionId></p:SessionHeader></soapenv:Header>"
    "<soapenv:Body><p:undelete>{ids}</p:undelete></soapenv:Body></soapenv:Envelope>"
)
_ID = re.compile("[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


def undelete(
    http: Http, version: str, object: str, changes: Sequence[Change], live: Callable[[Sequence[str]], set[str]]
) -> list[Outcome]:
    """One outcome a change, in their order. `live` tells which of some ids (18 characters) are live records.

    It may be sent twice: what is live by then, because an earlier call brought it back, is done.
    """
    refused = {
        change.key: Outcome(change.key, State.REJECTED, symbol="MALFORMED_ID", message="the row has no record id")
        for change in changes
        if not _ID.fullmatch(change.record_id or "")
    }
    asked = [change for change in changes if change.key not in refused]
    told = dict(refused)
    for change, (symbol, message) in zip(asked, _results(http, version, object, asked), strict=True):
        told[change.key] = (
            refused_row(change, Operation.RESTORE, symbol, message, ())
            if symbol
            else Outcome(change.key, State.DONE, change.record_id, created=True)
        )
    left = [change for change in asked if told[change.key].symbol == NOT_IN_THE_BIN]
    there = live([long_id(str(change.record_id)) for change in left]) if left else set()
    for change in left:
        if long_id(str(change.record_id)) in there:
            told[change.key] = Outcome(change.key, State.DONE, change.record_id, created=True)
    return [told[change.key] for change in changes]


def _results(http: Http, version: str, object: str, changes: Sequence[Change]) -> list[tuple[str, str]]:
    """(symbol, message) of each id, two empty texts for one that is back."""
    if not changes:
        return []
    ids = "".join(f"<p:ids>{change.record_id}</p:ids>" for change in changes)

    def body() -> io.BytesIO:
        # Written anew for each sending: the session may have been renewed in between.
        session = http.sign_in().get("Authorization", "").partition(" ")[2]
        return io.BytesIO(_ENVELOPE.format(session=html.escape(session), ids=ids).encode())

    purpose = f"undelete {len(changes)} {object}"
    request = Request(
        "POST",
        f"/services/Soap/u/{version}",
        purpose,
        headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        data=body,
        repeatable=True,
    )
    try:
        root = ElementTree.fromstring(http.send(request).content)  # noqa: S314 - the org's own answer, bounded
    except ElementTree.ParseError:
        root = ElementTree.Element("nothing")
    found = [one for one in root.iter() if _name(one) == "result"]
    if len(found) != len(changes):
        raise OutcomeInDoubt(
            f"{purpose}: account '{http.account}' gave {len(found)} answers for {len(changes)} rows",
            hint="run it again: what is back by then is not undeleted twice",
        )
    return [_told(one) for one in found]


def _told(result: ElementTree.Element) -> tuple[str, str]:
    words = {_name(one): (one.text or "").strip() for one in result.iter()}
    if words.get("success") == "true":
        return "", ""
    return words.get("statusCode") or "UNKNOWN", words.get("message", "")


def _name(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]
