"""A SOQL tree against the org's schema: checked, and turned into DuckDB SQL. Rests on salesforce-api.md §4.3.

Text compares without regard to letter case unless the field is case-sensitive; a comparison with an empty field is
false and its negation true, as in SOQL; nulls sort first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from backhaul.simulator.salesforce import ids
from backhaul.simulator.salesforce.date_words import span
from backhaul.simulator.salesforce.errors import Refusal
from backhaul.simulator.salesforce.schema import BLOB, COMPOUNDS, IDS, NUMBERS, FieldDef, ObjectDef
from backhaul.simulator.salesforce.soql import (
    Aggregate,
    Comparison,
    Condition,
    Function,
    Group,
    Item,
    Literal,
    Not,
    Order,
    Path,
    Query,
    SemiJoin,
    TypeOf,
    complaint,
    decode,
    malformed,
)
from backhaul.simulator.salesforce.soql_functions import date_function, text_function
from backhaul.simulator.salesforce.values import naive
from backhaul.simulator.store import literal, quote

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_MAX_DEPTH = 5
_MOST_PARENTS = 55
_MOST_CHILDREN = 20
_MOST_SEMI_JOINS = 2
_INVALID_TYPE = (
    "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
    "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)
_NO_COLUMN = (
    "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
    "the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Column:
    """One selected value: the path it is shown under, its field, and SQL for its plain value. For aggregates the
    path is the alias alone and `field` gives the type of the result."""

    names: tuple[str, ...]
    field: FieldDef
    sql: str
    aggregate: bool = False
    entities: tuple[str, ...] = ()  # the objects the names before the last one lead to


@dataclass(frozen=True, slots=True)
class Child:
    """A query over children: under which name, and which of their lookups leads to the record."""

    name: str
    lookup: str
    compiled: Compiled


@dataclass(frozen=True, slots=True)
class Branch:
    """What TYPEOF shows of one object (an empty `kind` stands for all others): the fields, and SQL for the id that
    is not null when the lookup leads there, and for each field."""

    kind: str
    key: str
    fields: tuple[FieldDef, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement ready to run: `columns` to select, `source` from FROM on, `order`, and LIMIT and OFFSET apart.

    `parents` are the records reached over lookups by the selected columns: names, SQL alias and object of each.
    `typeofs` are the branches of each TYPEOF by the relationship's name.
    """

    query: Query
    object: ObjectDef
    columns: tuple[Column, ...]
    parents: tuple[tuple[tuple[str, ...], str, str], ...]
    source: str
    order: str
    limit: int | None
    offset: int | None
    children: tuple[Child, ...] = ()
    typeofs: tuple[tuple[str, tuple[Branch, ...]], ...] = ()

    def sql(self, printed: Callable[[FieldDef, str], str]) -> str:
        """SELECT of every column as `printed(field, sql)` has it, as c0, c1, …"""
        listed = ", ".join(f"{printed(c.field, c.sql)} AS c{place}" for place, c in enumerate(self.columns))
        return f"SELECT {listed} {self.source}{self.order}{self.paging()}"

    def select(self, expression: str) -> str:
        """The same rows in the same order, one SQL expression of each (the record is called ``t``)."""
        return f"SELECT {expression} {self.source}{self.order}{self.paging()}"

    def paging(self) -> str:
        """LIMIT and OFFSET, when given."""
        limit = f" LIMIT {self.limit}" if self.limit is not None else ""
        return limit + (f" OFFSET {self.offset}" if self.offset else "")


@dataclass(frozen=True, slots=True)
class Moment:
    """What date literals are reckoned from: the org's instant and the user's time zone."""

    now: datetime
    zone: ZoneInfo


def compile_query(query: Query, objects: Mapping[str, ObjectDef], moment: Moment, *, deleted: bool) -> Compiled:
    """`query` checked against `objects` (by lower-cased name) and turned into SQL; `deleted` takes records in the
    recycle bin too (queryAll). Raises Refusal as the vendor would."""
    return _Compiler(query, objects, moment, deleted).compile()


