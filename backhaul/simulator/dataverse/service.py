"""The Web API: which request means what (dataverse-api.md §2.1, §3, §5).

:class:`Service` knows no socket; :mod:`.routes` hands it requests, ``$batch`` hands it those inside.
"""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import quote as percent

import orjson

from . import (
    aggregation,
    batch,
    bulk,
    csdl,
    expand,
    fetchxml,
    files,
    metadata,
    metadata_queries,
    metadata_writes,
    operations,
    sql_select,
    tracking,
)
from .edm import Attribute, Table
from .errors import DataverseError, bad_payload, bad_query, not_found, unknown_property, unknown_segment
from .expressions import Collection, parse_value
from .operations import run_jobs
from .org import BUSINESS_UNIT_ID, ORGANIZATION_ID, DataverseOrg
from .retrieval import check_options, collection, counted, plain_count, retrieve, single
from .rows import Shape, row_sql, selected
from .security import check_table, column_privileges, impersonate
from .sql import child_of, guid, joined, quote, written
from .wire import Reply, Request, Segment
from .work import Work
from .writes import Writer, parse_body

VERSION = "9.2.26104.00182"
_IN_KEYS = "='(),@!$*;:~-._"
_ACTION = "Microsoft.Dynamics.CRM."
_PRIVILEGES = _ACTION + "RetrievePrincipalAttributePrivileges"
_log = logging.getLogger("backhaul.simulator")


