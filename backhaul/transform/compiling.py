"""From a model to the SQL that the warehouse is given: names resolved, ephemeral models inlined, lines kept apart.

A :class:`Compiled` knows which of its lines came from where, so that an error of the database at line 12 of the SQL
can be shown at the line of the model (or macro, or inlined model) that a person wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from backhaul.errors import BackhaulError, Where
from backhaul.ledger.tables import SCHEMA as LEDGER_SCHEMA
from backhaul.transform.graph import Graph
from backhaul.transform.model import Model, Relation, SingularTest, quoted
from backhaul.transform.rendering import Library, RaisedInTemplate, Source
from backhaul.transform.syntax import bare
from backhaul.transform.words import Steps

if TYPE_CHECKING:
    from backhaul.transform.origins import Origin
    from backhaul.warehouse import Warehouse

RAW_SCHEMA = "raw"
"""The schema of the raw log, which the imports fill."""

_WITH = re.compile(r"\s*with\b(?P<recursive>\s+recursive\b)?", re.IGNORECASE)


def raw_table(account: str, object: str) -> str:
    """The raw log's table of an object."""
    return f"{account}__{object}"


def inlined_name(name: str) -> str:
    """What an ephemeral model is called inside the SQL of another."""
    return f"__cte__{name}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines `first`.. of the compiled SQL that are the rendered text of one template, from its own line `skipped`."""

    first: int
    lines: int
    rendered: str
    source: Source
    scope: Mapping[str, Any]
    own_first: int = 1


@dataclass(frozen=True, slots=True)
class Compiled:
    """The SQL of a model, and where its lines come from."""

    sql: str
    pieces: tuple[Piece, ...] = field(repr=False, default=())
    library: Library | None = field(repr=False, default=None)
    origin: Origin | None = field(repr=False, default=None)
    """Of SQL in another dialect: where its places stood in that which the pieces are of."""

    def locate(self, line: int, column: int = 0) -> Where | None:
        """The place that a person wrote of a line (from 1) of :attr:`sql`; None when it is not known."""
        if self.origin is not None:
            found = self.origin(line, column)
            if found is None:
                return None
            line, column = found
        for piece in reversed(self.pieces):
            if self.library is not None and piece.first <= line < piece.first + piece.lines:
                own = line - piece.first + piece.own_first
                return self.library.locate(piece.source, piece.scope, piece.rendered, own, column)
        return None


