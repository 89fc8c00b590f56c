"""One simulated Salesforce org: its records, schema, users, sessions and settings, apart from any wire format.

The verbs `seed`, `generate`, `change`, `delete`, `dump`, `add_fields`, `settings` and `reset` are those of the control
door (:class:`backhaul.simulator.control.Org`) and may be called directly. What the API does to records is in
:mod:`backhaul.simulator.salesforce.writes`.
"""

from __future__ import annotations

import copy
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from backhaul.simulator.certificates import make_rsa_key
from backhaul.simulator.clock import Clock
from backhaul.simulator.faults import Faults, RequestLog
from backhaul.simulator.salesforce import generated, ids, lifecycle
from backhaul.simulator.salesforce.schema import ObjectDef, field_as_json, field_from, with_parts
from backhaul.simulator.salesforce.soql_sql import Moment
from backhaul.simulator.salesforce.standard import standard_objects
from backhaul.simulator.salesforce.values import lenient, naive, numbered, rest_sql
from backhaul.simulator.store import Store, literal, one_of, quote

CLIENT_ID = "3MVG9simulator.backhaul.consumer.key"
CLIENT_SECRET = "simulator-client-secret"  # noqa: S105  # the simulator's own, good for nothing else
USERNAME = "integration@example.com"
PASSWORD = "simulator-password"  # noqa: S105  # as above
SECURITY_TOKEN = "SimulatorToken"  # noqa: S105  # as above
CLI_CLIENT_ID = "PlatformCLI"
DELETED = "_deleted"
JOBS = "_bulk_jobs"
ROWS = "_bulk_rows"
_SETTLING = timedelta(milliseconds=20)
_STAMPS = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
_SETTINGS: dict[str, Any] = {
    "api_max": 100_000,
    "api_used": 0,
    "session_seconds": 7200,
    "time_zone": "UTC",
    "hidden_fields": [],
    "json_type_errors": "row",
    "query_page_rows": 2_000,
    "bulk_page_rows": 50_000,
    "bulk_wait_seconds": 0.0,
    "refresh_rotation": False,
    "client_credentials_user": True,
    "password_flow": True,
    "soap_login": True,
    "id_limit": 600_000,
    "replication_from": None,
    "bulk_batch_rows": 10_000,
    "bulk_batch_seconds": 0.0,
    "bulk_batches_max": 15_000,
    "bulk_batches_used": 0,
    "bulk_query_jobs_max": 10_000,
    "bulk_upload_bytes": 150_000_000,
    "bulk_failures": [],
    "hard_delete_permission": True,
    "lock_contention": {},
    "row_locks": [],
    "triggers": [],
    "validation_rules": [],
    "duplicate_rules": [],
    "assignment_rules": {},
}


@dataclass(slots=True)
class Session:
    """An access token in use: whose it is and when it was last used."""

    user: str
    used: datetime


