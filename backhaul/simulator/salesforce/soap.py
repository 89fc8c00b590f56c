"""SOAP ``login()``: the one call of the Partner and Enterprise endpoints that is served here, with its faults.

Rests on salesforce-api.md §2.3 and §11: there is no ``login()`` from version 65 on, versions to 30 are retired, and an
org may have it switched off (setting ``soap_login``).
"""

from __future__ import annotations

import hmac
import html
import re
from collections.abc import Mapping

from backhaul.simulator.salesforce.org import PASSWORD, SECURITY_TOKEN, USERNAME
from backhaul.simulator.salesforce.wire import Call, Reply

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
        return _fault("INVALID_OPERATION", f"The operation {operation[2]} is not served by this simulator")
    if number > _LAST:
        return _fault("UNSUPPORTED_API_VERSION", f"SOAP API login() is not available in API version {number}.0")
    if not request.org.setting("soap_login"):
        return _fault("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.")
    username, password = _element(text, "username"), _element(text, "password")
    known = hmac.compare_digest(password.encode(), (PASSWORD + SECURITY_TOKEN).encode())
    if username.lower() != USERNAME or not known:
        return _fault("INVALID_LOGIN", _INVALID)
    return _logged_in(request, api, version)


def _logged_in(request: Call, api: str, version: str) -> Reply:
    org = request.org
    person = org.store.dicts('SELECT * FROM "User" WHERE "Id" = ?', [org.user_id])[0]
    info = {
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
    result = {
        "metadataServerUrl": f"{request.base}/services/Soap/m/{version}.0/{org.id}",
        "passwordExpired": "false",
        "sandbox": "false",
        "serverUrl": f"{request.base}/services/Soap/{api}/{version}.0/{org.id}",
        "sessionId": org.open_session(),
        "userId": org.user_id,
    }
    body = f"<loginResponse><result>{_elements(result)}<userInfo>{_elements(info)}</userInfo></result></loginResponse>"
    namespace = _PARTNER if api == "u" else _ENTERPRISE
    xml = _ENVELOPE.format(more=f'xmlns="{namespace}"', body=body)
    return Reply(200, xml, {}, "text/xml;charset=UTF-8")


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


def _elements(values: Mapping[str, object]) -> str:
    return "".join(f"<{name}>{html.escape(str(value))}</{name}>" for name, value in values.items())
