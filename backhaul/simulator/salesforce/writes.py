"""What the API does to records: create, update, upsert and delete up to 200 at a time, each row with its own outcome.

Checks come before anything is written; then every good row is written in one transaction, which bumps
LastModifiedDate and SystemModstamp even when the values are equal. Rests on salesforce-api.md §6 and §10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backhaul.simulator.salesforce import files, ids
from backhaul.simulator.salesforce.drafts import Draft, Options, Result
from backhaul.simulator.salesforce.errors import Problem, Refusal
from backhaul.simulator.salesforce.org import SalesforceOrg
from backhaul.simulator.salesforce.rules import Rules
from backhaul.simulator.salesforce.schema import FieldDef, ObjectDef
from backhaul.simulator.salesforce.values import Refused, WrongType, accept, naive
from backhaul.simulator.store import one_of, quote

Record = Mapping[str, Any]
DELETED = Problem("ENTITY_IS_DELETED", "entity is deleted")
ABSENT = Problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
ROLLED_BACK = Problem(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


_PLAIN = Options()
_MOST_REMEMBERED = 2_000


class Undone(Exception):
    """Raised inside a transaction to take back what an all-or-none request had written."""


class Writer:
    """Writes to one object as one user.

    `strict_types` makes a value of the wrong JSON type refuse the whole request (JSON_PARSER_ERROR) instead of its
    row (INVALID_TYPE_ON_FIELD_IN_RECORD).
    """

    def __init__(
        self,
        org: SalesforceOrg,
        kind: ObjectDef,
        user: str,
        *,
        strict_types: bool = False,
        options: Options = _PLAIN,
    ) -> None:
        self._org = org
        self._kind = kind
        self._user = user
        self._strict = strict_types
        self._rules = Rules(org, kind, options)
        self._names: dict[str, tuple[FieldDef | None, FieldDef | None]] = {}
        self._required = [f.name for f in kind.fields.values() if f.required]
        self._accepted: dict[str, dict[str, Any]] = {}
        self._parents: dict[tuple[str, str], dict[str, list[str]]] = {}

    def create(self, records: Sequence[Record]) -> list[Result]:
        """Insert `records`; results in their order."""
        with self._org.store.transaction():
            self._fetch_parents(records)
            drafts = [self._draft(record, creating=True) for record in records]
            self._finish(drafts, [])
        return [draft.result for draft in drafts]

    def update(self, records: Sequence[Record]) -> list[Result]:
        """Update `records`, each of which names its ``id``."""
        with self._org.store.transaction():
            self._fetch_parents(records)
            drafts = [self._draft(record, creating=False) for record in records]
            self._identify(drafts)
            self._finish([], drafts)
        return [draft.result for draft in drafts]

    def upsert(self, key: FieldDef, records: Sequence[Record], *, update_only: bool = False) -> list[Result]:
        """Insert or update `records` by their value of `key` (an external id, an id lookup, or Id)."""
        with self._org.store.transaction():
            self._fetch_parents(records)
            values = [self._key_value(key, record) for record in records]
            matches = self.matches(key, [value for value in values if value is not None])
            new: list[Draft] = []
            old: list[Draft] = []
            drafts: list[Draft] = []
            seen: set[str] = set()
            for record, value in zip(records, values, strict=True):
                found = matches.get(_fold(key, value), []) if value is not None else []
                creating = not found
                body = {name: kept for name, kept in record.items() if key.type != "id" or name.lower() != "id"}
                draft = self._draft(body, creating=creating)
                draft.result.created = creating
                draft.problems = self._key_problems(key, value, found, seen) or draft.problems
                if creating and update_only and not draft.problems:
                    draft.problems = [Problem("NOT_FOUND", "Provided external ID does not exist")]
                if not creating:
                    draft.row["Id"] = found[0]
                drafts.append(draft)
                (new if creating else old).append(draft)
            self._finish(new, old, matched=key.name)
        return [draft.result for draft in drafts]

    def delete(self, given: Sequence[str], *, purge: bool = False) -> list[Result]:
        """Move the records with these ids to the recycle bin, or with `purge` out of the org."""
        org = self._org
        with org.store.transaction():
            whole = [ids.to18(one) for one in given]
            known = org.existing(self._kind, [one for one in whole if one])
            results: list[Result] = []
            gone: dict[str, None] = {}
            for one, text in zip(whole, given, strict=True):
                if one is None:
                    results.append(Result(problems=(Problem("MALFORMED_ID", f"bad id {text}"),)))
                elif known.get(one) is None:
                    results.append(Result(problems=(ABSENT,)))
                elif (known[one] and not purge) or one in gone:
                    results.append(Result(problems=(DELETED,)))
                elif (locked := self._rules.locked({one})) is not None:
                    results.append(Result(problems=(locked,)))
                else:
                    gone[one] = None
                    results.append(Result(one))
            org.bin(self._kind, list(gone), self._user, purge=purge)
        return results

    def matches(self, key: FieldDef, values: Sequence[str]) -> dict[str, list[str]]:
        """The ids of the live records by folded value of `key`."""
        if not values:
            return {}
        live = ' AND NOT "IsDeleted"' if self._kind.keeps_deleted else ""
        column = quote(key.name) if _exact(key) else f"lower({quote(key.name)})"
        test, folded = one_of(column, [_fold(key, value) for value in values])
        found: dict[str, list[str]] = {}
        sql = f'SELECT {column}, "Id" FROM {quote(self._kind.name)} WHERE {test}{live}'
        for value, one in self._org.store.query(f'{sql} ORDER BY "Id"', folded):
            found.setdefault(str(value), []).append(str(one))
        return found

    # --- one record ---------------------------------------------------------------------------------------

    def _draft(self, record: Record, *, creating: bool) -> Draft:
        draft = Draft(record, {}, [], Result())
        locked: list[str] = []
        for name, value in record.items():
            if name == "attributes" or (name.lower() == "id" and not creating):
                continue
            found, relation = self._meaning(name)
            if relation is not None and value is None:
                draft.row[relation.name] = None
            elif relation is not None and isinstance(value, Mapping):
                draft.row[relation.name] = self._parent(draft, relation, value)
            elif found is None:
                text = f"No such column '{name}' on sobject of type {self._kind.name}"
                draft.problems = [Problem("INVALID_FIELD", text)]
                return draft
            elif not (found.createable if creating else found.updateable):
                locked.append(found.name)
            else:
                self._take(draft, found, value)
        if creating and "Id" in locked:
            draft.problems = [
                Problem("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
            ]
        elif locked:
            text = (
                f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set."
            )
            draft.problems = [Problem("INVALID_FIELD_FOR_INSERT_UPDATE", text, tuple(locked))]
        self._require(draft, creating)
        return draft

    def _take(self, draft: Draft, found: FieldDef, value: Any) -> None:
        known = self._accepted.setdefault(found.name, {})
        if type(value) is str and value in known:
            draft.row[found.name] = known[value]
            return
        try:
            draft.row[found.name] = accepted = accept(found, value)
            if type(value) is str and len(known) < _MOST_REMEMBERED:
                known[value] = accepted
        except Refused as refused:
            draft.problems.append(refused.problem)
        except WrongType as wrong:
            if self._strict:
                raise Refusal.of([wrong.parser_problem()]) from None
            draft.problems.append(wrong.problem())

    def _require(self, draft: Draft, creating: bool) -> None:
        if draft.problems:
            return
        if creating:
            missing = [name for name in self._required if draft.row.get(name) is None]
        else:
            missing = [name for name, value in draft.row.items() if value is None and not self._nillable(name)]
        if missing:
            text = f"Required fields are missing: [{', '.join(missing)}]"
            draft.problems.append(Problem("REQUIRED_FIELD_MISSING", text, tuple(missing)))

    def _nillable(self, name: str) -> bool:
        found, _ = self._meaning(name)
        return found is None or found.nillable

    def _meaning(self, name: str) -> tuple[FieldDef | None, FieldDef | None]:
        """The field of this name, or else the lookup whose relationship has it."""
        known = self._names.get(name)
        if known is None:
            found = self._kind.find(name)
            known = self._names[name] = (found, self._kind.relation(name) if found is None else None)
        return known

    def _parent(self, draft: Draft, relation: FieldDef, value: Mapping[str, Any]) -> str | None:
        """The id of the parent named by an external id: ``{"Member__r": {"Number__c": "7"}}``."""
        kind, key, text = self._parent_key(relation, value)
        if kind is None:
            text = f"The external foreign key reference does not reference a valid entity: {relation.relationship}"
            draft.problems.append(Problem("INVALID_FIELD", text))
            return None
        if text is None:
            draft.problems.append(Problem("INVALID_FIELD", f"More than 1 field provided in {relation.relationship}"))
            return None
        if key is None:
            wrong = next(name for name in value if name != "attributes")
            text = (
                f"Field name provided, {wrong} does not match an External ID, Salesforce Id, or indexed field for "
                f"{kind.name}"
            )
            draft.problems.append(Problem("INVALID_FIELD", text))
            return None
        found = self._parents.get((kind.name, key.name), {}).get(_fold(key, text), [])
        if len(found) != 1:
            message = f"Foreign key external ID: {text} not found for field {key.name} in entity {kind.name}"
            draft.problems.append(Problem("INVALID_FIELD", message))
            return None
        return found[0]

    def _parent_key(
        self, relation: FieldDef, value: Mapping[str, Any]
    ) -> tuple[ObjectDef | None, FieldDef | None, str | None]:
        """The parent's object, its key field and the value of it that names the parent."""
        wanted = [(name, one) for name, one in value.items() if name != "attributes"]
        attributes = value.get("attributes")
        given = str(attributes.get("type") or "") if isinstance(attributes, Mapping) else ""
        allowed = {name.lower(): name for name in relation.reference_to}
        name = given or (relation.reference_to[0] if len(allowed) == 1 else "")  # of several the client must choose
        kind = self._org.objects.get(name.lower()) if name.lower() in allowed else None
        if kind is None or len(wanted) != 1:
            return kind, None, None
        key = kind.find(wanted[0][0])
        return kind, key if key and (key.external_id or key.id_lookup) else None, str(wanted[0][1])

    def _fetch_parents(self, records: Sequence[Record]) -> None:
        """Look up all parents that the records name by external ids, each key once."""
        wanted: dict[tuple[str, str], tuple[ObjectDef, FieldDef, set[str]]] = {}
        for record in records:
            for name, value in record.items():
                if not isinstance(value, dict):
                    continue
                relation = self._meaning(name)[1] if name != "attributes" else None
                if relation is None:
                    continue
                kind, key, text = self._parent_key(relation, value)
                if kind is not None and key is not None and text is not None:
                    wanted.setdefault((kind.name, key.name), (kind, key, set()))[2].add(text)
        for pair, (kind, key, texts) in wanted.items():
            self._parents[pair] = Writer(self._org, kind, self._user).matches(key, sorted(texts))

    def _key_value(self, key: FieldDef, record: Record) -> str | None:
        value = next((value for name, value in record.items() if name.lower() == key.name.lower()), None)
        return str(value).strip() if value is not None and str(value).strip() else None

    def _key_problems(self, key: FieldDef, value: str | None, found: Sequence[str], seen: set[str]) -> list[Problem]:
        if value is None:
            return [] if key.type == "id" else [Problem("MISSING_ARGUMENT", f"{key.name} not specified")]
        if key.type == "id" and ids.to18(value) is None:
            text = f"{self._kind.label} ID: id value of incorrect type: {value}"
            return [Problem("MALFORMED_ID", text, ("Id",))]
        if key.type == "id" and not found:
            return [ABSENT]
        if len(found) > 1:
            text = f"{key.name}: more than one record found for external id field: [{', '.join(found)}]"
            return [Problem("DUPLICATE_EXTERNAL_ID", text)]
        if _fold(key, value) in seen:
            return [Problem("DUPLICATE_EXTERNAL_ID", f"Duplicate external id specified: {value}")]
        seen.add(_fold(key, value))
        return []

    # --- all records of the request -----------------------------------------------------------------------

    def _identify(self, drafts: Sequence[Draft]) -> None:
        """Find the record that each update names."""
        given = [next((v for n, v in draft.record.items() if n.lower() == "id"), None) for draft in drafts]
        whole = [ids.to18(one) if isinstance(one, str) else None for one in given]
        known = self._org.existing(self._kind, [one for one in whole if one])
        seen: set[str] = set()
        for draft, text, one in zip(drafts, given, whole, strict=True):
            problem = None
            if text is None:
                problem = Problem("MISSING_ARGUMENT", "Id not specified in an update call")
            elif one is None or not one.startswith(self._kind.prefix):
                message = f"{self._kind.label} ID: id value of incorrect type: {text}"
                problem = Problem("MALFORMED_ID", message, ("Id",))
            elif one not in known:
                problem = ABSENT
            elif known[one]:
                problem = DELETED
            elif one in seen:
                problem = Problem("DUPLICATE_VALUE", f"duplicate id in list: {one}")
            if problem is not None:
                draft.problems = [problem]
            elif one is not None:
                seen.add(one)
                draft.row["Id"] = one

    def _finish(self, new: Sequence[Draft], old: Sequence[Draft], *, matched: str = "") -> None:
        """The checks that look at other records, then the writing of what is good. `matched` is the key that an
        upsert has already looked up, so that its values need no second look."""
        self._check_references([*new, *old])
        self._check_unique([*new, *old], matched)
        self._check_locks([*new, *old])
        org, kind = self._org, self._kind
        stamp = naive(org.clock.stamp())
        stamps_of_a_change = {"LastModifiedDate": stamp, "SystemModstamp": stamp, "LastModifiedById": self._user}
        marks = {name: value for name, value in stamps_of_a_change.items() if kind.find(name)}
        good = [draft for draft in new if not draft.problems]
        if good:
            first = org.store.take(f"id:{kind.prefix}", len(good))
            stamps = {name: stamp for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp") if kind.find(name)}
            defaults = org.defaults(kind, self._user) | stamps
            owner = self._rules.owner()
            numbers = org.auto_numbers(kind, len(good))
            for place, draft in enumerate(good):
                sent = {name: value for name, value in draft.row.items() if value is not None}
                made = {name: texts[place] for name, texts in numbers.items()}
                draft.row = {**defaults, **sent, **made, "Id": ids.make(kind.prefix, first + place)}
                if owner is not None:
                    draft.row["OwnerId"] = owner
        changed = [draft for draft in old if not draft.problems]
        for draft in changed:
            draft.row |= marks
        if self._rules.any:
            self._rules.apply(good + changed, [draft.row for draft in good] + self._merged(changed))
        made_rows = [draft.row for draft in good if not draft.problems]
        if kind.name == "ContentVersion":
            files.publish(org, made_rows, self._user)
        org.store.insert(kind.name, made_rows)
        org.store.update(kind.name, "Id", [draft.row for draft in changed if not draft.problems])
        for draft in [*new, *old]:
            if draft.problems:
                draft.result.problems = tuple(draft.problems)
            else:
                draft.result.id = draft.row["Id"]

    def _merged(self, drafts: Sequence[Draft]) -> list[dict[str, Any]]:
        """The whole records as they would be after these updates."""
        if not drafts:
            return []
        test, values = one_of('"Id"', [draft.row["Id"] for draft in drafts])
        stored = self._org.store.dicts(f"SELECT * FROM {quote(self._kind.name)} WHERE {test}", values)
        by_id = {row["Id"]: row for row in stored}
        return [{**by_id[draft.row["Id"]], **draft.row} for draft in drafts]

    def _check_locks(self, drafts: Sequence[Draft]) -> None:
        if not self._org.setting("row_locks"):
            return
        parents = [f.name for f in self._kind.fields.values() if f.type == "reference"]
        for draft in drafts:
            touched = {str(draft.row[name]) for name in ("Id", *parents) if draft.row.get(name)}
            problem = self._rules.locked(touched) if not draft.problems else None
            if problem is not None:
                draft.problems.append(problem)

    def _check_references(self, drafts: Sequence[Draft]) -> None:
        for name, wanted in _gather(drafts, lambda f: f.type == "reference", self._kind).items():
            found = self._kind.find(name)
            targets = [
                self._org.objects[t.lower()]
                for t in (found.reference_to if found else ())
                if t.lower() in self._org.objects
            ]
            known: dict[str, bool] = {}
            prefixes = {target.prefix for target in targets}
            for target in targets:
                known |= self._org.existing(
                    target, sorted({value for value, _ in wanted if value[:3] == target.prefix})
                )
            for value, draft in wanted:
                if value[:3] not in prefixes:
                    label = found.label if found else name
                    text = f"{label}: id value of incorrect type: {value}"
                    draft.problems.append(Problem("MALFORMED_ID", text, (name,)))
                elif value not in known:
                    draft.problems.append(ABSENT)
                elif known[value]:
                    draft.problems.append(DELETED)

    def _check_unique(self, drafts: Sequence[Draft], matched: str) -> None:
        for name, wanted in _gather(drafts, lambda f: f.unique and f.name != matched, self._kind).items():
            found = self._kind.find(name)
            if found is None:
                continue
            holders = self.matches(found, [value for value, _ in wanted])
            taken: set[str] = set()
            for value, draft in wanted:
                folded = _fold(found, value)
                others = [one for one in holders.get(folded, []) if one != draft.row.get("Id")]
                if others:
                    text = f"duplicate value found: {name} duplicates value on record with id: {others[0][:15]}"
                    draft.problems.append(Problem("DUPLICATE_VALUE", text))
                elif folded in taken:
                    text = f"duplicate value found: {name} duplicates value on record with id: <unknown>"
                    draft.problems.append(Problem("DUPLICATE_VALUE", text))
                taken.add(folded)


def _gather(
    drafts: Sequence[Draft], wanted: Callable[[FieldDef], bool], kind: ObjectDef
) -> dict[str, list[tuple[str, Draft]]]:
    """The values sent for the fields `wanted`, by field, of the records still good."""
    names = [f.name for f in kind.fields.values() if wanted(f)]
    out: dict[str, list[tuple[str, Draft]]] = {}
    for draft in drafts:
        if draft.problems:
            continue
        for name in names:
            if draft.row.get(name) is not None:
                out.setdefault(name, []).append((str(draft.row[name]), draft))
    return out


def _exact(key: FieldDef) -> bool:
    return key.case_sensitive or key.type in ("id", "reference")


def _fold(key: FieldDef, value: str) -> str:
    """A key's value as two spellings of one value have in common."""
    if key.type in ("id", "reference"):
        return ids.to18(value) or value
    return value if key.case_sensitive else value.lower()
