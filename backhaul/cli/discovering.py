"""The verb that looks into a CRM for what can be imported: discover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.options import Session, on_project

if TYPE_CHECKING:
    from backhaul.config import Project
    from backhaul.record import Field, ObjectSchema


@click.command("discover", short_help="List a CRM's objects and fields; write them to sources/.")
@click.argument("account")
@click.argument("object", required=False)
@click.option("--like", metavar="TEXT", default="", help="Only those whose name or label holds TEXT.")
@click.option("--write", is_flag=True, help="Add the object with the listed fields to sources/ACCOUNT.yml.")
@on_project
def discover_command(session: Session, account: str, object: str | None, like: str, write: bool) -> None:
    """List the objects of ACCOUNT, or the fields of one OBJECT, as its user may see them.

    With --write the listed fields are added to the account's source: a new file, a new object, or new fields of an
    object that is there. Comments and order of what stands there are kept.
    """
    from backhaul.record import Kind
    from backhaul.report import table

    if write and not object:
        raise click.UsageError("--write wants an OBJECT: its listed fields are added to the source")
    with session.workspace() as workspace:
        crm = workspace.connector(account)
        source = workspace.project.sources.get(account)
        declared = source.objects if source else {}
        if object is None:
            objects = [
                {
                    "object": one.name,
                    "label": one.label,
                    "custom": "yes" if one.custom else "",
                    "imported": "yes" if one.name in declared else "",
                }
                for one in crm.objects()
                if _holds(like, one.name, one.label)
            ]
            columns: tuple[str, ...] = ("object", "label", "custom", "imported")
            session.console.tables([table(f"objects of {account}", objects, columns)], {"objects": objects})
            session.console.say(f"\nnext: backhaul discover {account} OBJECT")
            return
        schema = crm.describe(object)
        there = {item.name for item in declared[schema.name].fields} if schema.name in declared else set()
        # What comes along with a field by itself is not listed beside it.
        beside = {name for names in schema.companions.values() for name in names}
        chosen = [one for one in schema.fields.values() if one.name not in beside and _holds(like, one.name, one.label)]
        rows = [_row(one, schema, one.name in there) for one in chosen]
        document: dict[str, Any] = {"object": schema.name, "fields": rows}
        hidden = [{"field": name, "why": why} for name, why in schema.hidden.items() if _holds(like, name)]
        if hidden:
            document["hidden"] = hidden
        columns = ("field", "label", "type", "length", "write", "key", "refers to", "imported")
        tables = [table(f"{len(rows)} fields of {account}.{schema.name}", rows, columns)]
        if hidden:
            tables.append(table("hidden from this user", hidden, ("field", "why")))
        if write:
            # A binary costs a request a record: it is imported by those who name it.
            wanted = [one for one in chosen if one.name not in there and (like or one.kind is not Kind.BINARY)]
            file, added = _write(workspace.project, account, schema, wanted)
            document |= {"file": file, "added": added}
        session.console.tables(tables, document)
        if write:
            said = f"{len(added)} fields added to {file}: {', '.join(added)}" if added else f"{file} holds them all"
            session.console.say(f"\n{said}\nnext: backhaul check, then backhaul import {account}.{schema.name}")


def _holds(like: str, *texts: str) -> bool:
    return not like or any(like.lower() in text.lower() for text in texts)


def _row(field: Field, schema: ObjectSchema, imported: bool) -> dict[str, Any]:
    size: Any = field.length
    if field.precision is not None:
        size = f"{field.precision},{field.scale or 0}"
    writable = "calculated" if field.calculated else "yes" if field.updateable else "create" if field.createable else ""
    key = "id" if field.name == schema.id_field else "yes" if any(field.name in names for names in schema.keys) else ""
    return {
        "field": field.name,
        "label": field.label,
        "type": field.vendor_type,
        "length": size,
        "write": writable,
        "key": key,
        "refers to": ", ".join(field.references[:3]),
        "imported": "yes" if imported or key == "id" else "",
    }


def _write(project: Project, account: str, schema: ObjectSchema, fields: list[Field]) -> tuple[str, list[str]]:
    """(the file, the names added); the id is added to every import by itself."""
    from backhaul.config.extending import extended
    from backhaul.errors import BackhaulError

    source = project.sources.get(account)
    shown = source.where.file if source else f"sources/{account}.yml"
    path = project.folder / shown
    names = [one.name for one in fields if one.name != schema.id_field]
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        changed = extended(text, shown, account, schema.name, names) if names else text
        if changed != text:
            path.parent.mkdir(exist_ok=True)
            draft = path.with_name(f".{path.name}")
            draft.write_text(changed, encoding="utf-8")
            draft.replace(path)
    except OSError as error:
        raise BackhaulError(f"{shown} cannot be written ({error.strerror or type(error).__name__})") from None
    return shown, names