class Configuration:
    """Jinja's ``config``: called it prints nothing; ``config.get`` reads what the model has."""

    def __init__(self, known: Mapping[str, Any], hear: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._known = known
        self._hear = hear

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """Take settings; prints nothing."""
        given = {**(args[0] if args and isinstance(args[0], dict) else {}), **kwargs}
        if self._hear is not None:
            self._hear(given)
        return ""

    def get(self, name: str, default: Any = None, validator: Any = None) -> Any:
        """The value of one word, or the default."""
        return self._known.get(name, default)

    def require(self, name: str, validator: Any = None) -> Any:
        """The value of one word, which has to be there."""
        if name not in self._known:
            raise RaisedInTemplate(f"the model's config has no '{name}'")
        return self._known[name]


class Compiler:
    """Compiles the models of one graph for one run: one warehouse (or none), one set of windows."""

    def __init__(
        self,
        graph: Graph,
        *,
        warehouse: Warehouse | None = None,
        context: Mapping[str, Any] | None = None,
        full_refresh: bool = False,
    ) -> None:
        """Without a warehouse no model is incremental yet and names are quoted as DuckDB wants them."""
        if graph.library is None:
            raise BackhaulError("this graph was made without templates, so it cannot be compiled")
        self.graph = graph
        self.library = graph.library
        self.warehouse = warehouse
        self.context = dict(context or {})
        self.context["steps"] = Steps(self.context.get("steps", {}), checking=False)
        self.full_refresh = full_refresh
        self._made: set[str] = set()

    def compile(self, model: Model, *, incremental: bool | None = None) -> Compiled:
        """The model's SELECT; `incremental` says what is_incremental() answers, instead of the warehouse.

        Raises :class:`~backhaul.errors.ConfigurationError` with file and line.
        """
        scope = self.scope(model)
        if incremental is not None:
            scope["is_incremental"] = lambda: incremental
        return self._assembled(Source(model.file, model.text), scope, self.graph.inlined(model))

    def compile_test(self, test: SingularTest) -> Compiled:
        """The SELECT of a file of transforms/tests."""
        scope = self._scope(test.name, test.refs, test.sources, this=None, settings={}, incremental=False)
        source = Source(test.file, test.text)
        return self._assembled(source, scope, self.graph.inlined(test))

    def with_inlined(self, names: Iterable[str], sql: str) -> str:
        """The SQL with the ephemeral models among `names` (and what they read) before it."""
        models = [self.graph[name] for name in names if name in self.graph]
        needed = [model for model in models if model.materialized == "ephemeral"]
        all_needed = {inner.name for model in needed for inner in (*self.graph.inlined(model), model)}
        ctes = [(name, self._text(self.graph[name])) for name in self.graph.order if name in all_needed]
        return _insert(sql, [f"{inlined_name(name)} as (\n{text}\n)" for name, text in ctes])[0]

    def carried(self, compiled: Compiled, file: str) -> Compiled:
        """The SQL in the warehouse's own dialect: as it is on DuckDB, else carried over (:mod:`.dialects`).

        Functions that it needs and the warehouse lacks are made there. Raises
        :class:`~backhaul.errors.ConfigurationError` with the places in the files; `file` stands for what has none.
        """
        warehouse = self.warehouse
        if warehouse is None or warehouse.dialect == "duckdb":
            return compiled
        from backhaul.transform.dialects import NotCarriedOver, carry
        from backhaul.transform.functions import statement

        try:
            carried = carry(compiled.sql, warehouse.dialect, warehouse.columns)
        except NotCarriedOver as error:
            raise error.at(compiled.locate, Where(file)) from error
        for name in carried.functions:
            making = statement(name, warehouse.dialect)
            if making is not None and name not in self._made:
                warehouse.create_schema(LEDGER_SCHEMA)
                with warehouse.native():
                    warehouse.execute(making)
                self._made.add(name)
        return replace(compiled, sql=carried.sql, origin=carried.origin)

    def relation(self, model: Model) -> Relation:
        """The model as it stands in SQL: its table or view, or the name it is inlined under."""
        if model.materialized == "ephemeral":
            return Relation(model.schema, model.alias, inlined_name(model.name))
        return self._shown(model.schema, model.alias)

    def raw(self, account: str, object: str) -> Relation:
        """The raw log of an object."""
        return self._shown(RAW_SCHEMA, raw_table(account, object))

    def quote(self, identifier: str) -> str:
        """The identifier as it has to stand in SQL."""
        return self.warehouse.quote(identifier) if self.warehouse else quoted(identifier)

    def is_incremental(self, model: Model) -> bool:
        """Whether this run of an incremental model adds to a table that is there."""
        if model.materialized != "incremental" or self.warehouse is None or self.refreshes(model):
            return False
        return relation_kind(self.warehouse, model.schema, model.alias) == "table"

    def refreshes(self, model: Model) -> bool:
        """Whether the model is to be built anew: what was asked, unless the model's own full_refresh says otherwise."""
        return self.full_refresh if model.full_refresh is None else model.full_refresh

    def scope(self, model: Model) -> dict[str, Any]:
        """What Jinja sees in this model besides the words of all."""
        return self._scope(
            model.name,
            model.refs,
            model.sources,
            this=self._shown(model.schema, model.alias),
            settings={**model.config, "materialized": model.materialized},
            incremental=self.is_incremental(model),
        )

    def _scope(
        self,
        name: str,
        refs: tuple[str, ...],
        sources: tuple[tuple[str, str], ...],
        *,
        this: Relation | None,
        settings: Mapping[str, Any],
        incremental: bool,
    ) -> dict[str, Any]:
        def ref(*args: str, **kwargs: Any) -> Relation:
            wanted = args[-1] if args else ""
            if wanted not in refs:
                raise RaisedInTemplate(
                    f"ref('{wanted}') was not seen when '{name}' was read, so its order is not known",
                    hint=f"add this line to the model: -- depends_on: {{{{ ref('{wanted}') }}}}",
                )
            return self.relation(self.graph[wanted])

        def source(account: str, object: str) -> Relation:
            if account == LEDGER_SCHEMA:
                return self._shown(LEDGER_SCHEMA, object)
            if (account, object) not in sources:
                raise RaisedInTemplate(
                    f"source('{account}', '{object}') was not seen when '{name}' was read",
                    hint=f"add this line to the model: -- depends_on: {{{{ source('{account}', '{object}') }}}}",
                )
            return self._shown(RAW_SCHEMA, raw_table(account, object))

        scope = {
            **self.context,
            "ref": ref,
            "source": source,
            "config": Configuration(settings),
            "is_incremental": lambda: incremental,
            "should_full_refresh": lambda: self.full_refresh,
            "model": {"name": name, "config": dict(settings)},
        }
        if this is not None:
            scope["this"] = this
        return scope

    def _shown(self, schema: str, name: str) -> Relation:
        return Relation(schema, name, self.warehouse.relation(schema, name) if self.warehouse else "")

    def _text(self, model: Model) -> str:
        return self.library.render(Source(model.file, model.text), self.scope(model))

    def _assembled(self, source: Source, scope: Mapping[str, Any], inlined: Iterable[Model]) -> Compiled:
        rendered = self.library.render(source, scope)
        body = rendered.strip("\n")
        dropped = len(rendered) - len(rendered.lstrip("\n"))
        ctes: list[str] = []
        inner: list[Piece] = []
        for model in inlined:
            own_scope = self.scope(model)
            own = Source(model.file, model.text)
            text = self.library.render(own, own_scope)
            first = sum(cte.count("\n") + 1 for cte in ctes) + 1  # the text's first line in the block, from 0
            ctes.append(f"{inlined_name(model.name)} as (\n{text}\n)")
            inner.append(Piece(first, text.count("\n") + 1, text, own, own_scope))
        sql, at_line, added = _insert(body, ctes)
        head = body.split("\n")[: at_line - 1]
        pieces: list[Piece] = []
        if head:
            pieces.append(Piece(1, len(head), rendered, source, scope, 1 + dropped))
        if ctes:
            pieces.extend(
                Piece(at_line + piece.first, piece.lines, piece.rendered, piece.source, piece.scope) for piece in inner
            )
        rest = body.count("\n") + 1 - len(head)
        pieces.insert(0, Piece(at_line + added, rest, rendered, source, scope, at_line + dropped))
        return Compiled(sql, tuple(pieces), self.library)


def _insert(body: str, ctes: list[str]) -> tuple[str, int, int]:
    """The body with common table expressions before its own: the SQL, the line they went in at, lines added."""
    if not ctes:
        return body, 1, 0
    block = ",\n".join(ctes)
    found = _WITH.match(bare(body))
    if found:
        at = found.end()
        sql = f"{body[:at]} {block},{body[at:]}"
        return sql, body.count("\n", 0, at) + 1, block.count("\n")
    sql = f"with {block}\n{body}"
    return sql, 1, block.count("\n") + 1


def relation_kind(warehouse: Warehouse, schema: str, name: str) -> str | None:
    """ "table", "view" or None for what stands under that name in the warehouse."""
    found = warehouse.kind(schema, name)
    return "table" if found == "materialized view" else found
