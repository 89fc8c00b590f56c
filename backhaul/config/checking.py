"""What only shows when profile, sources and pipelines are seen together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from backhaul.config.pipeline import DeleteStep, EnumerationsStep, ExportStep, ImportStep, Pipeline, _ObjectStep
from backhaul.config.profile import AccountConfig, Profile, SalesforceAccount
from backhaul.config.source import ObjectConfig, Source
from backhaul.errors import Fault, Where
from backhaul.record import fields_of
from backhaul.yaml_marks import suggest

CALL_ROWS = {"salesforce": 50_000, "dynamics": 1000}
ROADS = {"salesforce": ("auto", "rest", "bulk"), "dynamics": ("auto", "batch")}
_ROADS_ASKED = {
    "assignment_rules": "rest",
    "duplicate_rules": "rest",
    "all_or_none": "rest",
    "hard_delete": "bulk",
}
"""The road that alone can do what an option of Salesforce's asks for."""
"""Rows that one write takes at most (a job of Salesforce's Bulk API 2.0; dataverse-api.md, $batch)."""


@dataclass(slots=True)
class Known:
    """What the files declare, as far as they could be read.

    `accounts` is None when the profile could not be read at all; `unsure` holds accounts whose source has faults of
    its own and says too little to judge what it declares (None in it: nobody knows which account).
    """

    profile_file: str
    accounts: tuple[str, ...] | None
    objects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unsure: set[str | None] = field(default_factory=set)


def check_profile(profile: Profile) -> Iterator[Fault]:
    """Accounts that differ by case only: their tables in the warehouse would be one."""
    seen: dict[str, str] = {}
    for name, account in profile.accounts.items():
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            yield Fault(f"the account {name!r} differs from {twin!r} by case only", account.where)


def check_sources(sources: Iterable[Source], profile: Profile | None, known: Known) -> Iterator[Fault]:
    """Two sources for one account, accounts that the profile lacks, objects that differ by case only, roads."""
    seen: dict[str, Source] = {}
    for source in sources:
        first = seen.setdefault(source.account.lower(), source)
        if first is not source:
            yield Fault(
                f"the account {source.account!r} has a source already, {first.where.file}",
                source.place("account"),
                hint="keep one file an account",
            )
        yield from _account(source.account, source.place("account"), known)
        account = profile.accounts.get(source.account) if profile else None
        names: dict[str, str] = {}
        for item in source.objects.values():
            twin = names.setdefault(item.name.lower(), item.name)
            if twin != item.name:
                yield Fault(f"the object {item.name!r} differs from {twin!r} by case only", item.where)
            if account is not None and not isinstance(account, SalesforceAccount):
                yield from _related_fields(item, account.crm)
            if item.road == "bulk" and account is not None and not isinstance(account, SalesforceAccount):
                yield Fault(
                    f"the object {item.name!r} wants the road 'bulk', which {account.crm} does not have",
                    item.place("road"),
                    allowed=("auto", "rest"),
                )


def _related_fields(item: ObjectConfig, crm: str) -> Iterator[Fault]:
    """Fields of related records, where the CRM does not give them."""
    named = [(one.name, one.where) for one in item.fields]
    named += [(name, item.place("filter")) for name in fields_of(item.filter)]
    named += [(name, item.place("order_by")) for name, _ in item.order_by]
    for name, where in named:
        if "." in name:
            yield Fault(
                f"the field {name!r} is a related record's, which {crm} does not give",
                where,
                hint="import that object as well, and join in a model",
            )


def check_pipelines(
    pipelines: Iterable[Pipeline], sources: Mapping[str, Source], profile: Profile | None, known: Known
) -> Iterator[Fault]:
    """Names used twice, objects nobody declares, accounts the profile lacks, and the rules of exports and deletes."""
    options: dict[str, ImportStep] = {}
    for pipeline in pipelines:
        names: dict[str, Where] = {}
        for step in pipeline.steps:
            first = names.setdefault(step.name, step.where)
            if first is not step.where:
                yield Fault(
                    f"two steps are called {step.name!r}, the other one in line {first.line}",
                    step.place("name"),
                    hint="give one of them a name of its own: `name:`",
                )
            if isinstance(step, ImportStep):
                yield from _option(step, options)
            if isinstance(step, _ObjectStep):
                yield from _target(step, known)
            if isinstance(step, ExportStep | DeleteStep):
                account = profile.accounts.get(step.account) if profile else None
                yield from _writing(step, account)
                yield from _options(step, account)
                yield from _road(step, account)
                source = sources.get(step.account) if step.account not in known.unsure else None
                yield from _deleting(step) if isinstance(step, DeleteStep) else _export(step)
                if isinstance(step, ExportStep):
                    yield from _owning(step)
                    yield from _compared_fields(step, source)


