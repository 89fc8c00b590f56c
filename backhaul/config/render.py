"""Jinja on the leaves of parsed YAML, and the `var` and `env_var` that YAML and models share.

Rendering happens after parsing and replaces one leaf by one leaf, so a value full of quotes, colons or Jinja can
never bend the structure, and is never rendered a second time. Everything runs in Jinja's sandbox with strict
undefined names. A leaf that is exactly one expression keeps the native type of its value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from backhaul.errors import Fault, Where
from backhaul.yaml_marks import MarkedList, MarkedMapping, MarkedScalar, Node, suggest

RUN_NAMES = frozenset({"steps"})
"""Names that have a value only while a pipeline runs."""


class Unresolved(Exception):
    """A variable has no value. `message`, `allowed` and `hint` are the parts of a :class:`Fault`."""

    def __init__(self, message: str, *, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.allowed = allowed
        self.hint = hint

    def fault(self, where: Where | None) -> Fault:
        """The same as a fault at a place."""
        return Fault(self.message, where, self.allowed, self.hint)


class _Missing:
    """Stands for 'no default was given', as None is a default like any other."""

    def __repr__(self) -> str:
        return "<no default>"


MISSING = _Missing()


def environment(**options: object) -> SandboxedEnvironment:
    """A sandboxed Jinja environment with strict undefined names; None prints as nothing.

    `options` go to Jinja's environment, such as ``loader`` or ``extensions``.
    """
    settings: dict[str, Any] = {
        "undefined": jinja2.StrictUndefined,
        "autoescape": False,
        "keep_trailing_newline": True,
        "finalize": _finalize,
    }
    return SandboxedEnvironment(**{**settings, **options})


def _finalize(value: object) -> object:
    return "" if value is None else value


def var_function(variables: Mapping[str, object]) -> Callable[..., object]:
    """Jinja's ``var(name)`` and ``var(name, default)`` over the project's variables.

    The function raises :class:`Unresolved` for a name that has neither value nor default.
    """

    def var(name: str, default: object = MISSING) -> object:
        if name in variables:
            return variables[name]
        if default is not MISSING:
            return default
        raise Unresolved(
            f"the variable {name!r} has no value and no default",
            allowed=tuple(sorted(map(str, variables))),
            hint=suggest(str(name), map(str, variables))
            or "set it under [tool.backhaul.vars] in pyproject.toml, or give it on the command line",
        )

    return var


def env_var_function(
    environ: Mapping[str, str], *, on_use: Callable[[str], None] | None = None
) -> Callable[..., object]:
    """Jinja's ``env_var(name)`` and ``env_var(name, default)``; `on_use` hears each name whose value was taken.

    The function raises :class:`Unresolved` for a variable that is not set and has no default.
    """

    def env_var(name: str, default: object = MISSING) -> object:
        if name in environ:
            if on_use is not None:
                on_use(str(name))
            return environ[name]
        if default is not MISSING:
            return default
        raise Unresolved(
            f"the environment variable {str(name)!r} is not set",
            hint=f"set {name} in the shell, or give a default: env_var({str(name)!r}, '...')",
        )

    return env_var


@dataclass(frozen=True, slots=True)
class RenderedScalar(MarkedScalar):
    """A leaf that Jinja made.

    `value` is native when the leaf was one expression, else text. `hidden`: the value, or a part of it, came from
    the environment and must not be shown. `pending`: it was not rendered, and `text` is the template: names of
    :data:`RUN_NAMES` are used, it has a fault, or the file is checked without its values.
    """

    hidden: bool = False
    pending: bool = False


def is_template(text: str) -> bool:
    """Whether a text holds Jinja at all."""
    return "{{" in text or "{%" in text


@dataclass(slots=True)
class Renderer:
    """Renders leaves with the project's variables and environment.

    With `values` False nothing is evaluated: templates are only checked for syntax and names and stay pending (for
    profiles that are not in use, whose environment variables need not exist). Leaves that use one of `run_names`
    stay pending; they may stand under `run_keys` only.
    """

    variables: Mapping[str, object] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    values: bool = True
    run_names: frozenset[str] = frozenset()
    run_keys: frozenset[str] = frozenset()

    def tree(self, node: Node, faults: list[Fault], *, secret: bool = False, key: str = "") -> Node:
        """The tree with every leaf rendered; faults are added. `secret`: no message may quote the template.

        `key` is the one that the node stands under.
        """
        if isinstance(node, MarkedScalar):
            return self.leaf(node, faults, secret=secret, key=key)
        if isinstance(node, MarkedList):
            return MarkedList(node.where, tuple(self.tree(item, faults, secret=secret) for item in node.items))
        for name, place in node.keys.items():
            if is_template(name):
                faults.append(Fault("a key holds Jinja, which is rendered in values only", place))
        rendered = {name: self.tree(item, faults, secret=secret, key=name) for name, item in node.entries.items()}
        return MarkedMapping(node.where, rendered, node.keys)

    def leaf(self, leaf: MarkedScalar, faults: list[Fault], *, secret: bool = False, key: str = "") -> MarkedScalar:
        """One leaf rendered; after a fault it comes back pending, so that nothing is said about it twice."""
        if not isinstance(leaf.value, str) or not is_template(leaf.value):
            return leaf
        pending = RenderedScalar(leaf.where, leaf.value, leaf.text, pending=True)
        used: list[str] = []
        context = {
            "var": var_function(self.variables),
            "env_var": env_var_function(self.environ, on_use=used.append),
        }
        jinja = environment()
        try:
            tree = jinja.parse(leaf.value)
            names = meta.find_undeclared_variables(tree)
        except jinja2.TemplateError as error:
            faults.append(syntax_fault(error, leaf.where, secret=secret))
            return pending
        except RecursionError:
            faults.append(Fault("the Jinja of this value is nested too deeply", leaf.where))
            return pending
        unknown = sorted(names - context.keys() - self.run_names)
        if unknown:
            faults.append(_unknown_name(unknown[0], (*context, *self.run_names), leaf.where, secret))
            return pending
        if names & self.run_names:
            if key in self.run_keys:
                return pending
            name, known = min(names & self.run_names), tuple(sorted(self.run_keys))
            faults.append(
                Fault(f"{name!r} has values only while the pipeline runs: not for {key!r}", leaf.where, known)
            )
            return pending
        if not self.values:
            return pending
        try:
            value = _evaluate(jinja, tree, leaf.value, context)
        except Unresolved as error:
            faults.append(
                Fault("a variable that this Jinja expression names is not set", leaf.where)
                if used  # its name may have been made from a value of the environment
                else error.fault(leaf.where)
            )
            return pending
        except Exception as error:  # the expression is the user's: whatever it raises is a fault of the value
            faults.append(evaluation_fault(error, leaf.where, secret=secret or bool(used)))
            return pending
        text = value if isinstance(value, str) else str(_finalize(value))
        return RenderedScalar(leaf.where, value, text, hidden=bool(used))


def _unknown_name(name: str, known: tuple[str, ...], where: Where, secret: bool) -> Fault:
    if secret:
        return Fault(
            "a name in this Jinja expression is not known here", where, known, "put names of variables in quotes"
        )
    return Fault(
        f"the name {name!r} is not known in this Jinja expression",
        where,
        known,
        suggest(name, known) or f"for a variable of the project write var({name!r})",
    )


def syntax_fault(error: jinja2.TemplateError, where: Where, *, secret: bool = False) -> Fault:
    """The fault for Jinja that cannot be parsed; with `secret` without Jinja's words, which quote the template."""
    if secret:
        return Fault("the Jinja of this value cannot be read", where, hint="check the braces, brackets and quotes")
    return Fault(f"the Jinja of this value cannot be read: {error.message or 'syntax error'}", where)


def evaluation_fault(error: Exception, where: Where, *, secret: bool = False) -> Fault:
    """The fault for Jinja that fails when evaluated; with `secret` only the kind of error is told."""
    detail = type(error).__name__ if secret else f"{type(error).__name__}: {error}"
    return Fault(f"the Jinja of this value fails ({detail})", where)


def _evaluate(jinja: SandboxedEnvironment, tree: nodes.Template, source: str, context: Mapping[str, object]) -> object:
    """The native value of a template that is one expression, the text of any other."""
    expression = _single_expression(tree, source)
    if expression is not None:
        value: object = jinja.compile_expression(expression, undefined_to_none=False)(**context)
        if isinstance(value, jinja2.Undefined):
            str(value)  # raises UndefinedError
        return value
    return jinja.from_string(source).render(context)


def _single_expression(tree: nodes.Template, source: str) -> str | None:
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = tree.body[0].nodes
    stripped = source.strip()
    if len(parts) != 1 or isinstance(parts[0], nodes.TemplateData):
        return None
    if not (stripped == source and stripped.startswith("{{") and stripped.endswith("}}")):
        return None
    return stripped[2:-2].strip().removeprefix("-").removesuffix("-").strip()
