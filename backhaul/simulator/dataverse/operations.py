"""Actions over rows that are not plain writes: Merge, BulkDelete, Restore, duplicate detection (dataverse-api.md §5.5,
§5.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from .conditions import condition_sql
from .edm import Table
from .errors import DataverseError, bad_payload, not_found
from .relations import OneToMany
from .security import check
from .sql import Compiler, guid, inlined, quote
from .values import kept_instant
from .wire import Reply, Request
from .work import Row, Work
from .writes import Writer, parse_body

if TYPE_CHECKING:
    from .org import DataverseOrg

ACTIONS = ("BulkDelete", "Merge", "Restore")
MERGEABLE = ("account", "contact", "lead", "incident")
_WAITING, _DONE, _FAILED = (0, 0), (3, 30), (3, 31)


def answer(writer: Writer, name: str, request: Request) -> Reply:
    """Do one unbound action. Raises DataverseError."""
    body = parse_body(name, request.body)
    if not isinstance(body, Mapping):
        raise bad_payload(name, "The JSON reader expected a start-object.")
    match name:
        case "Merge":
            _merge(writer, body)
            return Reply(204)
        case "Restore":
            record_id = _restore(writer, body)
            context = f"{request.base}$metadata#Microsoft.Dynamics.CRM.RestoreResponse"
            return Reply.json({"@odata.context": context, "Id": record_id})
    context = f"{request.base}$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse"
    return Reply.json({"@odata.context": context, "JobId": _submit(writer, body)})


# --- Merge --------------------------------------------------------------------------------------------------


def _merge(writer: Writer, body: Mapping[str, Any]) -> None:
    """Fold one row into another: the loser is deactivated and points at the winner, its related rows move over."""
    table, target_id = _entity(writer.org, body, "Target")
    other, loser_id = _entity(writer.org, body, "Subordinate")
    if table.name not in MERGEABLE or other.name != table.name:
        raise DataverseError(400, "0x80040203", f"Merge is not supported for entities of type '{table.name}'.")
    check(writer.org, writer.user_id, "prvMerge")
    if target_id == loser_id:
        raise DataverseError(
            400, "0x80045305", "Merge cannot be performed on master and sub-entities that are identical."
        )
    rows = [writer.work.get(table, one) for one in (target_id, loser_id)]
    for one, found in zip((target_id, loser_id), rows, strict=True):
        if found is None:
            raise not_found(table.name, one)
        if found["statecode"] != 0:
            raise DataverseError(400, "0x80045304", "Merge cannot be performed on an entity that is inactive.")
    assert rows[0] is not None and rows[1] is not None
    if rows[0].get("parentaccountid") == loser_id or (
        rows[0].get("parentcustomerid") == loser_id and rows[0].get("parentcustomerid__type") == table.name
    ):
        raise DataverseError(400, "0x80045300", "Merge could create cyclical parenting.")
    content = body.get("UpdateContent")
    if isinstance(content, Mapping):
        names = {table.primary_id, "@odata.type"}
        writer.update(table, target_id, {name: value for name, value in content.items() if name not in names})
    for relation in writer.org.relations.one_to_many:
        if relation.referenced == table.name and relation.attribute.update:
            _move(writer, relation, loser_id, target_id)
    state = {choice.value: choice.default_status for choice in table.attributes["statecode"].choices}
    inactive = max(state)
    changed: Row = {"merged": True, "masterid": target_id, "statecode": inactive, "statuscode": state[inactive]}
    writer.put(table, loser_id, changed)
    writer.org.audit(writer.work, (2, 12), table, target_id, writer.user_id)


def _move(writer: Writer, relation: OneToMany, from_id: str, to_id: str) -> None:
    child, column = writer.org.tables[relation.referencing], relation.attribute.name
    if child.read_only:
        return
    for one in writer.work.holding(child, {column: from_id}):
        if one != to_id:
            writer.put(child, one, {column: to_id})


def _entity(org: DataverseOrg, body: Mapping[str, Any], name: str) -> tuple[Table, str]:
    given = body.get(name)
    if not isinstance(given, Mapping):
        raise bad_payload("Merge", f"The parameter '{name}' is missing.")
    kind = str(given.get("@odata.type", "")).removeprefix("#").removeprefix("Microsoft.Dynamics.CRM.")
    table = org.tables.get(kind)
    record_id = guid(str(given.get(table.primary_id, ""))) if table else None
    if table is None or record_id is None:
        raise bad_payload("Merge", f"The parameter '{name}' must name a row by '@odata.type' and its primary key.")
    return table, record_id


# --- BulkDelete ---------------------------------------------------------------------------------------------


def _submit(writer: Writer, body: Mapping[str, Any]) -> str:
    """Put a job in the queue; gives its id. The queries are checked now, the rows deleted when the job runs."""
    queries = body.get("QuerySet")
    if not isinstance(queries, list) or not queries or not body.get("JobName"):
        raise bad_payload("BulkDelete", "The parameters 'QuerySet' and 'JobName' are required.")
    check(writer.org, writer.user_id, "prvBulkDelete")
    try:
        for query in queries:
            _rows_of(writer.org, query, writer.user_id)
    except (AttributeError, TypeError, ValueError) as error:  # JSON of a shape that no query has
        raise bad_payload("BulkDelete", f"The QuerySet cannot be read: {error}.") from error
    org = writer.org
    begin = org.clock.now()
    start = str(body.get("StartDateTime") or "")
    if start:
        begin = max(begin, _instant(start))
    table = org.tables["asyncoperation"]
    job_id = org.new_id()
    data = {"queries": queries, "user": writer.user_id, "begin": begin.isoformat()}
    row = org.blank(table, job_id, writer.user_id)
    row |= {"name": str(body["JobName"]), "operationtype": 13, "data": json.dumps(data, default=str)}
    row |= {"statecode": _WAITING[0], "statuscode": _WAITING[1], "versionnumber": org.next_version()}
    writer.work.put(table, row)
    org.jobs_waiting = True
    return job_id


def run_jobs(org: DataverseOrg) -> None:
    """Let every job run whose time has come; a row that cannot be deleted is counted and left."""
    if not org.jobs_waiting:
        return
    now = org.clock.now()
    delay = timedelta(seconds=float(org.setting("job_seconds")))
    with org.store.transaction():  # who submits a job holds it until the job can be seen
        waiting = org.store.query("SELECT asyncoperationid, data FROM asyncoperation WHERE statecode = 0")
        org.jobs_waiting = org.build_indexes()
        for job_id, data in waiting:
            job = orjson.loads(data)
            if datetime.fromisoformat(job["begin"]) + delay > now:
                org.jobs_waiting = True
            else:
                _run(org, str(job_id), job, now)


def _run(org: DataverseOrg, job_id: str, job: Mapping[str, Any], now: datetime) -> None:
    done, failed = 0, 0
    work = Work(org)
    writer = Writer(org, work, job["user"])
    for query in job["queries"]:
        target, sql = _rows_of(org, query, job["user"])
        ids = [str(one) for (one,) in org.store.query(sql)]
        work.prefetch(target, ids)
        for one in ids:
            mark = work.mark()
            try:
                writer.delete(target, one)
                done += 1
            except DataverseError:
                work.undo(mark)
                failed += 1
    state = _FAILED if failed and not done else _DONE
    stamp = kept_instant(now)
    ended: Row = {"statecode": state[0], "statuscode": state[1]}
    before = work.get(org.tables["asyncoperation"], job_id)
    assert before is not None
    times: Row = {"startedon": stamp, "completedon": stamp, "modifiedon": stamp, "versionnumber": org.next_version()}
    work.put(org.tables["asyncoperation"], {**before, **ended, **times})
    report = org.tables["bulkdeleteoperation"]
    row = org.blank(report, org.new_id(), job["user"]) | ended
    row |= {"name": before["name"], "asyncoperationid": job_id, "successcount": done, "failurecount": failed}
    work.put(report, {**row, "versionnumber": org.next_version()})
    work.flush()


def _rows_of(org: DataverseOrg, query: Any, user_id: str) -> tuple[Table, str]:
    """Give the table of a QueryExpression and the SQL for the ids of its rows. Raises DataverseError 400."""
    table = org.tables.get(str(query.get("EntityName", ""))) if isinstance(query, Mapping) else None
    if table is None:
        name = query.get("EntityName") if isinstance(query, Mapping) else None
        raise DataverseError(
            400, "0x80041102", f"The entity with a name = '{name}' was not found in the MetadataCache."
        )
    compiler = Compiler(org, table, user_id)
    condition = inlined(_criteria(compiler, query.get("Criteria") or {}), compiler.parameters)
    most = query.get("TopCount")
    limit = f" LIMIT {int(most)}" if most else ""
    key = quote(table.primary_id)
    return table, f"SELECT {key} FROM {quote(table.name)} t WHERE {condition} ORDER BY {key}{limit}"


def _criteria(compiler: Compiler, criteria: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for one in criteria.get("Conditions") or []:
        values = [value.get("Value") if isinstance(value, Mapping) else value for value in one.get("Values") or []]
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        parts.append(condition_sql(compiler, str(one.get("AttributeName")), str(one.get("Operator", "Equal")), texts))
    parts += [_criteria(compiler, one) for one in criteria.get("Filters") or []]
    joint = " OR " if str(criteria.get("FilterOperator", "And")).lower() in ("or", "1") else " AND "
    return "(" + joint.join(parts) + ")" if parts else "TRUE"


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise bad_payload(
            "BulkDelete", f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=None).astimezone()


# --- the recycle bin ----------------------------------------------------------------------------------------


def _restore(writer: Writer, body: Mapping[str, Any]) -> str:
    """Bring a deleted row back from the recycle bin, under its old id."""
    table, record_id = _entity(writer.org, body, "Target")
    found = writer.org.binned(table, record_id)
    if found is None:
        raise not_found(table.name, record_id)
    if writer.work.get(table, record_id) is not None:
        raise DataverseError(412, "0x80040237", "Cannot insert duplicate key.")
    writer.put(table, record_id, found, new=True)
    return record_id


# --- duplicate detection ------------------------------------------------------------------------------------


def checked_rule(rule: Any, tables: Mapping[str, Table]) -> dict[str, Any]:
    """Give a duplicate-detection rule ``{"object", "columns"}`` after checking it. Raises ValueError."""
    table = tables.get(str(rule.get("object"))) if isinstance(rule, Mapping) else None
    columns = rule.get("columns") if isinstance(rule, Mapping) else None
    if table is None or not isinstance(columns, list) or not columns or set(columns) - set(table.columns):
        raise ValueError(f"a duplicate-detection rule is an object and columns of it; found {rule!r}")
    return {"object": table.name, "columns": list(columns)}


def check_duplicates(work: Work, rules: Sequence[Mapping[str, Any]], table: Table, row: Row) -> None:
    """Raise 412 0x80040333 when another row has the same values in the columns of a rule."""
    for rule in rules:
        if rule["object"] != table.name or any(row.get(name) is None for name in rule["columns"]):
            continue
        values = {name: row[name] for name in rule["columns"]}
        if [one for one in work.holding(table, values) if one != row[table.primary_id]]:
            raise DataverseError(
                412,
                "0x80040333",
                "A record was not created or updated because a duplicate of the current record already exists.",
            )