def _account(name: str, where: Where, known: Known) -> Iterator[Fault]:
    if name and known.accounts is not None and name not in known.accounts:
        yield Fault(
            f"the account {name!r} is not in the profile {known.profile_file}",
            where,
            allowed=tuple(known.accounts),
            hint=suggest(name, known.accounts) or "add it to the profile's accounts",
        )


def _option(step: ImportStep, options: dict[str, ImportStep]) -> Iterator[Fault]:
    first = options.setdefault(step.option_name, step)
    if (first.account, first.object) != (step.account, step.object):
        yield Fault(
            f"the option {step.option_name!r} is used for {step.account}.{step.object} and, in {first.where}, "
            f"for {first.account}.{first.object}",
            step.place("option_name"),
            hint="give one of the steps an option_name of its own",
        )


def _target(step: _ObjectStep, known: Known) -> Iterator[Fault]:
    if not step.account:
        return  # the target could not be read, which is reported already
    if step.account not in known.objects:  # a source's account is checked there
        missing = list(_account(step.account, step.where, known))
        yield from missing
        if missing:
            return
    if step.account in known.unsure or None in known.unsure or isinstance(step, EnumerationsStep):
        return
    declared = known.objects.get(step.account)
    if declared is None:
        yield Fault(
            f"no source declares objects of the account {step.account!r}",
            step.where,
            allowed=tuple(known.objects),
            hint=suggest(step.account, known.objects) or f"write sources/{step.account}.yml",
        )
    elif step.object not in declared:
        purpose = "" if not isinstance(step, ExportStep | DeleteStep) else ", and what is written is planned against it"
        yield Fault(
            f"the object {step.object!r} is not declared in the source of {step.account!r}{purpose}",
            step.where,
            allowed=declared,
            hint=suggest(step.object, declared) or f"add it to the objects of the source of {step.account!r}",
        )


def _writing(step: ExportStep | DeleteStep, account: AccountConfig | None) -> Iterator[Fault]:
    if account is not None and step.batch.rows is not None and step.batch.rows > CALL_ROWS[account.crm]:
        yield Fault(
            f"a batch has {step.batch.rows} rows, and a call to {account.crm} takes {CALL_ROWS[account.crm]} at most",
            step.batch.place("rows"),
        )


def _road(step: ExportStep | DeleteStep, account: AccountConfig | None) -> Iterator[Fault]:
    """A road that the CRM does not have, or that cannot do what the options ask."""
    road = step.batch.road
    if account is None or road == "auto":
        return
    roads = ROADS[account.crm]
    if road not in roads:
        yield Fault(
            f"the batch wants the road {road!r}, which {account.crm} does not have for writes",
            step.batch.place("road"),
            allowed=roads,
            hint=f"remove 'road': without it {account.crm} takes the one that suits the number of rows",
        )
        return
    # An assignment rule by its id is taken on both roads.
    asked = [name for name, value in step.options.given.items() if value in (True, "override")]
    apart = [name for name in asked if _ROADS_ASKED.get(name, road) != road]
    if apart:
        yield Fault(
            f"the road {road!r} cannot do {', '.join(apart)}",
            step.batch.place("road"),
            hint=f"remove 'road', or {', '.join(apart)}",
        )


def _options(step: ExportStep | DeleteStep, account: AccountConfig | None) -> Iterator[Fault]:
    given = step.options.given
    own = getattr(step.options, account.crm) if account is not None else tuple(given)
    foreign = [name for name in given if name not in own]
    if foreign and account is not None:
        yield Fault(
            f"another CRM's options: {', '.join(foreign)}; {step.account!r} is {account.crm}",
            step.options.where,
            allowed=own,
        )
    if "hard_delete" in given and isinstance(step, ExportStep):
        yield Fault("'hard_delete' is an option of deletes", step.options.place("hard_delete"), hint="remove it")


