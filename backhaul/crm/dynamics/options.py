"""What an export may tell Dataverse beside the values, as request headers (dataverse-api.md §5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backhaul.crm.dynamics.odata import GUID
from backhaul.errors import ConfigurationError, Fault

OPTIONS: Mapping[str, str] = {
    "duplicate_detection": "true: the environment's duplicate detection rules refuse what they match",
    "bypass": "custom_sync, custom_async (needs prvBypassCustomBusinessLogic), flows: logic that does not run",
    "run_as": "the Entra object id of a user to write as, or systemuser:ID (needs prvActOnBehalfOfAnotherUser)",
    "if_unchanged": "true: a record that has changed since it was imported is not written",
    "id_scope": "the name space of minted ids, see backhaul.crm.Connector.repeatable_creates",
    "repeated": "true: this call may have been made before by somebody whose answer was lost",
    "road": "batch: one request a row, in $batch; auto: set messages where they can answer for each row",
}
"""Every option that :meth:`Writer.write <backhaul.crm.dynamics.writing.Writer.write>` knows."""

_BYPASSED = {"custom_sync": "CustomSync", "custom_async": "CustomAsync"}
_FLOWS = "flows"
_ROADS = ("auto", "batch")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options, read: `headers` of every writing request, and what the writer itself decides by."""

    headers: Mapping[str, str] = field(default_factory=dict)
    id_scope: str = ""
    repeated: bool = False
    by_rows: bool = False


def read(options: Mapping[str, object]) -> WriteOptions:
    """The options of a call. Raises ConfigurationError that names each one that is unknown or ill-valued."""
    faults = [
        Fault(f"Dataverse knows no option '{name}'", allowed=tuple(OPTIONS)) for name in options if name not in OPTIONS
    ]
    headers: dict[str, str] = {}
    if options.get("duplicate_detection"):
        headers["MSCRM.SuppressDuplicateDetection"] = "false"
    bypass = options.get("bypass") or ()
    names = [bypass] if isinstance(bypass, str) else [str(name) for name in bypass]  # type: ignore[attr-defined]
    unknown = [name for name in names if name not in _BYPASSED and name != _FLOWS]
    if unknown:
        faults.append(Fault(f"bypass: {', '.join(unknown)} is unknown", allowed=(*_BYPASSED, _FLOWS)))
    logic = [_BYPASSED[name] for name in dict.fromkeys(names) if name in _BYPASSED]
    if logic:
        headers["MSCRM.BypassBusinessLogicExecution"] = ",".join(logic)
    if _FLOWS in names:
        headers["MSCRM.SuppressCallbackRegistrationExpanderJob"] = "true"
    run_as = str(options.get("run_as") or "")
    kind, _, identifier = run_as.rpartition(":")
    if run_as and (kind not in ("", "systemuser") or not GUID.fullmatch(identifier)):
        faults.append(Fault(f"run_as: {run_as!r} is no user", hint="an Entra object id (a GUID), or systemuser:GUID"))
    elif run_as:
        headers["MSCRMCallerID" if kind else "CallerObjectId"] = identifier.lower()
    road = options.get("road") or "auto"
    if road not in _ROADS:
        faults.append(Fault(f"road: {road!r} is unknown", allowed=_ROADS))
    if faults:
        raise ConfigurationError(faults)
    return WriteOptions(
        headers, str(options.get("id_scope") or ""), options.get("repeated") is True, by_rows=road == "batch"
    )