class SalesforceOrg:
    """An org over `store`, which may hold the state of an earlier process.

    Settings (control door ``settings``): ``api_max`` and ``api_used`` (requests in 24 h), ``session_seconds`` (a
    session dies after that much idleness), ``time_zone`` (the integration user's, for date literals),
    ``hidden_fields`` (``"Contact.Title"``: the user may not see them), ``json_type_errors`` (what a value of the
    wrong JSON type in a collection spoils: its ``row`` or the whole ``request``), ``query_page_rows`` (rows of a REST
    page at most: wide rows come in smaller pages), ``bulk_page_rows`` (rows of a Bulk result page at most),
    ``bulk_wait_seconds`` (how long a Bulk job stays queued), ``bulk_batch_rows`` (rows of an ingest job's internal
    batch), ``bulk_batch_seconds`` (the pause before each), ``bulk_batches_max`` and ``bulk_batches_used`` (the daily
    allocation), ``bulk_query_jobs_max`` (query jobs in 24 h), ``bulk_upload_bytes`` (an upload at most),
    ``hard_delete_permission``. ``expire_sessions: true`` ends every session at once.

    ``refresh_rotation`` (a refresh token is good once and its answer brings the next), ``password_flow``,
    ``soap_login`` and ``client_credentials_user`` (whether the org lets those in; the last is the app's run-as user),
    ``id_limit`` (ids that getUpdated and getDeleted give at most),
    ``replication_from`` (ISO time before which the deletion log was purged).

    ``bulk_failures``: jobs that fail on demand, ``[{"jobs": "ingest" or "query", "object"?, "after_rows"?: n,
    "message"?, "times"?: 1}]``. ``lock_contention``: ``{"Contact": "AccountId"}`` makes rows of an ingest job fail
    with UNABLE_TO_LOCK_ROW whose parent stands in an earlier batch of the same job too, unless the file is sorted by
    parent. For ``row_locks``, ``triggers``, ``validation_rules``, ``duplicate_rules`` and ``assignment_rules`` see
    :mod:`backhaul.simulator.salesforce.rules`.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Clock(store)
        self.faults = Faults()
        self.requests = RequestLog()
        self.cursors: dict[str, Any] = {}
        self.jobs: dict[str, Any] = {}
        self.ingest_jobs: dict[str, Any] = {}
        self.classic_jobs: dict[str, Any] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self._settled = datetime.min.replace(tzinfo=UTC)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.RLock()
        # Apart from `_lock`, because it is taken inside transactions, and whoever holds `_lock` may want to write.
        self._row_guard = threading.Lock()
        self._all_objects: dict[str, ObjectDef] = {}
        self.objects: dict[str, ObjectDef] = {}
        self._spool: Path | None = None
        self._setup()

    # --- identity and sessions ----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The org's own id."""
        return ids.make("00D", 1)

    @property
    def user_id(self) -> str:
        """The integration user: whom a client is signed in as."""
        return ids.make("005", 1)

    @property
    def other_user_id(self) -> str:
        """The user who makes the changes of the control door."""
        return ids.make("005", 2)

    def jwt_private_key(self) -> str:
        """The private key (PEM) whose public half is registered for the JWT bearer flow."""
        return str(self._keys()[0])

    def jwt_public_key(self) -> str:
        """The registered public key (PEM)."""
        return str(self._keys()[1])

    def open_session(self) -> str:
        """A new access token for the integration user."""
        token = f"{self.id[:15]}!AQ{secrets.token_urlsafe(48).replace('-', '.')}"
        with self._lock:
            self._sessions[token] = Session(self.user_id, self.clock.now())
        return token

    def close_session(self, token: str) -> bool:
        """End the session of this token; gives whether there was one."""
        with self._lock:
            return self._sessions.pop(token, None) is not None

    def session_user(self, token: str) -> str | None:
        """The user of a live session, None when the token is unknown or dead."""
        now = self.clock.now()
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                return None
            if (now - session.used).total_seconds() > float(self.setting("session_seconds")):
                del self._sessions[token]
                return None
            session.used = now
            return session.user

    def refresh_token(self, client: str = CLIENT_ID, grant: str = "") -> str:
        """A new refresh token for the integration user, given to `client`; with `grant` it follows others."""
        token = f"5Aep{secrets.token_urlsafe(48)}"
        with self._lock:
            tokens = self.store.get("refresh_tokens", {})
            tokens[token] = {"client": client, "grant": grant or token, "used": False}
            self.store.set("refresh_tokens", tokens)
        return token

    def use_refresh_token(self, token: str, client: str) -> str | None:
        """Use a refresh token: gives the one that is good from now on (the same without rotation), None when it is
        not good. A token that was rotated away and comes again ends its whole grant."""
        with self._lock:
            tokens = self.store.get("refresh_tokens", {})
            found = tokens.get(token)
            if found is None or found["client"] != client:
                return None
            if found["used"]:
                kept = {key: one for key, one in tokens.items() if one["grant"] != found["grant"]}
                self.store.set("refresh_tokens", kept)
                return None
            if not self.setting("refresh_rotation"):
                return token
            found["used"] = True
            self.store.set("refresh_tokens", tokens)
            return self.refresh_token(client, found["grant"])

    def forget_refresh_token(self, token: str) -> bool:
        """Revoke a refresh token with its whole grant; gives whether there was one."""
        with self._lock:
            tokens = self.store.get("refresh_tokens", {})
            if token not in tokens:
                return False
            grant = tokens[token]["grant"]
            self.store.set("refresh_tokens", {key: one for key, one in tokens.items() if one["grant"] != grant})
            return True

    def moment(self) -> Moment:
        """What date literals are reckoned from."""
        return Moment(self.clock.now(), ZoneInfo(str(self.setting("time_zone"))))

    # --- settings -----------------------------------------------------------------------------------------

    def setting(self, name: str) -> Any:
        """One setting in force."""
        return self._settings[name]

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings and give all of them. Raises ValueError for an unknown one."""
        changed = dict(changes)
        if changed.pop("expire_sessions", False):
            with self._lock:
                self._sessions.clear()
        unknown = set(changed) - set(_SETTINGS)
        if unknown:
            raise ValueError(f"unknown setting {', '.join(sorted(unknown))}; known: {', '.join(_SETTINGS)}")
        if changed:
            with self._lock:
                self._settings |= changed
                self.store.set("settings", self._settings)
                self._show_objects()
        return dict(self._settings)

    def count_call(self) -> tuple[int, int]:
        """Count one API request: requests used so far in the period, and the allowance."""
        with self._lock:
            self._settings["api_used"] += 1
            return int(self._settings["api_used"]), int(self._settings["api_max"])

    def take_bulk_failure(self, jobs: str, object: str) -> dict[str, Any] | None:
        """The failure on demand (setting ``bulk_failures``) that a job of this kind and object meets, used up once."""
        with self._lock:
            for fault in self._settings["bulk_failures"]:
                fits = fault.get("jobs", jobs) == jobs and fault.get("object", object).lower() == object.lower()
                if fits and fault.get("times", 1) > 0:
                    fault["times"] = fault.get("times", 1) - 1
                    return dict(fault)
        return None

    def take_bulk_batch(self) -> bool:
        """Use one batch of the daily Bulk allocation up; False when none is left."""
        with self._lock:
            left = self.bulk_batches_left() > 0
            self._settings["bulk_batches_used"] += left
            return left

    def bulk_batches_left(self) -> int:
        """The batches left of the daily Bulk allocation."""
        return max(0, int(self.setting("bulk_batches_max")) - int(self.setting("bulk_batches_used")))

    def take_row_lock(self, touched: set[str]) -> str | None:
        """The id among `touched` that is locked (setting ``row_locks``), one refusal of it used up; else None."""
        with self._row_guard:
            for lock in self._settings["row_locks"]:
                one = ids.to18(str(lock["id"])) or str(lock["id"])
                if one in touched and lock.get("times", 0) >= 0:
                    if lock.get("times", 0):
                        lock["times"] = lock["times"] - 1 or -1
                    return one
        return None

    def query_jobs_left(self) -> int:
        """How many query jobs may still be made in these 24 hours."""
        since = (self.clock.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
        made = sum(str(job.info["createdDate"]) >= since for job in list(self.jobs.values()))
        return max(0, int(self.setting("bulk_query_jobs_max")) - made)

    # --- the control door's verbs -------------------------------------------------------------------------

    def seed(
        self, object: str, records: Sequence[Mapping[str, Any]], *, modified_at: datetime | None = None
    ) -> list[str]:
        """Put records in as they are, unchecked and unchanged (no lower-casing, no trimming); gives their ids.

        A record names fields by API name with JSON values (times as ISO texts) or Python values. ``Id`` and the audit
        fields may be given; what is not given gets the default of a new record, stamps being `modified_at` or now.
        Raises ValueError for an unknown object or field.
        """
        kind = self._object(object)
        stamp = naive(modified_at) if modified_at else naive(self.clock.stamp())
        first = self.store.take(f"id:{kind.prefix}", len(records))
        defaults = self.defaults(kind, self.user_id) | dict.fromkeys(
            [name for name in _STAMPS if kind.find(name)], stamp
        )
        numbers = self.auto_numbers(kind, len(records))
        rows = []
        for place, record in enumerate(records):
            counted = {name: texts[place] for name, texts in numbers.items()}
            row = {**defaults, **counted, **self._lenient(kind, record)}
            row["Id"] = row.get("Id") or ids.make(kind.prefix, first + place)
            made = row.get("CreatedDate")
            if made and made > row.get("LastModifiedDate", made):
                row["LastModifiedDate"] = row["SystemModstamp"] = row["CreatedDate"]
            if "LastModifiedDate" in record and "SystemModstamp" not in record:
                row["SystemModstamp"] = row["LastModifiedDate"]
            rows.append(row)
        self.store.insert(kind.name, rows)
        return [str(row["Id"]) for row in rows]

    def generate(self, object: str, count: int, *, seed: int = 1) -> int:
        """Put `count` realistic records of Account, Contact or Lead in, the same for the same `seed`."""
        kind = self._object(object)
        first = self.store.take(f"id:{kind.prefix}", count)
        select = generated.select(kind.name, count, seed=seed, start=first)
        users = {"OwnerId": self.user_id, "CreatedById": self.user_id, "LastModifiedById": self.user_id}
        more = ", ".join(f"{literal(value)} AS {quote(name)}" for name, value in users.items())
        fixed = {name: value for name, value in self.defaults(kind, "").items() if isinstance(value, bool)}
        flags = ", ".join(
            f"{str(value).lower()} AS {quote(name)}" for name, value in fixed.items() if name not in select
        )
        self.store.execute(
            f"INSERT INTO {quote(kind.name)} BY NAME SELECT *, {', '.join(filter(None, (more, flags)))} FROM ({select})"
        )
        return count

    def change(
        self, object: str, records: Sequence[Mapping[str, Any]], *, modified_at: datetime | None = None
    ) -> list[str]:
        """Change records as another user would, unchecked: each names its ``Id`` and the fields to set.

        LastModifiedDate and SystemModstamp become `modified_at` or now (a past `modified_at` is a transaction that
        commits late). Raises ValueError for a record that is not there.
        """
        kind = self._object(object)
        stamp = naive(modified_at) if modified_at else naive(self.clock.stamp())
        rows = []
        for record in records:
            row = self._lenient(kind, record)
            if not row.get("Id"):
                raise ValueError(f"a change of {kind.name} names no Id")
            marks = {"LastModifiedById": self.other_user_id, "LastModifiedDate": stamp, "SystemModstamp": stamp}
            rows.append({name: value for name, value in marks.items() if kind.find(name)} | row)
        wanted = [str(row["Id"]) for row in rows]
        absent = set(wanted) - set(self.existing(kind, wanted))
        if absent:
            raise ValueError(f"no {kind.name} has the id {', '.join(sorted(absent))}")
        self.store.update(kind.name, "Id", rows)
        return wanted

    def delete(self, object: str, ids: Sequence[str], *, purge: bool = False) -> int:
        """Delete records as another user would; gives how many there were. With `purge` nothing is left in the
        recycle bin, only in the deletion log."""
        kind = self._object(object)
        wanted = [found for found in (_whole(given) for given in ids) if found]
        return self.bin(kind, list(self.existing(kind, wanted)), self.other_user_id, purge=purge)

    @property
    def verbs(self) -> dict[str, Callable[[Any], Any]]:
        """What the control door offers besides.

        ``merge`` ``{"object", "master", "losers": [...], "values"?: {...}}``; ``undelete`` ``{"object", "ids"}``;
        ``late`` ``{"object", "records", "visible_in": seconds, "modified_at"?}`` (records that become visible then,
        stamped `modified_at` or now); ``refresh_token`` ``{"client_id"?}`` (a refresh token, as a person who signs in
        with a browser gets one); ``session`` ``{}`` (an access token, as the same person's).
        """

        def merge(body: Any) -> Any:
            kind = self._object(body["object"])
            lifecycle.merge(self, kind, body["master"], body["losers"], body.get("values", {}))

        def undelete(body: Any) -> Any:
            return {"count": lifecycle.undelete(self, self._object(body["object"]), body["ids"])}

        def late(body: Any) -> Any:
            now = self.clock.now()
            visible = now + timedelta(seconds=float(body["visible_in"]))
            stamp = body.get("modified_at") or self.clock.stamp().isoformat()
            order = {"object": self._object(body["object"]).name, "records": body["records"]}
            lifecycle.commit_later(self, {**order, "visible_at": visible.isoformat(), "modified_at": stamp})
            self._settled = datetime.min.replace(tzinfo=UTC)
            return {"visible_at": visible.isoformat()}

        def refresh_token(body: Any) -> Any:
            return {"refresh_token": self.refresh_token(body.get("client_id", CLIENT_ID))}

        def session(_: Any) -> Any:
            return {"access_token": self.open_session()}

        return {
            "merge": merge,
            "undelete": undelete,
            "late": late,
            "refresh_token": refresh_token,
            "session": session,
        }

    def dump(self, object: str) -> list[dict[str, Any]]:
        """Every record with every stored field as REST prints it, deleted ones included, ordered by id."""
        self.settle()
        kind = self._object(object)
        columns = [f for f in kind.fields.values() if f.stored]
        listed = ", ".join(f"{rest_sql(f, quote(f.name))} AS {quote(f.name)}" for f in columns)
        return self.store.dicts(f'SELECT {listed} FROM {quote(kind.name)} ORDER BY "Id"')

    def add_fields(self, object: str, fields: Sequence[Mapping[str, Any]]) -> None:
        """Add fields (JSON of :class:`~backhaul.simulator.salesforce.schema.FieldDef`: ``name``, ``type``, ``length``,
        ``precision``, ``scale``, ``values`` …); an object of a new name ending in ``__c`` is made."""
        made = with_parts(field_from(given) for given in fields)
        with self._lock:
            added = self.store.get("fields", {})
            there = added.setdefault(object, [])
            names = {one.name.lower() for one in made}
            there[:] = [one for one in there if one["name"].lower() not in names]
            there.extend(field_as_json(one) for one in made)
            if object.lower() not in self._all_objects and not object.endswith("__c"):
                raise ValueError(f"{object} is not in this org, and the name of a new object ends in __c")
            self.store.set("fields", added)
            self.store.set("schema_modified", self.clock.stamp().isoformat())
            self._load_schema()

    def reset(self) -> None:
        """Become a new org: no records, sessions, jobs, faults or counted requests; only the JWT key stays."""
        keys = self._keys()
        self.close_jobs()
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)
            self._spool = None
        with self._lock:
            self._sessions.clear()
            self.cursors.clear()
            self.codes.clear()
            self._settled = datetime.min.replace(tzinfo=UTC)
            if self.store.get("fields"):  # added columns go with their tables
                self.store.drop_all()
            else:
                self.store.empty_all()
            self.store.set("jwt_keys", keys)
            self.clock.reload()
            self.faults.clear()
            self.requests.clear()
            self._setup()

    def close(self) -> None:
        """End the jobs and close the store."""
        self.close_jobs()
        self.store.close()

    # --- what the API's verbs are made of -----------------------------------------------------------------

    def defaults(self, kind: ObjectDef, user: str) -> dict[str, Any]:
        """The values of a new record that are not sent, stamps aside."""
        made: dict[str, Any] = {f.name: f.default for f in kind.fields.values() if f.stored and f.default is not None}
        for name in ("OwnerId", "CreatedById", "LastModifiedById"):
            if kind.find(name):
                made[name] = user
        return made

    def auto_numbers(self, kind: ObjectDef, count: int) -> dict[str, list[str]]:
        """The next `count` numbers of each auto-number field."""
        out = {}
        for f in kind.fields.values():
            if f.auto_number is not None:
                first = self.store.take(f"number:{kind.name}.{f.name}", count)
                out[f.name] = [numbered(f.auto_number, first + place) for place in range(count)]
        return out

    def existing(self, kind: ObjectDef, wanted: Sequence[str]) -> dict[str, bool]:
        """Which of these ids there are, each with whether it lies in the recycle bin."""
        if not wanted:
            return {}
        deleted = '"IsDeleted"' if kind.keeps_deleted else "false"
        test, values = one_of('"Id"', wanted)
        found = self.store.query(f'SELECT "Id", {deleted} FROM {quote(kind.name)} WHERE {test}', values)
        return {str(key): bool(gone) for key, gone in found}

    def bin(self, kind: ObjectDef, gone: Sequence[str], user: str, *, purge: bool = False, cause: str = "") -> int:
        """Move these records to the recycle bin (or, with `purge`, out of the org) and log it, and with them the
        records that cannot do without them. `cause` is the record with which they go, when they do not go alone."""
        stamp = naive(self.clock.stamp())
        with self.store.transaction():
            for other, lookup in lifecycle.dependents(self, kind):
                test, values = one_of(quote(lookup), gone)
                live = ' AND NOT "IsDeleted"' if other.keeps_deleted else ""
                sql = f'SELECT {quote(lookup)}, list("Id") FROM {quote(other.name)} WHERE {test}{live} GROUP BY 1'
                for parent, children in self.store.query(sql, values) if gone else ():
                    self.bin(other, [str(one) for one in children], user, purge=purge, cause=str(parent))
            if purge or not kind.keeps_deleted:
                self.store.remove(kind.name, "Id", gone)
            else:
                marks = {
                    "IsDeleted": True,
                    "LastModifiedDate": stamp,
                    "SystemModstamp": stamp,
                    "LastModifiedById": user,
                }
                held = {name: value for name, value in marks.items() if kind.find(name)}
                self.store.update(kind.name, "Id", [{"Id": one, **held} for one in gone])
            self.store.remove(DELETED, "Id", gone)
            log = [
                {"Id": one, "Object": kind.name, "At": stamp, "Purged": purge, "With": cause or None} for one in gone
            ]
            self.store.insert(DELETED, log)
        return len(gone)

    def settle(self) -> None:
        """Let time do its work: late commits and the emptying of the recycle bin. At every request, cheaply."""
        now = self.clock.now()
        with self._lock:
            if timedelta() <= now - self._settled < _SETTLING:
                return
            self._settled = now
        lifecycle.settle(self, now)

    def forget_deletion(self, back: Sequence[str]) -> None:
        """Take records that are live again off the deletion log."""
        self.store.remove(DELETED, "Id", back)

    def deleted_with(self, causes: Sequence[str]) -> list[tuple[str, list[str]]]:
        """The records in the recycle bin that went there with these, by object."""
        test, values = one_of('"With"', causes)
        sql = f'SELECT "Object", list("Id") FROM "{DELETED}" WHERE NOT "Purged" AND {test} GROUP BY "Object"'
        return [(str(name), [str(one) for one in gone]) for name, gone in self.store.query(sql, values)]

    def binned_before(self, moment: datetime) -> list[tuple[str, list[str]]]:
        """The records that went to the recycle bin before `moment` and lie there still, by object."""
        found = self.store.query(
            f'SELECT "Object", list("Id") FROM "{DELETED}" WHERE "At" < ? AND NOT "Purged" GROUP BY "Object"', [moment]
        )
        return [(str(name), [str(one) for one in gone]) for name, gone in found]

    def purge(self, object: str, gone: Sequence[str]) -> None:
        """Take records out of the recycle bin for good; the deletion log keeps them."""
        with self.store.transaction():
            self.store.remove(self._object(object).name, "Id", gone)
            self.store.update(DELETED, "Id", [{"Id": one, "Purged": True} for one in gone])

    def spool_folder(self) -> Path:
        """Where the pages of Bulk results lie: beside the store's file, else in a temporary folder."""
        with self._lock:
            if self._spool is None:
                path = self.store.path
                made = path.with_suffix(".jobs") if path else Path(tempfile.mkdtemp(prefix="backhaul-simulator-"))
                made.mkdir(parents=True, exist_ok=True)
                self._spool = made
            return self._spool

    def forget_jobs(self, before: str) -> None:
        """Remove the Bulk jobs made before that moment (ISO, UTC) with their results."""
        for jobs in (self.jobs, self.ingest_jobs, self.classic_jobs):
            for number in [key for key, job in list(jobs.items()) if str(job.info["createdDate"]) < before]:
                self.forget_job(jobs, number)

    def forget_job(self, jobs: dict[str, Any], number: str) -> None:
        """Remove one of `jobs` with its results."""
        job = jobs.pop(number, None)
        if job is None:
            return
        job.close()
        with self.store.transaction() as connection:
            self.store.remove(JOBS, "Id", [number])
            connection.execute(f'DELETE FROM {ROWS} WHERE "Job" = ?', [number])
        if hasattr(job, "folder"):
            shutil.rmtree(job.folder, ignore_errors=True)

    def close_jobs(self) -> None:
        """Stop the Bulk jobs' threads; a temporary folder of pages goes."""
        for jobs in (self.jobs, self.ingest_jobs, self.classic_jobs):
            for job in list(jobs.values()):
                job.close()
            jobs.clear()
        if self._spool is not None and self.store.path is None:
            shutil.rmtree(self._spool, ignore_errors=True)
            self._spool = None

    # --- inside -------------------------------------------------------------------------------------------

    def _setup(self) -> None:
        self._settings: dict[str, Any] = {**copy.deepcopy(_SETTINGS), **self.store.get("settings", {})}
        log = {"Id": "VARCHAR", "Object": "VARCHAR", "At": "TIMESTAMP", "Purged": "BOOLEAN", "With": "VARCHAR"}
        self.store.define(DELETED, log)
        if JOBS not in self.store.tables():
            self.store.define(JOBS, {"Id": "VARCHAR", "Content": "VARCHAR"})
            outcome = '"Job" VARCHAR, "Row" INTEGER, "Id" VARCHAR, "Created" BOOLEAN, "Error" VARCHAR'
            self.store.execute(f"CREATE TABLE {ROWS} ({outcome})")
        self._load_schema()
        if self.store.get("schema_modified") is None:
            self.store.set("schema_modified", self.clock.stamp().isoformat())
            org = {"Name": "Simulated Org", "OrganizationType": "Developer Edition", "InstanceName": "CS1"}
            self.seed("Organization", [{**org, "IsSandbox": False, "TimeZoneSidKey": "UTC", "Id": self.id}])
            people = [("Integration", USERNAME), ("Admin", "admin@example.com")]
            users = [{"FirstName": "Ada", "LastName": name, "Username": mail, "Email": mail} for name, mail in people]
            self.seed("User", users)

    def _load_schema(self) -> None:
        objects = standard_objects()
        there = set(self.store.tables())
        for place, (name, fields) in enumerate(self.store.get("fields", {}).items()):
            base = objects.get(name.lower()) or _new_object(name, place)
            objects[name.lower()] = base.with_fields(field_from(one) for one in fields)
        for kind in objects.values():
            if kind.name not in there or self._all_objects.get(kind.name.lower()) != kind:
                self.store.define(kind.name, kind.columns())
        self._all_objects = objects
        self._show_objects()

    def _show_objects(self) -> None:
        hidden: dict[str, list[str]] = {}
        for entry in self.setting("hidden_fields"):
            name, _, field_name = entry.partition(".")
            hidden.setdefault(name.lower(), []).append(field_name)
        self.objects = {key: kind.without(hidden.get(key, ())) for key, kind in self._all_objects.items()}

    def _object(self, name: str) -> ObjectDef:
        found = self._all_objects.get(name.lower())
        if found is None:
            known = ", ".join(kind.name for kind in self._all_objects.values())
            raise ValueError(f"no object {name} in this org; there are {known}")
        return found

    def _lenient(self, kind: ObjectDef, record: Mapping[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, value in record.items():
            if name == "attributes":
                continue
            found = kind.find(name)
            if found is None or not found.stored:
                raise ValueError(f"{kind.name} stores no field {name}")
            row[found.name] = lenient(found, value)
        return row

    def _keys(self) -> list[str]:
        with self._lock:
            keys: list[str] | None = self.store.get("jwt_keys")
            if keys is None:
                keys = list(make_rsa_key())
                self.store.set("jwt_keys", keys)
            return keys


def _whole(given: str) -> str | None:
    return ids.to18(given)


def _new_object(name: str, place: int) -> ObjectDef:
    """A custom object with a Name, an owner and the system fields, as Lead's are."""
    lead = standard_objects()["lead"]
    wanted = ("id", "ownerid", "createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid", "systemmodstamp")
    fields = {key: lead.fields[key] for key in (*wanted, "isdeleted")}
    named = field_from({"name": "Name", "type": "string", "length": 80, "name_field": True})
    label = name.removesuffix("__c").replace("_", " ")
    return ObjectDef(name, label, f"{label}s", f"a{place:02d}", {**fields, "name": named})