def _deleting(step: DeleteStep) -> Iterator[Fault]:
    if step.guards.max_deletes is None and "guards" not in step.broken:
        yield Fault(
            "a delete step has no ceiling",
            step.guards.where if step.guards.where.line else step.where,
            hint="add guards: {max_deletes: ...}, the records it may delete at most",
        )
    if "key" not in step.broken and len(step.key) != 1:
        yield Fault(
            f"a delete step wants one key field, found {len(step.key) or 'none'}",
            step.where,
            hint="add key: {Id: crm_id}, the record's id and the model's column that holds it",
        )


def _export(step: ExportStep) -> Iterator[Fault]:
    told = "mode" in step.model_fields_set
    unsure = {"key", "mode"} & step.broken
    if step.mode == "insert" and step.key and not unsure:
        problem = "an insert has a 'key', and nothing is matched when records are inserted"
        hint = "use 'identify' for the column that names a row"
        if not told:
            problem, hint = "an export with a 'key' has no 'mode'", "add mode: update, or mode: upsert"
        yield Fault(problem, step.place("key"), allowed=() if told else ("update", "upsert"), hint=hint)
    if step.mode != "insert" and not step.key and not unsure:
        yield Fault(
            f"an {step.mode} has no 'key'",
            step.where,
            hint="add key: {Id: crm_id}, the remote field and the model's column that tell which record a row is",
        )
    if step.mode != "insert" and step.identify is not None and not unsure:
        yield Fault(
            f"an {step.mode} has 'identify', which is for inserts",
            step.place("identify"),
            hint="its key names the rows",
        )
    if step.mode == "update" and len(step.key) > 1:
        yield Fault("an update wants one key field", step.place("key"), hint="the record's id or a unique field")
    key_fields = {name.lower(): name for name in step.key}
    for name, mapped in step.map.items():
        if name.lower() in key_fields:
            yield Fault(
                f"the key field {key_fields[name.lower()]!r} is in 'map' as well",
                mapped.where,
                hint="remove it from 'map'",
            )


def _owning(step: ExportStep) -> Iterator[Fault]:
    """Modes, owners and archives that lack what they need, or have what means nothing."""
    if step.mode == "mirror" and step.archive is None and step.guards.max_deletes is None:
        yield Fault(
            "a mirror deletes what leaves the model, and has no ceiling",
            step.guards.where if step.guards.where.line else step.where,
            hint="add guards: {max_deletes: ...}, or archive: {Field: value} instead of deleting",
        )
    if step.archive is not None and step.mode != "mirror":
        yield Fault(
            f"an {step.mode} has 'archive', which is for records that leave the model of a mirror",
            step.place("archive"),
            hint="use mode: mirror, or remove 'archive'",
        )
    for name, mapped in step.map.items():
        if step.owner_of(name) == "newest" and mapped.changed_at is None:
            yield Fault(
                f"the owner of {name!r} is 'newest', and nothing tells when the model's value changed",
                mapped.where,
                hint=f"{name}: {{from: {mapped.column}, owner: newest, changed_at: COLUMN}}",
            )
        if mapped.only_tighten and (mapped.only_if_empty or mapped.owner):
            yield Fault(
                f"{name!r} is only tightened, whoever owns it",
                mapped.where,
                hint="remove 'owner' and 'only_if_empty'",
            )


def _compared_fields(step: ExportStep, source: Source | None) -> Iterator[Fault]:
    """A field that is not imported cannot be compared: every run would send it again."""
    config = source.objects.get(step.object) if source else None
    if config is None or source is None or step.mode == "insert":
        return
    imported = [item.name for item in config.fields] + ([config.cursor] if config.cursor else [])
    for name, mapped in step.map.items():
        if name not in imported and name not in step.key:
            yield Fault(
                f"the field {name!r} is written but not imported, so a plan cannot compare it",
                mapped.where,
                hint=suggest(name, imported) or f"add it to the fields of {step.object} in {source.where.file}",
            )
    for name in step.archive or ():
        if name not in imported:
            yield Fault(
                f"the archive field {name!r} is not imported, so a plan cannot compare it",
                step.place("archive"),
                hint=suggest(name, imported) or f"add it to the fields of {step.object} in {source.where.file}",
            )
    for name in step.key:
        if name not in imported and not name.lower().endswith("id"):
            yield Fault(
                f"the key field {name!r} is not imported, so no record can be found by it",
                step.place("key"),
                hint=suggest(name, imported) or f"add it to the fields of {step.object} in {source.where.file}",
            )