def names_object() -> ObjectDef:
    """What a polymorphic lookup leads to unless TYPEOF says more: the vendor's object Name."""
    texts = ("Name", "FirstName", "LastName", "Alias", "Email", "Phone", "Title", "Username", "Type")
    fields = [FieldDef("Id", "id", length=18), *(FieldDef(name, length=255) for name in texts)]
    return ObjectDef("Name", "Name", "Names", "", {f.name.lower(): f for f in fields}, writable=False)


def _semi_joins(found: Condition | None) -> int:
    if isinstance(found, Group):
        return sum(_semi_joins(part) for part in found.conditions)
    if isinstance(found, Not):
        return _semi_joins(found.condition)
    return int(isinstance(found, SemiJoin))


class _Compiler:
    def __init__(self, query: Query, objects: Mapping[str, ObjectDef], moment: Moment, deleted: bool) -> None:
        self.query = query
        self.objects = objects
        self.moment = moment
        self.deleted = deleted
        self.alias = "t"
        found = objects.get(query.object.lower())
        if found is None:
            raise Refusal(
                400, "INVALID_TYPE", complaint(query.text, query.object_at, _INVALID_TYPE.format(name=query.object))
            )
        self.object = found
        self.after_grouping = False  # whether what is compiled looks at groups (HAVING, ORDER BY)
        self.joins: dict[tuple[str, ...], tuple[str, ObjectDef]] = {}
        self.join_sql: list[str] = []

    def compile(self) -> Compiled:
        query = self.query
        if query.offset is not None and query.offset > 2000:
            raise Refusal(
                400,
                "NUMBER_OUTSIDE_VALID_RANGE",
                complaint(query.text, query.object_at, "Maximum SOQL offset allowed is 2000"),
            )
        self.within_limits()
        columns = tuple(self.columns())
        parents = {
            column.names[: depth + 1]: (column.names[: depth + 1], *self.joined(column.names[: depth + 1]))
            for column in columns
            for depth in range(len(column.entities))
        }
        typeofs = tuple(self.typeof(item.typeof) for item in query.items if item.typeof is not None)
        children = tuple(self.child(item.child) for item in query.items if item.child is not None)
        conditions = [] if self.deleted or not self.object.keeps_deleted else [f'NOT {self.alias}."IsDeleted"']
        if self.object.filtered_by and not self.filters_by(query.where):
            named = " or ".join(self.object.filtered_by)
            message = (
                f"Implementation restriction: {self.object.name} requires a filter by a single Id on {named} using the "
                "equals operator or multiple Id's using the IN operator."
            )
            raise malformed(query.text, query.object_at, message)
        if query.where is not None:
            conditions.append(self.condition(query.where))
        if len(self.joins) > _MOST_PARENTS:
            message = f"Query is using too many parent relationships, no more than {_MOST_PARENTS} allowed"
            raise malformed(query.text, query.object_at, message)
        grouping = ", ".join(self.value_of(entry)[1] for entry in query.group_by)
        self.after_grouping = True
        having = self.condition(query.having) if query.having is not None else ""
        order = ", ".join(self.order(entry) for entry in query.order_by)
        source = f"FROM {quote(self.object.name)} AS {self.alias}{''.join(self.join_sql)}"
        if conditions:
            source += f" WHERE {' AND '.join(conditions)}"
        source += f" GROUP BY {grouping}" if grouping else ""
        source += f" HAVING {having}" if having else ""
        ordered = f" ORDER BY {order}" if order else ""
        return Compiled(
            query,
            self.object,
            columns,
            tuple(parents.values()),
            source,
            ordered,
            query.limit,
            query.offset,
            children,
            typeofs,
        )

    def within_limits(self) -> None:
        """Refuse too many queries inside this one, and among aggregates what has no value of its own."""
        query = self.query
        if query.aggregated and any(item.operand is None for item in query.items):
            raise malformed(query.text, query.object_at, "Grouped queries select grouped fields and aggregates only")
        if sum(item.child is not None for item in query.items) > _MOST_CHILDREN:
            message = f"Query is using too many sub-queries, no more than {_MOST_CHILDREN} allowed"
            raise malformed(query.text, query.object_at, message)
        if _semi_joins(query.where) > _MOST_SEMI_JOINS:
            message = f"maximum {_MOST_SEMI_JOINS} semi join sub-selects are allowed"
            raise malformed(query.text, query.object_at, message)

    def filters_by(self, found: Condition | None) -> bool:
        """Whether every record that meets the condition has one of a few values in a field the object is filtered
        by."""
        if isinstance(found, Group):
            return (any if found.operator == "AND" else all)(self.filters_by(part) for part in found.conditions)
        wanted = {name.lower() for name in self.object.filtered_by}
        if isinstance(found, SemiJoin):
            return not found.negated and ".".join(found.operand.names).lower() in wanted
        if not isinstance(found, Comparison) or not isinstance(found.operand, Path):
            return False
        return found.operator in ("=", "IN") and ".".join(found.operand.names).lower() in wanted

    def child(self, query: Query) -> Child:
        found = self.object.child(query.object, self.objects.values())
        if found is None:
            message = (
                f"Didn't understand relationship '{query.object}' in FROM part of query call. If you are attempting to "
                "use a custom relationship, be sure to append the '__r' after the custom relationship name. Please "
                "reference your WSDL or the describe call for the appropriate names."
            )
            raise Refusal(400, "INVALID_TYPE", complaint(self.query.text, query.object_at, message))
        other, lookup = found
        # The record that the children belong to is filter enough for those that want one.
        compiler = _Compiler(replace(query, object=other.name), self.objects, self.moment, self.deleted)
        compiler.object = replace(other, filtered_by=())
        inner = compiler.compile()
        if inner.children or inner.query.aggregated:
            raise malformed(self.query.text, query.object_at, "a query over children selects plain fields")
        return Child(str(lookup.children), lookup.name, inner)

    def typeof(self, found: TypeOf) -> tuple[str, tuple[Branch, ...]]:
        relation = self.object.relation(found.path.names[0])
        if relation is None or len(found.path.names) > 1 or len(relation.reference_to) < 2:
            message = f"TYPEOF wants a polymorphic relationship; {'.'.join(found.path.names)} is none"
            raise malformed(self.query.text, found.path.at, message)
        lookup = f"{self.alias}.{quote(relation.name)}"
        branches = []
        for name, paths in found.branches:
            kind = self.objects.get(name.lower())
            if kind is None or kind.name not in relation.reference_to:
                message = _INVALID_TYPE.format(name=name)
                raise Refusal(400, "INVALID_TYPE", complaint(self.query.text, found.path.at, message))
            branches.append(self.branch(kind.name, kind, quote(kind.name), lookup, paths))
        branches.append(self.branch("", names_object(), self.table(relation), lookup, found.otherwise))
        return str(relation.relationship), tuple(branches)

    def branch(self, name: str, kind: ObjectDef, table: str, lookup: str, paths: tuple[Path, ...]) -> Branch:
        alias = f"{self.alias}_w{len(self.join_sql)}"
        self.join_sql.append(f' LEFT JOIN {table} AS {alias} ON {alias}."Id" = {lookup}')
        fields = []
        for path in paths:
            found = kind.find(path.names[0]) if len(path.names) == 1 else None
            if found is None:
                message = _NO_COLUMN.format(name=".".join(path.names), entity=kind.name)
                raise Refusal(400, "INVALID_FIELD", complaint(self.query.text, path.at, message))
            fields.append(found)
        values = tuple(f.sql(alias, kind.parts(f)) for f in fields)
        return Branch(name, f'{alias}."Id"', tuple(fields), values)

    def table(self, relation: FieldDef) -> str:
        """The table behind a lookup: the object's, or of a polymorphic one what all its objects have in common."""
        kinds = [self.objects[name.lower()] for name in relation.reference_to if name.lower() in self.objects]
        if len(kinds) == 1:
            return quote(kinds[0].name)
        selects = []
        for kind in kinds:
            listed = []
            for f in names_object().fields.values():
                held = kind.find(f.name)
                value = f"CAST({held.sql('n', kind.parts(held))} AS VARCHAR)" if held else "CAST(NULL AS VARCHAR)"
                listed.append(f"{literal(kind.name) if f.name == 'Type' else value} AS {quote(f.name)}")
            selects.append(f"SELECT {', '.join(listed)} FROM {quote(kind.name)} AS n")
        return f"({' UNION ALL '.join(selects)})"

    # --- what is selected

    def columns(self) -> list[Column]:
        out: list[Column] = []
        unnamed = 0
        for item in self.query.items:
            if item.child is not None or item.typeof is not None:
                continue
            if item.fields:
                out.extend(self.all_fields(item.fields))
            elif isinstance(item.operand, Aggregate) or (isinstance(item.operand, Function) and item.operand.of_date):
                name = item.alias or f"expr{unnamed}"
                unnamed += 0 if item.alias else 1
                kind, sql = self.value_of(item.operand)
                self.grouped(item.operand)
                out.append(Column((name,), kind, sql, aggregate=True))
            else:
                out.append(self.plain(item))
        seen: set[tuple[str, ...]] = set()
        for column in out:
            if column.names in seen and not column.aggregate:
                message = f"duplicate field selected: {column.names[-1]}"
                raise Refusal(400, "INVALID_FIELD", complaint(self.query.text, 0, message))
            seen.add(column.names)
        return out

    def plain(self, item: Item) -> Column:
        operand = item.operand
        path = operand.path if isinstance(operand, Function) else operand
        if operand is None or not isinstance(path, Path):
            raise malformed(self.query.text, self.query.object_at, "unexpected token: 'FROM'")
        found = self.resolve(path)[2]
        kind, sql = self.value_of(operand)
        self.grouped(operand)
        names, entities = self.shown(path)
        if self.query.aggregated:
            return Column((item.alias or found.name,), kind, sql)
        if item.alias is not None and isinstance(operand, Path):
            raise malformed(self.query.text, path.at, "only aggregate expressions use field aliasing")
        return Column((*names[:-1], item.alias or found.name), kind, sql, entities=entities)

    def grouped(self, operand: Path | Aggregate | Function) -> None:
        """Refuse, among aggregates, what the rows are not grouped by."""
        if isinstance(operand, Aggregate) or (isinstance(operand, Path) and not self.query.aggregated):
            return
        if isinstance(operand, Function) and not (operand.of_date or self.query.aggregated):
            return
        sql = self.value_of(operand)[1]
        if not any(self.value_of(entry)[1] == sql for entry in self.query.group_by):
            path = operand.path if isinstance(operand, Function) else operand
            message = f"Field must be grouped or aggregated: {'.'.join(path.names)}"
            raise malformed(self.query.text, operand.at, message)

    def shown(self, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of `path` in the spelling of the schema, and the objects that its lookups lead to."""
        here, names, entities = self.object, [], []
        for name in path.names[:-1]:
            relation = here.relation(name)
            if relation is None:  # the object's own name as prefix: Contact.LastName
                continue
            here = self.target(relation)
            names.append(relation.relationship or name)
            entities.append(here.name)
        return (*names, path.names[-1]), tuple(entities)

    def joined(self, names: tuple[str, ...]) -> tuple[str, str]:
        """The SQL alias and the object of the parent that these names lead to."""
        alias, found = self.joins[tuple(name.lower() for name in names)]
        return alias, found.name

    def all_fields(self, which: str) -> list[Column]:
        if which != "STANDARD" and (self.query.limit is None or self.query.limit > 200):
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise malformed(self.query.text, 0, message)
        wanted = [
            f
            for f in self.object.fields.values()
            if which == "ALL" or f.custom == (which == "CUSTOM") or f.type == "id"
        ]
        return [Column((f.name,), f, f.sql(self.alias, self.object.parts(f))) for f in wanted]

    def aggregate(self, found: Aggregate) -> tuple[FieldDef, str]:
        if found.path is None:
            return FieldDef("count", "int"), "count(*)"
        kind, sql = self.field(found.path)
        if kind.type in COMPOUNDS or kind.long_text or (found.function in ("sum", "avg") and kind.type not in NUMBERS):
            message = f"field {kind.name} does not support aggregate operator {found.function.upper()}"
            raise malformed(self.query.text, found.path.at, message)
        if found.function == "count":
            return FieldDef("count", "int"), f"count({sql})"
        if found.function == "count_distinct":
            return FieldDef("count", "int"), f"count(DISTINCT {self.folded(kind, sql)})"
        return (kind if found.function != "avg" else FieldDef("avg", "double")), f"{found.function}({sql})"

    def value_of(self, operand: Path | Aggregate | Function) -> tuple[FieldDef, str]:
        """What an operand gives: a field that says of which type, and SQL for it."""
        if isinstance(operand, Aggregate):
            return self.aggregate(operand)
        if isinstance(operand, Path):
            return self.field(operand)
        kind, sql = self.field(operand.path)
        if kind.type in COMPOUNDS or kind.type == BLOB:
            message = f"field {kind.name} does not support the function {operand.function}"
            raise malformed(self.query.text, operand.at, message)
        if not operand.of_date:
            return text_function(operand.function, kind, sql)
        if kind.type not in ("date", "datetime"):
            message = f"field {kind.name} does not support the function {operand.function.upper()}"
            raise malformed(self.query.text, operand.at, message)
        if operand.local:
            sql = f"timezone({literal(str(self.moment.zone))}, timezone('UTC', {sql}))"
        return date_function(operand.function, sql)

    # --- names

    def resolve(self, path: Path) -> tuple[ObjectDef, str, FieldDef]:
        """The object a path ends on, SQL for its value, and its field."""
        here, alias = self.object, self.alias
        prefix: tuple[str, ...] = ()
        names = path.names
        if len(names) > 1 and here.relation(names[0]) is None and names[0].lower() == here.name.lower():
            names = names[1:]
        if len(names) - 1 > _MAX_DEPTH:
            raise malformed(self.query.text, path.at, "relationships may go at most 5 levels up")
        for name in names[:-1]:
            relation = here.relation(name)
            if relation is None:
                message = (
                    f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
                    "relationship, be sure to append the '__r' after the custom relationship name. Please reference "
                    "your WSDL or the describe call for the appropriate names."
                )
                raise Refusal(400, "INVALID_FIELD", complaint(self.query.text, path.at, message))
            prefix = (*prefix, name.lower())
            if prefix not in self.joins:
                target = self.target(relation)
                joined = f"{self.alias}_{len(self.joins) + 1}"
                self.join_sql.append(
                    f' LEFT JOIN {self.table(relation)} AS {joined} ON {joined}."Id" = {alias}.{quote(relation.name)}'
                )
                self.joins[prefix] = (joined, target)
            alias, here = self.joins[prefix]
        kind = here.find(names[-1])
        if kind is None:
            message = _NO_COLUMN.format(name=names[-1], entity=here.name)
            raise Refusal(400, "INVALID_FIELD", complaint(self.query.text, path.at, message))
        return here, kind.sql(alias, here.parts(kind)), kind

    def target(self, relation: FieldDef) -> ObjectDef:
        if sum(name.lower() in self.objects for name in relation.reference_to) > 1:
            return names_object()
        for name in relation.reference_to:
            if name.lower() in self.objects:
                return self.objects[name.lower()]
        raise Refusal(400, "INVALID_FIELD", f"the object behind {relation.relationship} is not in this org")

    def field(self, path: Path) -> tuple[FieldDef, str]:
        _, sql, kind = self.resolve(path)
        return kind, sql

    def folded(self, kind: FieldDef, sql: str) -> str:
        """`sql` so that it compares as the org compares texts."""
        plain = kind.case_sensitive or kind.type in IDS or kind.column() != "VARCHAR"
        return sql if plain else f"lower({sql})"

    def order(self, entry: Order) -> str:
        self.grouped(entry.operand)
        if not isinstance(entry.operand, Path):
            if not self.query.aggregated:
                raise malformed(self.query.text, entry.operand.at, "Ordered field must be grouped or aggregated")
            sql = self.value_of(entry.operand)[1]
        else:
            kind, sql = self.field(entry.operand)
            if not kind.sortable:
                message = f"field '{kind.name}' can not be sorted in a query call"
                raise malformed(self.query.text, entry.operand.at, message)
            sql = self.folded(kind, sql) if not self.query.group_by else sql
        return f"{sql} {'DESC' if entry.descending else 'ASC'} NULLS {'FIRST' if entry.nulls_first else 'LAST'}"

    # --- conditions

    def condition(self, found: Condition) -> str:
        if isinstance(found, Group):
            return "(" + f" {found.operator} ".join(self.condition(part) for part in found.conditions) + ")"
        if isinstance(found, Not):
            return f"(NOT coalesce({self.condition(found.condition)}, false))"
        if isinstance(found, SemiJoin):
            return self.semi_join(found)
        operand = found.operand
        if isinstance(operand, Aggregate) and not self.after_grouping:
            message = f"unexpected token: '{operand.function.upper()}'"
            raise malformed(self.query.text, operand.at, message)
        if self.after_grouping:
            self.grouped(operand)
        kind, sql = self.value_of(operand)
        plain = operand.path if isinstance(operand, Function) else operand
        if isinstance(plain, Path) and not self.field(plain)[0].filterable:
            message = f"field '{self.field(plain)[0].name}' can not be filtered in a query call"
            raise Refusal(400, "INVALID_FIELD", complaint(self.query.text, plain.at, message))
        return self.comparison(found, kind, sql)

    def semi_join(self, found: SemiJoin) -> str:
        inner = _Compiler(found.query, self.objects, self.moment, self.deleted)
        inner.alias = f"{self.alias}i"
        compiled = inner.compile()
        if len(compiled.columns) != 1 or compiled.columns[0].field.type not in IDS:
            message = "The inner select must select one field that is an id"
            raise malformed(self.query.text, found.operand.at, message)
        kind, sql = self.field(found.operand)
        if kind.type not in IDS:
            message = f"semi join sub-selects may only follow an id field; '{kind.name}' is none"
            raise malformed(self.query.text, found.operand.at, message)
        test = f"{sql} IN ({compiled.sql(lambda _, value: value)})"
        return f"(NOT coalesce({test}, false))" if found.negated else test

    def comparison(self, found: Comparison, kind: FieldDef, sql: str) -> str:
        operator, values = found.operator, found.values
        if operator in ("INCLUDES", "EXCLUDES"):
            return self.choices(found, kind, sql)
        if operator == "LIKE":
            return self.like(found, kind, sql)
        if operator in ("IN", "NOT IN"):
            tests = [self.one(kind, sql, "=", value) for value in values if value.kind in ("null", "range")]
            listed = ", ".join(self.value(kind, value) for value in values if value.kind not in ("null", "range"))
            if listed:
                tests.append(f"{self.folded(kind, sql)} IN ({listed})")
            test = "(" + " OR ".join(tests) + ")"
            return f"(NOT coalesce({test}, false))" if operator == "NOT IN" else test
        return self.one(kind, sql, operator, values[0])

    def one(self, kind: FieldDef, sql: str, operator: str, value: Literal) -> str:
        if value.kind == "null" or (value.kind == "string" and value.value == "" and kind.column() == "VARCHAR"):
            if operator not in ("=", "!="):
                return "false"
            return f"({sql} IS {'NOT ' if operator == '!=' else ''}NULL)"
        if value.kind == "range":
            return self.between(kind, sql, operator, value)
        plain = self.value(kind, value)
        if kind.type == "boolean" and operator not in ("=", "!="):
            raise self.wrong_operator(operator, kind, value)
        if operator == "!=":
            return f"({self.folded(kind, sql)} IS DISTINCT FROM {plain})"
        return f"({self.folded(kind, sql)} {operator} {plain})"

    def between(self, kind: FieldDef, sql: str, operator: str, value: Literal) -> str:
        if kind.type not in ("date", "datetime") or not isinstance(value.value, tuple):
            raise self.wrong_literal(kind, value)
        word, number = value.value
        first, after = span(word, number, self.moment.now, self.moment.zone)
        if kind.type == "date":
            start, end = f"DATE '{first.date()}'", f"DATE '{after.date()}'"
        else:
            start, end = f"TIMESTAMP '{naive(first)}'", f"TIMESTAMP '{naive(after)}'"
        tests = {
            "=": f"({sql} >= {start} AND {sql} < {end})",
            "!=": f"(NOT coalesce({sql} >= {start} AND {sql} < {end}, false))",
            "<": f"({sql} < {start})",
            "<=": f"({sql} < {end})",
            ">": f"({sql} >= {end})",
            ">=": f"({sql} >= {start})",
        }
        return tests[operator]

    def like(self, found: Comparison, kind: FieldDef, sql: str) -> str:
        value = found.values[0]
        if kind.column() != "VARCHAR" or kind.type in IDS:
            raise self.wrong_operator("LIKE", kind, value)
        if value.kind != "string":
            raise self.wrong_literal(kind, value)
        pattern = self.text(value, like=True)
        if not kind.case_sensitive:
            sql, pattern = f"lower({sql})", pattern.lower()
        return f"({sql} LIKE {literal(pattern)} ESCAPE '\\')"

    def choices(self, found: Comparison, kind: FieldDef, sql: str) -> str:
        if kind.type != "multipicklist":
            raise self.wrong_operator(found.operator, kind, found.values[0])
        held = f"string_split(lower({sql}), ';')"
        either = []
        for value in found.values:
            if value.kind != "string":
                raise self.wrong_literal(kind, value)
            wanted = [literal(part.strip().lower()) for part in self.text(value).split(";")]
            either.append("(" + " AND ".join(f"list_contains({held}, {part})" for part in wanted) + ")")
        test = "(" + " OR ".join(either) + ")"
        return test if found.operator == "INCLUDES" else f"(NOT coalesce({test}, false))"

    # --- literals

    def text(self, value: Literal, *, like: bool = False) -> str:
        try:
            return decode(str(value.value), like=like)
        except ValueError as error:
            raise malformed(self.query.text, value.at, str(error)) from None

    def value(self, kind: FieldDef, value: Literal) -> str:
        """A literal as SQL of the field's type. Raises Refusal when it is of another."""
        if kind.type in IDS and value.kind == "string":
            whole = ids.to18(self.text(value))
            if whole is None:
                message = complaint(self.query.text, value.at, f"invalid ID field: {value.value}")
                raise Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", message)
            return literal(whole)
        if kind.type == "boolean" and value.kind == "boolean":
            return "true" if value.value else "false"
        if kind.type in NUMBERS and value.kind == "number" and isinstance(value.value, float):
            return repr(value.value)
        if kind.type == "date" and value.kind == "date" and isinstance(value.value, date):
            return f"DATE '{value.value.isoformat()}'"
        if kind.type == "datetime" and value.kind == "datetime" and isinstance(value.value, datetime):
            instant = naive(value.value)
            return f"TIMESTAMP '{instant.replace(microsecond=instant.microsecond // 1000 * 1000)}'"
        if kind.column() == "VARCHAR" and kind.type not in IDS and value.kind == "string":
            text = self.text(value)
            if len(text) > 4000:
                raise malformed(self.query.text, value.at, "strings in WHERE may hold at most 4000 characters")
            return literal(text if kind.case_sensitive else text.lower())
        raise self.wrong_literal(kind, value)

    def wrong_literal(self, kind: FieldDef, value: Literal) -> Refusal:
        name = {"datetime": "dateTime", "date": "date", "boolean": "boolean", "int": "int"}.get(kind.type, "string")
        name = "double" if kind.type in ("double", "currency", "percent") else name
        should = "should be enclosed in quotes" if name == "string" else "should not be enclosed in quotes"
        message = f"value of filter criterion for field '{kind.name}' must be of type {name} and {should}"
        return Refusal(400, "INVALID_FIELD", complaint(self.query.text, value.at, message))

    def wrong_operator(self, operator: str, kind: FieldDef, value: Literal) -> Refusal:
        message = f"invalid operator {operator} on {kind.type} field '{kind.name}'"
        return Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", complaint(self.query.text, value.at, message))
