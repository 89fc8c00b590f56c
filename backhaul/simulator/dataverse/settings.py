"""What the control door can change about an organisation and its directory (``POST /_control/settings``).

==============================  ========================================================================================
``token_seconds``               life of new access tokens (3599)
``refresh_seconds``             life of new refresh tokens (90 days)
``client_secret``               the application's secret from now on
``sign_in``                     policies of the directory, each false or true: ``mfa`` (users need a second factor, so
                                that a password alone is refused, AADSTS50076), ``consent`` (false: the application has
                                none, AADSTS65001), ``passwords`` (false: no ROPC, AADSTS7000218 for public clients),
                                ``secret_expired`` (AADSTS7000222), ``revoked`` (refresh tokens are refused,
                                AADSTS50173); and ``device``: what users do with a device code: ``approve`` (at once),
                                ``pending`` (nothing), ``decline``, ``expire``
``member``                      false: the caller has no user in the organisation (403 0x80072560)
``roles``                       false: its user has no role (403 0x80042f09)
``disabled``                    true: its user is disabled (403 0x80040225)
``licensed``                    false: its user has no licence (403 0x8004d24b)
``missing_privileges``          names such as ``prvReadContact`` that the callers lack (403 0x80040220)
``secured_columns``             ``{"contact": {"annualincome": ["create", "read", "update"]}}``: columns under column
                                security (IsSecured) and what it forbids the callers: writes are refused (403
                                0x8004f502, 0x8004f507), reads give null, ``[]`` forbids nothing
``administrator``               true: the application's user has the role System Administrator, whom column security
                                lets do everything
``limits``                      service protection: ``requests`` (6000), ``execution_ms`` (1200000), ``concurrent`` (52)
                                a user and web server within ``seconds`` (300); null switches one off
``charge_ms``                   what each request is charged besides the time it really takes (0)
``servers``                     web servers of the organisation; who sends no ``ARRAffinity`` cookie meets them in turn
``dop_hint``                    ``x-ms-dop-hint`` (8)
``expire_change_tracking_days`` how long a delta token is good (7)
``metadata_lag_seconds``        how long definitions are shown as before a change, unless ``Consistency: Strong`` (0)
``job_seconds``                 how long asynchronous jobs take: BulkDelete, the index of a key made by the Web API (0)
``auditing``                    true: deletes and merges are written to ``audits``
``recycle_days``                how long deleted rows can be restored (0: there is no recycle bin)
``quoted_boundary``             true: the boundary in the Content-Type of a ``$batch`` reply stands in quotes
==============================  ========================================================================================

Tables, keys, plug-ins, duplicate-detection rules and users have doors of their own: see ``verbs`` of
:class:`.org.DataverseOrg`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

_DEFAULTS: dict[str, Any] = {
    "token_seconds": 3599,
    "refresh_seconds": 90 * 86_400,
    "client_secret": None,
    "sign_in": {
        "mfa": False,
        "consent": True,
        "passwords": True,
        "secret_expired": False,
        "revoked": False,
        "device": "approve",
    },
    "member": True,
    "roles": True,
    "disabled": False,
    "licensed": True,
    "missing_privileges": [],
    "secured_columns": {},
    "administrator": False,
    "limits": {"requests": 6_000, "execution_ms": 1_200_000, "concurrent": 52, "seconds": 300},
    "charge_ms": 0,
    "servers": 1,
    "dop_hint": 8,
    "expire_change_tracking_days": 7,
    "metadata_lag_seconds": 0,
    "job_seconds": 0,
    "auditing": False,
    "recycle_days": 0,
    "quoted_boundary": False,
}
_DEVICE = ("approve", "pending", "decline", "expire")


def defaults() -> dict[str, Any]:
    """Give the settings of a new organisation."""
    return deepcopy(_DEFAULTS)


def changed(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings with `changes`; ``sign_in`` and ``limits`` keep the parts that are not named.

    Raises ValueError for a name there is not, or a value of the wrong kind.
    """
    unknown = set(changes) - set(_DEFAULTS)
    if unknown:
        raise ValueError(f"no setting {', '.join(sorted(unknown))}; there are {', '.join(_DEFAULTS)}")
    found = {**defaults(), **settings}
    for name, value in changes.items():
        default = _DEFAULTS[name]
        if name in ("sign_in", "limits"):
            parts = dict(value)
            wrong = set(parts) - set(default)
            if wrong or parts.get("device", "approve") not in _DEVICE:
                raise ValueError(f"{name} knows {', '.join(default)} (device: {', '.join(_DEVICE)}); found {parts}")
            found[name] = {**found[name], **parts}
            continue
        kind = str if default is None else type(default)
        right = isinstance(value, int | float) if kind is int else isinstance(value, kind)
        if value is not default and (not right or isinstance(value, bool) != (kind is bool)):
            raise ValueError(f"the setting {name} needs a {kind.__name__}, found {value!r}")
        found[name] = value
    return found
