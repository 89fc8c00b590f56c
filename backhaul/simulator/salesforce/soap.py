"""SOAP: ``login()``, and the calls for which there is no REST: ``merge``, ``undelete``, ``emptyRecycleBin``; besides
``delete``, ``getUserInfo``, ``getServerTimestamp`` and ``logout``.

Rests on salesforce-api.md §2.3, §5.2 and §11 (there is no ``login()`` from version 65 on, versions to 30 are retired,
and an org may have it switched off: setting ``soap_login``) and the SOAP guide's pages of these calls.
"""

from __future__ import annotations

import hmac
import html
import re
from collections.abc import Mapping

from backhaul.simulator.salesforce import ids, lifecycle
from backhaul.simulator.salesforce.errors import Problem
from backhaul.simulator.salesforce.org import PASSWORD, SECURITY_TOKEN, USERNAME, SalesforceOrg
from backhaul.simulator.salesforce.wire import Call, Reply
from backhaul.simulator.salesforce.writes import ABSENT, Writer

_FIRST, _LAST = 31, 64
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    "{more}><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
_PARTNER, _ENTERPRISE = "urn:partner.soap.sforce.com", "urn:enterprise.soap.sforce.com"
_INVALID = "Invalid username, password, security token; or user locked out."


def call(request: Call, api: str, version: str) -> Reply:
    """``POST /services/Soap/u/NN.0`` (or ``c``) with a login in the body."""
    number = int(version)
    if number < _FIRST:
        return _fault("UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: {number}.0 is retired")
    text = request.body.decode("utf-8", "replace")
    operation = re.search(r"<(?:\w+:)?Body[^>]*>\s*<(?:(\w+):)?(\w+)", text)
    if operation is None:
        return _fault("INVALID_SOAP_HEADER", "The request holds no SOAP body", prefix="soapenv")
    if operation[2] != "login":
        return _with_session(request, api, operation[2], text)
    if number > _LAST:
        return _fault("UNSUPPORTED_API_VERSION", f"SOAP API login() is not available in API version {number}.0")
    if not request.org.setting("soap_login"):
        return _fault("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.")
    username, password = _element(text, "username"), _element(text, "password")
    known = hmac.compare_digest(password.encode(), (PASSWORD + SECURITY_TOKEN).encode())
    if username.lower() != USERNAME or not known:
        return _fault("INVALID_LOGIN", _INVALID)
    return _logged_in(request, api, version)


def _with_session(request: Call, api: str, operation: str, text: str) -> Reply:
    """The answer of a call other than login()."""
    org = request.org
    session = _element(text, "sessionId")
    user = org.session_user(session)
    if user is None:
        return _fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
    given = _elements_named(text.partition(f"{operation}")[2], "ids")
    if operation == "logout":
        org.close_session(session)
        return _answer(api, "<logoutResponse/>")
    if operation == "getServerTimestamp":
        stamp = org.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        results = f"<result><timestamp>{stamp}</timestamp></result>"
    elif operation == "getUserInfo":
        results = f"<result>{_elements(_user_info(request))}</result>"
    elif operation in ("delete", "undelete", "emptyRecycleBin"):
        results = "".join(_each(org, operation, one, user) for one in given)
    elif operation == "merge":
        results = _merge(org, text, user)
    else:
        return _fault("INVALID_OPERATION", f"The operation {operation} is not served by this simulator")
    return _answer(api, f"<{operation}Response>{results}</{operation}Response>")


def _each(org: SalesforceOrg, operation: str, given: str, user: str) -> str:
    """The result of delete, undelete or emptyRecycleBin for one id."""
    key = ids.to18(given)
    kind = next((one for one in org.objects.values() if key and key.startswith(one.prefix)), None)
    deleted = org.existing(kind, [key]).get(key) if kind and key else None
    if kind is None or key is None:
        return _result("", Problem("MALFORMED_ID", f"bad id {given}"))
    if deleted is None:
        return _result("", ABSENT)
    if operation == "delete":
        (done,) = Writer(org, kind, user).delete([key])
        return _result(key, *done.problems)
    if not deleted:
        return _result("", Problem("UNDELETE_FAILED", "Entity is not in the recycle bin"))
    if operation == "undelete":
        lifecycle.undelete(org, kind, [key])
    else:
        org.purge(kind.name, [key])
    return _result(key)


