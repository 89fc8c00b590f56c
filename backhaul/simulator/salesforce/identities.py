"""Who is signed in, as userinfo and the identity URL tell it. Rests on salesforce-api.md §2.2."""

from __future__ import annotations

from typing import Any

from backhaul.simulator.salesforce.wire import Call


def url(call: Call, user: str) -> str:
    """The identity URL of a user (the ``id`` of a token's answer): its last part is the user's id, the one before
    the org's."""
    return f"{call.base}/id/{call.org.id}/{user}"


def userinfo(call: Call, user: str) -> dict[str, Any]:
    """The body of ``/services/oauth2/userinfo``."""
    person = _stored(call, user)
    return {
        "sub": url(call, user),
        **_common(call, user),
        "preferred_username": person["Username"],
        "nickname": _nickname(person),
        "name": _name(person),
        "email": person["Email"],
        "email_verified": True,
        "given_name": person["FirstName"],
        "family_name": person["LastName"],
        "zoneinfo": call.org.setting("time_zone"),
        "photos": _photos(call),
        "profile": f"{call.base}/{user}",
        "picture": _photos(call)["picture"],
        "address": {"country": "US"},
        "updated_at": person["LastModifiedDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def identity(call: Call, user: str) -> dict[str, Any]:
    """The body behind the identity URL."""
    person = _stored(call, user)
    return {
        "id": url(call, user),
        "asserted_user": True,
        **_common(call, user),
        "username": person["Username"],
        "nick_name": _nickname(person),
        "display_name": _name(person),
        "email": person["Email"],
        "email_verified": True,
        "first_name": person["FirstName"],
        "last_name": person["LastName"],
        "timezone": call.org.setting("time_zone"),
        "photos": _photos(call),
        "addr_street": None,
        "addr_city": None,
        "addr_state": None,
        "addr_country": "US",
        "addr_zip": None,
        "mobile_phone": None,
        "mobile_phone_verified": False,
        "is_lightning_login_user": False,
        "status": {"created_date": None, "body": None},
        "last_modified_date": person["LastModifiedDate"].strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
    }


def _common(call: Call, user: str) -> dict[str, Any]:
    data = f"{call.base}/services/data/v{{version}}/"
    soap = {"enterprise": "c", "metadata": "m", "partner": "u"}
    feeds = {"feeds": "chatter/feeds", "groups": "chatter/groups", "users": "chatter/users"}
    return {
        "user_id": user,
        "organization_id": call.org.id,
        "urls": {
            **{name: f"{call.base}/services/Soap/{one}/{{version}}/{call.org.id[:15]}" for name, one in soap.items()},
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "search": f"{data}search/",
            "query": f"{data}query/",
            "recent": f"{data}recent/",
            "tooling_soap": f"{call.base}/services/Soap/T/{{version}}/{call.org.id[:15]}",
            "tooling_rest": f"{data}tooling/",
            "profile": f"{call.base}/{user}",
            **{name: data + path for name, path in feeds.items()},
            "custom_domain": call.base,
        },
        "active": bool(_stored(call, user)["IsActive"]),
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "is_app_installed": True,
    }


def _stored(call: Call, user: str) -> dict[str, Any]:
    return call.org.store.dicts('SELECT * FROM "User" WHERE "Id" = ?', [user])[0]


def _name(person: dict[str, Any]) -> str:
    return " ".join(part for part in (person["FirstName"], person["LastName"]) if part)


def _nickname(person: dict[str, Any]) -> str:
    return str(person["Username"]).split("@")[0]


def _photos(call: Call) -> dict[str, str]:
    return {"picture": f"{call.base}/profilephoto/005/F", "thumbnail": f"{call.base}/profilephoto/005/T"}
