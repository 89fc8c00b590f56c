"""The YAML beside the models: descriptions, config, columns and tests, in dbt's shape.

::

    models:
      - name: recipients
        description: One row for each person
        config: {materialized: table, tags: [campaign]}
        columns:
          - name: email
            description: normalised
            tests:
              - unique
              - not_null: {config: {severity: warn, where: "status <> 'gone'"}}
              - accepted_values: {values: [new, known]}
              - relationships: {to: ref('people'), field: id}
    seeds:
      - name: engagement
        config: {column_types: {sent_at: TIMESTAMPTZ, clicks: INTEGER}}

``data_tests`` is accepted for ``tests``, and dbt's newer nesting ``{accepted_values: {arguments: {values: []}}}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backhaul.config.render import Renderer
from backhaul.errors import Fault, Where
from backhaul.transform.model import Column, ColumnTest
from backhaul.transform.rendering import Macro
from backhaul.transform.settings import Given
from backhaul.yaml_marks import MarkedList, MarkedMapping, MarkedScalar, Node, plain, read, suggest

BUILT_IN_TESTS = ("not_null", "unique", "accepted_values", "relationships")
_TOP = ("version", "models", "seeds", "macros")
_MODEL = ("name", "description", "config", "columns", "tests", "data_tests", "docs", "meta")
_COLUMN = ("name", "description", "tests", "data_tests", "data_type", "quote", "meta", "tags")
_TEST_CONFIG = ("severity", "where", "enabled", "tags", "meta")
_TEST_COMMON = ("name", "description", "config", "severity", "where", "arguments")
_OWN: dict[str, tuple[str, ...]] = {
    "not_null": (),
    "unique": (),
    "accepted_values": ("values", "quote"),
    "relationships": ("to", "field"),
}
_CALL = re.compile(
    r"\s*(?:\{\{)?\s*(?P<call>ref|source)\s*\(\s*(?P<quote>['\"])(?P<first>[^'\"]+)(?P=quote)"
    r"(?:\s*,\s*['\"](?P<second>[^'\"]+)['\"])?\s*\)\s*(?:\}\})?\s*"
)


@dataclass(frozen=True, slots=True)
class Properties:
    """What the YAML says about one model or seed. `kind` is "models" or "seeds"."""

    kind: str
    name: str
    where: Where
    description: str = ""
    config: Given = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    tests: tuple[ColumnTest, ...] = ()


class PropertiesReader:
    """Reads the YAML files of a transforms folder and collects what is wrong with them in `faults`."""

    def __init__(self, own_tests: Mapping[str, Macro], renderer: Renderer, faults: list[Fault]) -> None:
        self.own_tests = own_tests
        self.known_tests = (*BUILT_IN_TESTS, *own_tests)
        self.renderer = renderer
        self.faults = faults
        self.found: list[Properties] = []
        self._test_names: dict[str, int] = {}

    def read(self, path: Path, shown: str) -> None:
        """Take one file."""
        root = read(path, self.faults, shown=shown)
        if root is None:
            return
        top = self._mapping(root, "the file")
        if top is None:
            return
        for word in top:
            if word == "sources":
                self._fault(
                    "sources are declared in the project's sources folder, not in transforms",
                    top.place(word),
                    hint="remove this block; sources/<account>.yml names the objects",
                )
            elif word not in _TOP:
                self._fault(
                    f"'{word}' is not known at the top of this file", top.place(word), _TOP, suggest(word, _TOP)
                )
        for kind in ("models", "seeds"):
            for node in self._items(top.get(kind), f"'{kind}'"):
                entry = self._mapping(node, f"an entry of '{kind}'")
                if entry is not None:
                    self._entry(kind, entry)

    def _entry(self, kind: str, entry: MarkedMapping) -> None:
        name = self._name(entry, f"an entry of '{kind}'")
        if name is None:
            return
        self._known_words(entry, _MODEL, f"'{name}'")
        columns: list[Column] = []
        tests: list[ColumnTest] = []
        seen: dict[str, Where] = {}
        for node in self._items(entry.get("columns"), f"'columns' of '{name}'"):
            described = self._mapping(node, f"a column of '{name}'")
            column = self._name(described, f"a column of '{name}'") if described else None
            if described is None or column is None:
                continue
            where = described.place("name")
            if column.lower() in seen:
                self._fault(f"the column '{column}' of '{name}' stands twice, first at {seen[column.lower()]}", where)
                continue
            seen[column.lower()] = where
            self._known_words(described, _COLUMN, f"the column '{column}' of '{name}'")
            columns.append(Column(column, self._text(described, "description"), where))
            tests.extend(self._tests(described, name, column))
        tests.extend(self._tests(entry, name, None))
        self.found.append(
            Properties(
                kind=kind,
                name=name,
                where=entry.place("name"),
                description=self._text(entry, "description"),
                config=self._config(entry.get("config"), f"'config' of '{name}'"),
                columns=tuple(columns),
                tests=tuple(tests),
            )
        )

    # Tests

    def _tests(self, owner: MarkedMapping, model: str, column: str | None) -> list[ColumnTest]:
        found: list[ColumnTest] = []
        for word in ("tests", "data_tests"):
            for node in self._items(owner.get(word), f"'{word}' of '{column or model}'"):
                test = self._test(node, model, column)
                if test is not None:
                    found.append(test)
        return found

    def _test(self, node: Node, model: str, column: str | None) -> ColumnTest | None:
        where = node.where
        if isinstance(node, MarkedScalar) and isinstance(node.value, str):
            kind, given = node.value, None
        elif isinstance(node, MarkedMapping) and len(node) == 1:
            kind = next(iter(node))
            where, given = node.place(kind), node.get(kind)
        else:
            self._fault(
                "a test is a name, or one name with its arguments", where, hint="- accepted_values: {values: []}"
            )
            return None
        if kind not in self.known_tests:
            self._fault(f"the test '{kind}' is not known", where, self.known_tests, suggest(kind, self.known_tests))
            return None
        arguments: dict[str, Any] = {}
        if given is not None and not (isinstance(given, MarkedScalar) and given.value is None):
            mapping = self._mapping(given, f"the test '{kind}'")
            if mapping is None:
                return None
            words = self._arguments(mapping, kind, column)
            if words is None:
                return None
            arguments = words
        return self._made(kind, model, column, arguments, where)

    def _arguments(self, mapping: MarkedMapping, kind: str, column: str | None) -> dict[str, Any] | None:
        """The words of a test, those of `arguments` and `config` lifted up; None after a fault."""
        before = len(self.faults)
        own = _OWN.get(kind)
        allowed = (*(own or ()), *_TEST_COMMON, *(() if column else ("column_name",)))
        words: dict[str, Any] = {}
        for word, node in mapping.entries.items():
            place = mapping.place(word)
            if own is not None and word not in allowed:
                self._fault(f"'{word}' is not a word of the test '{kind}'", place, allowed, suggest(word, allowed))
            elif word in ("arguments", "config"):
                inner = self._mapping(node, f"'{word}' of the test '{kind}'")
                if inner is None:
                    continue
                accepted = _TEST_CONFIG if word == "config" else own
                for key, value in inner.entries.items():
                    if accepted is not None and key not in (*accepted, *(() if word == "config" else ("column_name",))):
                        self._fault(
                            f"'{key}' is not a word of '{word}' of the test '{kind}'",
                            inner.place(key),
                            accepted,
                            suggest(key, accepted),
                        )
                    words[key] = self._leaf(value)
            else:
                words[word] = self._leaf(node)
        return words if len(self.faults) == before else None

    def _made(
        self, kind: str, model: str, column: str | None, words: dict[str, Any], where: Where
    ) -> ColumnTest | None:
        severity = words.pop("severity", "error")
        if not isinstance(severity, str) or severity.lower() not in ("error", "warn"):
            self._fault("the severity of a test is error or warn", where, ("error", "warn"))
            return None
        if not words.pop("enabled", True):
            return None
        only, description, name = words.pop("where", ""), words.pop("description", ""), words.pop("name", "")
        words.pop("tags", None)
        words.pop("meta", None)
        target = column or words.get("column_name")
        if kind in BUILT_IN_TESTS and not target:
            self._fault(
                f"the test '{kind}' of '{model}' has no column",
                where,
                hint=f"put it under a column, or give it column_name: - {kind}: {{column_name: ...}}",
            )
            return None
        if kind in self.own_tests and not self._fits(kind, column, words, where):
            return None
        refs: tuple[str, ...] = ()
        if kind == "accepted_values" and (not isinstance(words.get("values"), list) or not words["values"]):
            self._fault("accepted_values wants 'values', a list", where, hint="- accepted_values: {values: [a, b]}")
            return None
        if kind == "relationships":
            call = _CALL.fullmatch(str(words.get("to", "")))
            if call is None or (call["call"] == "source" and not call["second"]) or not words.get("field"):
                self._fault(
                    "relationships wants 'to' and 'field'",
                    where,
                    hint="- relationships: {to: ref('model'), field: column}",
                )
                return None
            if call["call"] == "ref":
                refs = (call["second"] or call["first"],)
                words["to"] = refs[0]
            else:
                words["to"] = (call["first"], call["second"])
        label = str(name) or re.sub(r"\W+", "_", f"{kind}_{model}_{target}" if target else f"{kind}_{model}").strip("_")
        number = self._test_names[label] = self._test_names.get(label, 0) + 1
        return ColumnTest(
            name=label if number == 1 else f"{label}_{number}",
            model=model,
            column=column,
            kind=kind,
            arguments=words,
            where=where,
            refs=refs,
            severity=severity.lower(),
            only=str(only or ""),
            description=str(description or ""),
        )

    def _fits(self, kind: str, column: str | None, words: Mapping[str, Any], where: Where) -> bool:
        """Whether a ``{% test %}`` of the project takes these words."""
        macro = self.own_tests[kind]
        given = {"model", *(("column_name",) if column else ()), *words}
        known = (*macro.required, *macro.optional)
        for word in sorted(given.difference(known)) if not macro.takes_any else ():
            wanted = tuple(name for name in known if name != "model")
            what = "'column_name' (the column it stands under)" if word == "column_name" and column else f"'{word}'"
            self._fault(f"the test '{kind}' ({macro.where}) takes no {what}", where, wanted, suggest(word, wanted))
            return False
        missing = [name for name in macro.required if name not in given]
        if missing:
            self._fault(f"the test '{kind}' ({macro.where}) wants '{missing[0]}'", where, known[1:])
            return False
        return True

    # Nodes

    def _config(self, node: Node | None, what: str) -> Given:
        mapping = self._mapping(node, what) if node is not None else None
        if mapping is None:
            return {}
        return {word: (self._leaf(value), mapping.place(word)) for word, value in mapping.entries.items()}

    def _leaf(self, node: Node) -> Any:
        """The value, with var() and env_var() rendered in its texts (not in `ref(...)` of a relationship)."""
        if isinstance(node, MarkedMapping):
            return {word: self._leaf(value) for word, value in node.entries.items()}
        if isinstance(node, MarkedList):
            return [self._leaf(value) for value in node.items]
        value = plain(node)
        if not isinstance(value, str) or _CALL.fullmatch(value):
            return value
        return self.renderer.leaf(node, self.faults).value

    def _mapping(self, node: Node, what: str) -> MarkedMapping | None:
        if isinstance(node, MarkedMapping):
            return node
        self._fault(f"{what} is {node.kind}, where a mapping is wanted", node.where)
        return None

    def _items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        if node is None or (isinstance(node, MarkedScalar) and node.value is None):
            return ()
        if isinstance(node, MarkedList):
            return node.items
        self._fault(f"{what} is {node.kind}, where a list is wanted", node.where, hint="begin each entry with '- '")
        return ()

    def _name(self, mapping: MarkedMapping, what: str) -> str | None:
        node = mapping.get("name")
        if isinstance(node, MarkedScalar) and node.value is not None:
            return node.text
        self._fault(f"{what} has no 'name'", mapping.where)
        return None

    def _text(self, mapping: MarkedMapping, word: str) -> str:
        node = mapping.get(word)
        if node is None:
            return ""
        if isinstance(node, MarkedScalar):
            return node.text.strip() if node.value is not None else ""
        self._fault(f"'{word}' is {node.kind}, where text is wanted", node.where)
        return ""

    def _known_words(self, mapping: MarkedMapping, allowed: tuple[str, ...], what: str) -> None:
        for word in mapping:
            if word not in allowed:
                self._fault(f"'{word}' is not known in {what}", mapping.place(word), allowed, suggest(word, allowed))

    def _fault(self, message: str, where: Where, allowed: tuple[str, ...] | None = (), hint: str = "") -> None:
        self.faults.append(Fault(message, where, allowed or (), hint))