class Service:
    """Answers requests of one organisation."""

    def __init__(self, org: DataverseOrg) -> None:
        self.org = org

    def handle(self, request: Request) -> Reply:
        """Answer one request that came over the wire. Never raises: a defect is a 500 with code 0x80040216."""
        try:
            run_jobs(self.org)
            if request.segments and request.segments[0].name == "$batch":
                if request.method != "POST":
                    raise DataverseError(405, "0x80060888", "The requested resource does not support this HTTP method.")
                return batch.answer(self, request)
            if request.method == "OPTIONS":
                return Reply(200)
            if request.method == "GET":
                return self._get(request)
            try:
                with self.org.store.transaction():
                    work = Work(self.org)
                    reply = self._write(request, work, {})
                    work.flush()
            except Exception:
                if request.segments and request.segments[0].name in metadata_writes.ROOTS:
                    self.org.forget_schema_changes()
                raise
            return reply
        except DataverseError as error:
            return Reply.refusal(error, annotated=request.annotated)
        except Exception:
            _log.exception("the simulator failed at %s %s", request.method, request.path)
            return Reply.refusal(DataverseError(500, "0x80040216", "An unexpected error occurred."))

    def perform(self, request: Request, work: Work, references: dict[str, str]) -> Reply:
        """Answer one request of a batch within `work`; refusals become replies."""
        mark = work.mark()
        try:
            if request.segments and request.segments[0].name == "$batch":
                raise bad_query("A batch request cannot hold another batch request.")
            impersonate(self.org, request)
            if request.method == "GET":
                work.flush()
                return self._get(request)
            return self._write(request, work, references)
        except DataverseError as error:
            work.undo(mark)
            return Reply.refusal(error, annotated=request.annotated)

    # --- reading ------------------------------------------------------------------------------------------

    def _get(self, request: Request) -> Reply:
        if not request.segments:
            sets = [
                {"name": table.set_name, "kind": "EntitySet", "url": table.set_name}
                for table in self.org.tables.values()
            ]
            return Reply.json({"@odata.context": f"{request.base}$metadata", "value": sets})
        first, *rest = request.segments
        match first.name:
            case "$metadata":
                return Reply(
                    200,
                    {"Content-Type": "application/xml"},
                    csdl.document(self.org, annotated=request.options.get("annotations", "").lower() == "true"),
                )
            case "EntityDefinitions":
                return metadata.answer(self.org, request)
            case "RetrieveMetadataChanges":
                return metadata_queries.changes(self.org, request, first)
            case name if name in metadata_queries.ROOTS:
                return metadata_queries.answer(self.org, request)
            case "WhoAmI":
                return Reply.json(
                    {
                        "@odata.context": f"{request.base}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
                        "BusinessUnitId": BUSINESS_UNIT_ID,
                        "UserId": request.user_id,
                        "OrganizationId": ORGANIZATION_ID,
                    }
                )
            case "RetrieveVersion":
                context = f"{request.base}$metadata#Microsoft.Dynamics.CRM.RetrieveVersionResponse"
                return Reply.json({"@odata.context": context, "Version": VERSION})
            case "RetrieveAvailableLanguages" | "RetrieveProvisionedLanguages" as name:
                context = f"{request.base}$metadata#Microsoft.Dynamics.CRM.{name}Response"
                key = "LocaleIds" if name == "RetrieveAvailableLanguages" else "RetrieveProvisionedLanguages"
                return Reply.json({"@odata.context": context, key: [1033]})
            case "RetrieveTotalRecordCount":
                return self._total(request, first)
        table = self.org.by_set.get(first.name)
        if table is None:
            raise unknown_segment(first.name)
        check_table(self.org, request.user_id, "Read", table)
        if first.key is None:
            if rest == [Segment("$count")]:
                if "$deltatoken" in request.options:
                    return plain_count(tracking.count(self.org, table, request))
                return counted(self.org, table, request)
            if rest:
                raise unknown_segment(rest[0].name)
            if tracking.concerns(request):
                return tracking.answer(self.org, table, request)
            return self._collection(table, request)
        writer = Writer.of(self.org, Work(self.org), request)
        record_id = writer.existing(table, first.key)
        if not rest:
            return retrieve(self.org, table, record_id, request)
        return self._property(table, record_id, rest, request)

    def _collection(self, table: Table, request: Request) -> Reply:
        """Answer for a set of rows: OData, FetchXML, a view, SQL or an aggregation (§3)."""
        options = request.options
        if "fetchXml" in options:
            return fetchxml.answer(self.org, table, request, options["fetchXml"])
        for option, name in (("savedQuery", "savedquery"), ("userQuery", "userquery")):
            if option in options:
                found = self.org.store.query(
                    f"SELECT fetchxml FROM {name} WHERE {name}id = ?", [guid(options[option].strip("'"))]
                )
                if not found:
                    raise not_found(name, options[option])
                return fetchxml.answer(self.org, table, request, str(found[0][0]))
        if "sql" in options:
            return sql_select.answer(self.org, table, request, options["sql"])
        if "$apply" in options:
            return aggregation.answer(self.org, table, request, options["$apply"])
        return collection(self.org, table, request)

    def _total(self, request: Request, segment: Segment) -> Reply:
        text = segment.key.partition("=")[2].strip() if segment.key else ""
        given = parse_value(request.aliases.get(text, text)) if text else None
        names = [str(item.value) for item in given.items] if isinstance(given, Collection) else []
        unknown = [name for name in names if name not in self.org.tables]
        if unknown or not names:
            raise DataverseError(
                404,
                "0x80041102",
                f"The entity with a name = '{', '.join(unknown)}' was not found in the MetadataCache.",
            )
        return Reply.json(
            {
                "@odata.context": f"{request.base}$metadata#Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse",
                "EntityRecordCountCollection": {
                    "Count": len(names),
                    "IsReadOnly": False,
                    "Keys": names,
                    "Values": [self.org.store.count(name) for name in names],
                },
            }
        )

    def _property(self, table: Table, record_id: str, rest: list[Segment], request: Request) -> Reply:
        step, *more = rest
        attribute = table.properties.get(step.name)
        if attribute is None:
            if step.name == _PRIVILEGES and table.name == "systemuser":
                return column_privileges(self.org, request, record_id)
            if step.name in table.navigations:
                return self._navigate(table, record_id, step, more, request)
            if step.name in self.org.relations.collections[table.name]:
                return self._related(table, record_id, step, more, request)
            raise unknown_segment(step.name)
        check_options(request, frozenset())
        expression = row_sql(table, [attribute], Shape(etag=False), self.org.tables)
        sql = f"SELECT {expression} FROM {quote(table.name)} t WHERE t.{quote(table.primary_id)} = ?"
        value = orjson.loads(self.org.store.query(sql, [record_id])[0][0])[step.name]
        if value is None and not (more and attribute.type == "File"):
            return Reply(204)
        if more == [Segment("$value")] and attribute.type == "File":
            return files.download(self.org, value, request)
        if more == [Segment("$value")]:
            return Reply(200, {"Content-Type": "text/plain"}, str(value).encode())
        context = f"{request.base}$metadata#{table.set_name}({record_id})/{step.name}"
        return Reply.json({"@odata.context": context, "value": value})

    def _navigate(self, table: Table, record_id: str, step: Segment, more: list[Segment], request: Request) -> Reply:
        attribute, targets = table.navigations[step.name]
        columns = [quote(attribute.name), quote(attribute.type_column) if attribute.polymorphic else "NULL"]
        sql = f"SELECT {', '.join(columns)} FROM {quote(table.name)} WHERE {quote(table.primary_id)} = ?"
        found_id, found_type = self.org.store.query(sql, [record_id])[0]
        if found_id is None or (found_type is not None and found_type not in targets):
            return Reply(204)
        target = self.org.tables[found_type or targets[0]]
        if more == [Segment("$ref")]:
            context = f"{request.base}$metadata#$ref"
            return Reply.json({"@odata.context": context, "@odata.id": f"{request.base}{target.set_name}({found_id})"})
        if more:
            return self._property(target, found_id, more, request)
        return retrieve(self.org, target, found_id, request)

    def _related(self, table: Table, record_id: str, step: Segment, more: list[Segment], request: Request) -> Reply:
        """Answer for the rows of a collection-valued navigation property, or one of them."""
        relation = self.org.relations.collections[table.name][step.name]
        child = self.org.tables[child_of(relation, table)]
        check_table(self.org, request.user_id, "Read", child)
        join = joined(self.org, relation, table, "p", child, "t")
        parent = f"p.{quote(table.primary_id)} = {written(record_id)}"
        within = f"EXISTS (SELECT 1 FROM {quote(table.name)} p WHERE {parent} AND {join})"
        if step.key is not None:
            child_id = Writer.of(self.org, Work(self.org), request).existing(child, step.key)
            sql = f"SELECT 1 FROM {quote(child.name)} t WHERE {quote(child.primary_id)} = ? AND {within}"
            if not self.org.store.query(sql, [child_id]):
                raise not_found(child.name, child_id)
            return (
                self._property(child, child_id, more, request) if more else retrieve(self.org, child, child_id, request)
            )
        if more == [Segment("$count")]:
            return counted(self.org, child, request, within)
        if more == [Segment("$ref")]:
            ids = self.org.store.query(
                f"SELECT {quote(child.primary_id)} FROM {quote(child.name)} t WHERE {within} ORDER BY 1 LIMIT 5000"
            )
            links = [{"@odata.id": f"{request.base}{child.set_name}({one})"} for (one,) in ids]
            return Reply.json({"@odata.context": f"{request.base}$metadata#Collection($ref)", "value": links})
        if more:
            raise unknown_segment(more[0].name)
        return collection(self.org, child, request, within)

    # --- writing ------------------------------------------------------------------------------------------

    def _write(self, request: Request, work: Work, references: dict[str, str]) -> Reply:
        reply = self._written_by(request, work, references)
        table = self.org.by_set.get(request.segments[0].name) if request.segments else None
        if table is not None and table.kind == "Elastic" and reply.status < 400:
            reply.headers["x-ms-session-token"] = f"240:8#{self.org.committed_version()}#7=-1"
        return reply

    def _written_by(self, request: Request, work: Work, references: dict[str, str]) -> Reply:
        if not request.segments:
            raise DataverseError(405, "0x80060888", "The requested resource does not support this HTTP method.")
        first, *rest = request.segments
        if first.name.startswith("$"):
            raise bad_query(f"Content-ID Reference: '{first.name}' does not exist in the batch context.")
        if first.name in metadata_writes.ROOTS:
            return metadata_writes.answer(self.org, request)
        writer = Writer.of(self.org, work, request, references)
        if first.name.removeprefix(_ACTION) in operations.ACTIONS and request.method == "POST":
            return operations.answer(writer, first.name.removeprefix(_ACTION), request)
        table = self.org.by_set.get(first.name)
        if table is None:
            raise unknown_segment(first.name)
        if rest and rest[0].name.removeprefix(_ACTION) in bulk.MESSAGES and request.method == "POST":
            return bulk.answer(writer, table, rest[0].name.removeprefix(_ACTION), request)
        match request.method, first.key, len(rest):
            case "POST", None, 0:
                return self._create(writer, table, request)
            case "PATCH", str(), 0:
                return self._patch(writer, table, first.key, request)
            case "DELETE", str(), 0:
                return self._delete(writer, table, first.key, request)
            case "POST", str(), 1 if rest[0].name in self.org.relations.collections[table.name]:
                return self._create_related(writer, table, first.key, rest[0], request)
            case "POST", _, 1:
                raise unknown_segment(rest[0].name)
            case (("PATCH" | "DELETE"), str(), 1) if self._file(table, rest[0]) is not None:
                attribute = table.properties[rest[0].name]
                record_id = writer.existing(table, first.key)
                if request.method == "DELETE":
                    return files.remove(writer, table, record_id, attribute)
                return files.upload(writer, table, record_id, attribute, request)
            case (("PUT" | "DELETE"), str(), 1):
                return self._put_property(writer, table, first.key, rest[0], request)
            case (("PUT" | "POST" | "DELETE"), str(), 2) if rest[1].name == "$ref":
                return self._reference(writer, table, first.key, rest[0], request)
        raise DataverseError(
            405, "0x80060888", f"The requested resource does not support http method '{request.method}'."
        )

    @staticmethod
    def _file(table: Table, step: Segment) -> Attribute | None:
        found = table.properties.get(step.name)
        return found if found is not None and found.type == "File" else None

    def _create(self, writer: Writer, table: Table, request: Request) -> Reply:
        record_id = writer.create(table, parse_body(table.set_name, request.body))
        return self._written(writer.work, table, record_id, request, created=True)

    def _create_related(self, writer: Writer, table: Table, key: str, step: Segment, request: Request) -> Reply:
        """Create a row in a collection of another one (``POST accounts(id)/contact_customer_accounts``)."""
        record_id = writer.existing(table, key)
        child = self.org.tables[child_of(self.org.relations.collections[table.name][step.name], table)]
        body = parse_body(child.set_name, request.body)
        child_id = writer.create_in(table, record_id, step.name, body)
        return self._written(writer.work, child, child_id, request, created=True)

    def _patch(self, writer: Writer, table: Table, key: str, request: Request) -> Reply:
        body = parse_body(table.set_name, request.body)
        match_header, none_match = request.header("if-match"), request.header("if-none-match")
        only = "create" if none_match == "*" else "update" if match_header else ""
        if match_header and match_header != "*":
            found, _ = writer.locate(table, key)
            if found is not None:
                writer.check_version(table, found, match_header)
        record_id, created = writer.upsert(table, key, body, only=only)
        # An alternate key is given back as it came (§5.2), spelled so that a header can hold it.
        address = f"{request.base}{table.set_name}({percent(key, safe=_IN_KEYS)})" if "=" in key else None
        return self._written(writer.work, table, record_id, request, created=created, address=address)

    def _delete(self, writer: Writer, table: Table, key: str, request: Request) -> Reply:
        record_id = writer.existing(table, key)
        etag = request.header("if-match")
        if etag:
            writer.check_version(table, record_id, etag)
        writer.delete(table, record_id)
        return Reply(204)

    def _put_property(self, writer: Writer, table: Table, key: str, step: Segment, request: Request) -> Reply:
        if step.name not in table.properties:
            raise unknown_property(step.name, table.name)
        value = None
        if request.method == "PUT":
            body = parse_body(table.set_name, request.body)
            value = body.get("value") if isinstance(body, dict) else None
        writer.update(table, writer.existing(table, key), {step.name: value})
        return Reply(204)

    def _reference(self, writer: Writer, table: Table, key: str, step: Segment, request: Request) -> Reply:
        """Link or unlink rows: ``PUT`` for a single-valued navigation property, ``POST`` for a collection (§5.1)."""
        many = step.name in self.org.relations.collections[table.name]
        if not many and step.name not in table.navigations:
            raise unknown_segment(step.name)
        record_id = writer.existing(table, key)
        if request.method == "DELETE":
            if not many:
                writer.update(table, record_id, {f"{step.name}@odata.bind": None})
                return Reply(204)
            address = request.options.get("$id", "")
            match = re.search(r"\(([^()]*)\)$", address)
            child_key = step.key or (match[1] if match else None)
            if child_key is None:
                raise bad_query("The row to take out of the collection must be named by $id.")
            writer.disassociate(table, record_id, step.name, child_key)
            return Reply(204)
        body = parse_body(table.set_name, request.body)
        target = body.get("@odata.id") if isinstance(body, dict) else None
        if not isinstance(target, str):
            raise bad_payload(table.set_name, "The body must hold the property '@odata.id'.")
        if many != (request.method == "POST"):
            raise DataverseError(
                405, "0x80060888", f"The requested resource does not support http method '{request.method}'."
            )
        if many:
            writer.associate(table, record_id, step.name, target)
        else:
            writer.update(table, record_id, {f"{step.name}@odata.bind": target})
        return Reply(204)

    def _written(
        self, work: Work, table: Table, record_id: str, request: Request, *, created: bool, address: str | None = None
    ) -> Reply:
        address = address or f"{request.base}{table.set_name}({record_id})"
        headers = {"OData-EntityId": address}
        if created:
            headers["Location"] = address
        if request.preferences.get("return") != "representation":
            return Reply(204, headers)
        row = work.get(table, record_id)
        if row is None:
            raise not_found(table.name, record_id)
        headers |= {"ETag": f'W/"{row["versionnumber"]}"', "Preference-Applied": "return=representation"}
        if "$expand" in request.options:  # the related rows have to be there
            work.flush()
            text = single(self.org, table, record_id, request) or ""
            return Reply.json(text.encode(), 201 if created else 200, headers)
        attributes = selected(table, request.options.get("$select"))
        text = self._staged(table, row, attributes, Shape.of(request))
        shown = expand.context(None, request.options.get("$select"))
        context = orjson.dumps(f"{request.base}$metadata#{table.set_name}{shown}/$entity")
        body = b'{"@odata.context":' + context + b"," + text.encode()[1:]
        return Reply.json(body, 201 if created else 200, headers)

    def _staged(self, table: Table, row: dict[str, Any], attributes: list[Attribute], shape: Shape) -> str:
        """Give a row's JSON before it is in the database."""
        columns = ", ".join(f"CAST(? AS {kind}) AS {quote(name)}" for name, kind in table.columns.items())
        expression = row_sql(table, attributes, shape, self.org.tables)
        sql = f"SELECT {expression} FROM (SELECT {columns}) t"
        return str(self.org.store.query(sql, [row[name] for name in table.columns])[0][0])