def _merge(org: SalesforceOrg, text: str, user: str) -> str:
    """The result of merge() of one request."""
    master = re.search(r"<(?:\w+:)?masterRecord[^>]*>(.*?)</(?:\w+:)?masterRecord>", text, re.DOTALL)
    named = re.findall(r"<(?:\w+:)?(\w+)(?:\s[^>]*)?>([^<>]*)</", master[1] if master else "")
    values = {name: html.unescape(value) for name, value in named}
    kind = org.objects.get(values.pop("type", "").lower())
    key = values.pop("Id", values.pop("id", ""))
    losers = _elements_named(text, "recordToMergeIds")
    try:
        if kind is None:
            raise ValueError("the type of the master record is not known")
        lifecycle.merge(org, kind, key, losers, values, user=user)
    except ValueError as error:
        return _result("", Problem("MERGE_FAILED", str(error)))
    merged = "".join(f"<mergedRecordIds>{ids.to18(one)}</mergedRecordIds>" for one in losers)
    return f"<result><id>{ids.to18(key)}</id>{merged}<success>true</success></result>"


def _result(key: str, *problems: Problem) -> str:
    errors = "".join(
        f"<errors><message>{html.escape(one.message)}</message><statusCode>{one.code}</statusCode></errors>"
        for one in problems
    )
    shown = f"<id>{key}</id>" if key and not problems else '<id xsi:nil="true"/>'
    return f"<result>{errors}{shown}<success>{str(not problems).lower()}</success></result>"


def _answer(api: str, body: str) -> Reply:
    namespace = _PARTNER if api == "u" else _ENTERPRISE
    more = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="{namespace}"'
    return Reply(200, _ENVELOPE.format(more=more, body=body), {}, "text/xml;charset=UTF-8")


def _user_info(request: Call) -> dict[str, object]:
    """What ``userInfo`` holds."""
    org = request.org
    person = org.store.dicts('SELECT * FROM "User" WHERE "Id" = ?', [org.user_id])[0]
    return {
        "organizationId": org.id,
        "organizationName": "Simulated Org",
        "sessionSecondsValid": int(org.setting("session_seconds")),
        "userEmail": person["Email"],
        "userFullName": f"{person['FirstName']} {person['LastName']}",
        "userId": org.user_id,
        "userLanguage": "en_US",
        "userLocale": "en_US",
        "userName": person["Username"],
        "userTimeZone": org.setting("time_zone"),
        "userType": "Standard",
    }


def _logged_in(request: Call, api: str, version: str) -> Reply:
    org = request.org
    result = {
        "metadataServerUrl": f"{request.base}/services/Soap/m/{version}.0/{org.id}",
        "passwordExpired": "false",
        "sandbox": "false",
        "serverUrl": f"{request.base}/services/Soap/{api}/{version}.0/{org.id}",
        "sessionId": org.open_session(),
        "userId": org.user_id,
    }
    info = f"<userInfo>{_elements(_user_info(request))}</userInfo>"
    return _answer(api, f"<loginResponse><result>{_elements(result)}{info}</result></loginResponse>")


def _fault(code: str, message: str, *, prefix: str = "sf") -> Reply:
    name = "LoginFault" if code == "INVALID_LOGIN" else "UnexpectedErrorFault"
    text = html.escape(message)
    detail = f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{text}</sf:exceptionMessage>"
    body = (
        f"<soapenv:Fault><faultcode>{prefix}:{code}</faultcode><faultstring>{code}: {text}</faultstring>"
        f'<detail><sf:{name} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="sf:{name}">{detail}'
        f"</sf:{name}></detail></soapenv:Fault>"
    )
    xml = _ENVELOPE.format(more='xmlns:sf="urn:fault.partner.soap.sforce.com"', body=body)
    return Reply(500, xml, {}, "text/xml;charset=UTF-8")


def _element(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>(.*?)</(?:\w+:)?{name}>", text, re.DOTALL)
    return html.unescape(found[1]).strip() if found else ""


def _elements_named(text: str, name: str) -> list[str]:
    found = re.findall(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<>]*)</", text)
    return [html.unescape(one).strip() for one in found]


def _elements(values: Mapping[str, object]) -> str:
    return "".join(f"<{name}>{html.escape(str(value))}</{name}>" for name, value in values.items())
