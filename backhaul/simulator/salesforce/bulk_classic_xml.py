"""Records of Bulk API 1.0 in XML: batches of ``<sObjects>``, their results, and the results of queries.

Rests on the Bulk API guide's "Valid XML Records", "Get Batch Results" and "Bulk Query".
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from backhaul.simulator.salesforce.bulk_csv import BadUpload
from backhaul.simulator.salesforce.drafts import Result
from backhaul.simulator.salesforce.schema import ObjectDef

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def records(kind: ObjectDef, body: bytes) -> list[dict[str, Any]]:
    """The records of a batch as the writer takes them; empty elements are left out, ``xsi:nil`` is null.

    Raises BadUpload for XML that holds no ``sObjects``.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise BadUpload("InvalidBatch : Failed to parse XML: DOCTYPE is not allowed")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # declarations of entities are refused above
    except ElementTree.ParseError as error:
        raise BadUpload(f"InvalidBatch : Failed to parse XML: {error}") from None
    if _name(root) != "sObjects":
        raise BadUpload("InvalidBatch : Failed to parse XML: sObjects expected")
    return [_record(kind, element) for element in root if _name(element) == "sObject"]


def outcomes(results: Sequence[Result]) -> str:
    """What stands inside ``<results>``."""
    out = []
    for result in results:
        errors = "".join(
            f"<errors>{''.join(f'<fields>{name}</fields>' for name in problem.fields)}"
            f"<message>{html.escape(problem.message, quote=False)}</message><statusCode>{problem.code}</statusCode>"
            "</errors>"
            for problem in result.problems
        )
        key = f"<id>{result.id}</id>" if result.id else ""
        good, made = str(not result.problems).lower(), str(bool(result.created)).lower()
        out.append(f"<result>{errors}{key}<success>{good}</success><created>{made}</created></result>")
    return "".join(out)


def rows(kind: str, found: Sequence[Mapping[str, Any]]) -> str:
    """What stands inside ``<queryResult>``: the records, nested as JSON has them."""
    return "".join(f'<records xsi:type="sObject"><type>{kind}</type>{_elements(record)}</records>' for record in found)


def _record(kind: ObjectDef, element: ElementTree.Element) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for child in element:
        name = _name(child)
        if name == "type":
            continue
        inner = next((one for one in child if _name(one) == "sObject"), None)
        text = (child.text or "").strip()
        if child.get(_NIL, "").lower() in ("true", "1") or text == "#N/A":
            out[name] = None
        elif inner is not None:
            given = next((one.text for one in inner if _name(one) == "type"), None)
            keys = {_name(one): one.text for one in inner if _name(one) != "type"}
            out[name] = {**({"attributes": {"type": given}} if given else {}), **keys}
        elif text:
            field = kind.find(name)
            out[name] = _BOOLEANS.get(text.lower(), text) if field and field.type == "boolean" else child.text
    return out


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _elements(record: Mapping[str, Any]) -> str:
    out = []
    for name, value in record.items():
        if name == "attributes":
            continue
        if value is None:
            out.append(f'<{name} xsi:nil="true"/>')
        elif isinstance(value, Mapping):
            out.append(f'<{name} xsi:type="sObject">{_elements(value)}</{name}>')
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            out.append(f"<{name}>{html.escape(text, quote=False)}</{name}>")
    return "".join(out)
