"""Jinja for models: macros of the whole project, faults with file and line, and places kept through rendering.

A rendered line seldom stands where its template line stood: blocks vanish, loops repeat, macros bring lines of
other files. So that an error of the database can name the line a person wrote, :meth:`Library.locate` renders the
template once more with every piece of literal text marked by its file and line, and looks up what marks the spot.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from traceback import extract_tb
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from jinja2.sandbox import SandboxedEnvironment

from backhaul.config import Unresolved
from backhaul.errors import BackhaulError, ConfigurationError, Fault, Where

_FILES = "#files"  # a key that no template can spell: the macro files, for placing errors
_MARK = re.compile("\ue000(\\d+):(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro of the project: its file, its line, the arguments it must be given and those it may be given."""

    source: Source
    line: int
    required: tuple[str, ...]
    optional: tuple[str, ...]
    takes_any: bool  # it reads kwargs or varargs

    @property
    def where(self) -> Where:
        """Where it begins."""
        return Where(self.source.file, self.line)


@dataclass(frozen=True, slots=True)
class Source:
    """A template: the path as shown to people and its text."""

    file: str
    text: str


class RaisedInTemplate(BackhaulError):
    """What ``exceptions.raise_compiler_error`` in a template raises."""


class _Marks(Extension):
    """Puts ``file:line`` marks before every literal piece and after every line break in one."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        files: list[str] = self.environment.marked_files  # type: ignore[attr-defined]  # set by _World
        if stream.name not in files:
            files.append(stream.name or "")
        number = files.index(stream.name or "")
        for token in stream:
            if token.type == "data":
                lines = token.value.split("\n")
                marked = [f"\ue000{number}:{token.lineno + at}\ue001{line}" for at, line in enumerate(lines)]
                yield Token(token.lineno, token.type, "\n".join(marked))
            else:
                yield token


class _TestTag(Extension):
    """``{% test name(model, column_name) %} ... {% endtest %}``: a macro called test_<name>."""

    tags = {"test", "data_test"}  # noqa: RUF012 - the attribute's type is Jinja's

    def parse(self, parser: Parser) -> nodes.Node:
        """Read the tag as Jinja reads a macro."""
        opened = next(parser.stream)
        macro = nodes.Macro(lineno=opened.lineno)
        macro.name = "test_" + parser.parse_assign_target(name_only=True).name
        parser.parse_signature(macro)
        macro.body = parser.parse_statements((f"name:end{opened.value}",), drop_needle=True)
        return macro


class _World:
    """An environment with its compiled templates, once plain and once with marks."""

    def __init__(self, marked: bool) -> None:
        extensions: list[type[Extension] | str] = ["jinja2.ext.do", "jinja2.ext.loopcontrols", _TestTag]
        if marked:
            extensions.append(_Marks)
        self.environment = SandboxedEnvironment(
            extensions=extensions, undefined=jinja2.StrictUndefined, finalize=_printable, autoescape=False
        )
        # SQL is text, not markup: the sandbox keeps templates from Python's insides, escaping would bend the SQL.
        for name in ("lipsum", "cycler", "joiner"):
            self.environment.globals.pop(name, None)
        self.files: list[str] = []
        self.environment.marked_files = self.files  # type: ignore[attr-defined]
        self._compiled: dict[Source, jinja2.Template] = {}

    def template(self, source: Source) -> jinja2.Template:
        """The compiled template. Raises jinja2.TemplateSyntaxError."""
        if source not in self._compiled:
            code = self.environment.compile(source.text, name=source.file, filename=source.file)
            self._compiled[source] = jinja2.Template.from_code(
                self.environment, code, self.environment.make_globals(None), None
            )
        return self._compiled[source]


class Library:
    """The macros of a project and the names that every template may use.

    `names` are the values every template sees; what depends on the model (ref, config, this ...) comes with each
    rendering as its scope.
    """

    def __init__(self, names: Mapping[str, Any], macro_files: Sequence[Source] = ()) -> None:
        """Compile the macro files; what is wrong in them is in :attr:`faults`, the rest can be used."""
        self.names = dict(names)
        self.faults: list[Fault] = []
        self.macros: dict[str, Macro] = {}
        self._plain = _World(marked=False)
        self._marked: _World | None = None
        for source in macro_files:
            self._take(source)

    def _take(self, source: Source) -> None:
        try:
            self._plain.template(source)
            parsed = self._plain.environment.parse(source.text, source.file, source.file)
        except jinja2.TemplateSyntaxError as error:
            self.faults.append(_syntax_fault(source, error))
            return
        for node in parsed.body:
            if not isinstance(node, nodes.Macro):
                continue
            where = Where(source.file, node.lineno)
            known = self.macros.get(node.name)
            if known:
                self.faults.append(
                    Fault(f"the macro '{node.name}' stands twice, here and at {known.where}", where, hint="rename one")
                )
            elif node.name in OFFERED:
                self.faults.append(
                    Fault(f"a macro cannot be called '{node.name}': every model has that word already", where)
                )
            else:
                names = [argument.name for argument in node.args]
                first = len(names) - len(node.defaults)
                used = {found.name for found in node.find_all(nodes.Name)}
                self.macros[node.name] = Macro(
                    source,
                    node.lineno,
                    required=tuple(names[:first]),
                    optional=tuple(names[first:]),
                    takes_any=not used.isdisjoint(("kwargs", "varargs")),
                )

    @property
    def tests(self) -> dict[str, Macro]:
        """The project's own ``{% test %}`` blocks by name."""
        found = {name: macro for name, macro in self.macros.items() if name.startswith("test_")}
        return {name.removeprefix("test_"): found[name] for name in sorted(found)}

    def render(self, source: Source, scope: Mapping[str, Any]) -> str:
        """The text that the template makes. Raises ConfigurationError with file and line of what is wrong."""
        return self._render(self._plain, source, scope)

    def call(self, macro: str, scope: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
        """What a macro of the project gives. Raises ConfigurationError with file and line of what is wrong."""
        found = self.macros[macro]
        names = self._names(self._plain, scope)
        try:
            return str(names[macro](**arguments))
        except (ConfigurationError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise ConfigurationError(_raised_fault(found.source, error, names, found.line)) from error

    def locate(
        self, source: Source, scope: Mapping[str, Any], rendered: str, line: int, column: int = 0
    ) -> Where | None:
        """The template line that made line `line`, column `column` (from 1, 0 = unknown) of its rendered text.

        None when that cannot be said, as when a template looks at the length of its own text.
        """
        self._marked = self._marked or _World(marked=True)
        try:
            marked = self._render(self._marked, source, scope)
        except ConfigurationError:
            return None
        if _MARK.sub("", marked) != rendered:
            return None
        lines = rendered.split("\n")
        if not 1 <= line <= len(lines):
            return None
        text = lines[line - 1]
        at = column - 1 if 1 <= column <= len(text) else len(text) - len(text.lstrip())
        target = sum(len(above) + 1 for above in lines[: line - 1]) + at
        removed, place = 0, None
        for mark in _MARK.finditer(marked):
            if mark.start() - removed > target:
                break
            removed += mark.end() - mark.start()
            place = Where(self._marked.files[int(mark[1])], int(mark[2]))
        return place

    def _render(self, world: _World, source: Source, scope: Mapping[str, Any]) -> str:
        names: dict[str, Any] = {}
        try:
            template = world.template(source)
            names = self._names(world, scope)
            return template.render(names)
        except jinja2.TemplateSyntaxError as error:
            raise ConfigurationError(_syntax_fault(source, error)) from error
        except (ConfigurationError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise ConfigurationError(_raised_fault(source, error, names)) from error

    def _names(self, world: _World, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Everything a template sees: common names, the model's own, and the macros, which see the same."""
        names = {**self.names, **scope}
        modules: dict[Source, Any] = {}

        def bound(name: str, source: Source) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                if source not in modules:
                    modules[source] = world.template(source).make_module(names)
                return getattr(modules[source], name)(*args, **kwargs)

            return call

        names.update({name: bound(name, macro.source) for name, macro in self.macros.items()})
        names[_FILES] = {macro.source for macro in self.macros.values()}
        return names


OFFERED = (
    "ref",
    "source",
    "config",
    "var",
    "env_var",
    "this",
    "is_incremental",
    "should_full_refresh",
    "steps",
    "target",
    "log",
    "exceptions",
    "adapter",
    "run_started_at",
    "invocation_id",
    "execute",
    "modules",
    "flags",
    "model",
    "project_name",
)
"""Every name that a template may use besides Jinja's own and the project's macros."""


def calling_place() -> Where | None:
    """The template line that is being rendered right now (for functions that templates call)."""
    frame = sys._getframe(1)
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None and frame.f_code.co_filename == template.filename:
            return Where(str(template.filename), template.get_corresponding_lineno(frame.f_lineno))
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


def _printable(value: Any) -> Any:
    """Refuse to print None: the word None in SQL is never what was meant."""
    if value is None:
        raise RaisedInTemplate(
            "an expression between {{ and }} is None, which SQL would read as a column",
            hint="write 'null' as text, give a default, or use {% do ... %} for a call without a result",
        )
    return value


def _syntax_fault(source: Source, error: jinja2.TemplateSyntaxError) -> Fault:
    message = error.message or "it cannot be read"
    if "unknown tag 'snapshot'" in message or "unknown tag 'materialization'" in message:
        return Fault(f"Jinja: {message}", Where(source.file, error.lineno), hint="backhaul has no such block")
    return Fault(f"Jinja: {message}", Where(source.file, error.lineno))


def _raised_fault(source: Source, error: Exception, names: Mapping[str, Any], line: int = 0) -> Fault:
    """The fault for an exception that rendering raised, at the innermost template line it passed through."""
    where = Where(source.file, line)
    files = {source.file, *(found.file for found in names.get(_FILES, ()))}
    for entry in extract_tb(error.__traceback__):
        if entry.filename in files:
            where = Where(entry.filename, entry.lineno or 0)
    if isinstance(error, BackhaulError):
        return Fault(error.message, where, hint=error.hint)
    if isinstance(error, Unresolved):
        return error.fault(where)
    if isinstance(error, jinja2.UndefinedError):
        unknown = re.fullmatch(r"'([^']+)' is undefined", error.message or "")
        if unknown:
            close = get_close_matches(unknown[1], [name for name in names if name != _FILES], n=1)
            return Fault(
                f"Jinja: '{unknown[1]}' is not known here",
                where,
                allowed=() if close else OFFERED,
                hint=f"did you mean '{close[0]}'?" if close else "",
            )
        return Fault(f"Jinja: {error.message}", where)
    return Fault(f"Jinja: {error}" if str(error) else f"Jinja: {type(error).__name__}", where)
