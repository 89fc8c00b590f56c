"""Fields that many standard objects have, as pieces to build objects from."""

from __future__ import annotations

from dataclasses import replace

from backhaul.simulator.salesforce.schema import FieldDef

F = FieldDef


def read_only(name: str, kind: str, **more: object) -> FieldDef:
    """A field that the service fills and nobody may write."""
    return replace(F(name, kind, nillable=False, createable=False, updateable=False), **more)  # type: ignore[arg-type]


def system_fields(*, deleted: bool = True) -> list[FieldDef]:
    """Who made and changed a record, when, and (`deleted`) whether it lies in the recycle bin."""
    user = {"length": 18, "reference_to": ("User",)}
    fields = [
        read_only("CreatedDate", "datetime"),
        read_only("CreatedById", "reference", relationship="CreatedBy", **user),
        read_only("LastModifiedDate", "datetime"),
        read_only("LastModifiedById", "reference", relationship="LastModifiedBy", **user),
        read_only("SystemModstamp", "datetime"),
    ]
    return [read_only("IsDeleted", "boolean", default=False), *fields] if deleted else fields


def id_field(label: str) -> FieldDef:
    """The record id of an object."""
    return read_only("Id", "id", label=f"{label} ID", length=18, id_lookup=True)


def master_record(object_name: str) -> FieldDef:
    """The winner of the merge that a record lost."""
    made = F("MasterRecordId", "reference", length=18, createable=False, updateable=False)
    return replace(made, reference_to=(object_name,), relationship="MasterRecord")


def owner(*, queues: bool = False) -> FieldDef:
    """The owner: a user, of some objects a queue too (`queues`)."""
    made = F("OwnerId", "reference", "Owner ID", 18, nillable=False, relationship="Owner")
    return replace(made, reference_to=("Group", "User") if queues else ("User",))


def address(prefix: str) -> list[FieldDef]:
    """The parts of an address and the compound made of them."""
    compound = f"{prefix}Address"
    sizes = {"Street": 255, "City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    parts = [
        F(f"{prefix}{part}", "textarea" if part == "Street" else "string", length=size, compound=compound)
        for part, size in sizes.items()
    ]
    return [*parts, F(compound, "address", createable=False, updateable=False)]


def flag(name: str, label: str) -> FieldDef:
    """A checkbox, not ticked on a new record."""
    return F(name, "boolean", label, nillable=False, default=False)
