"""dlt's client of a destination: made from the profile's credentials, or from what dlt finds by itself.

Credentials in the profile are in dlt's own forms: an address, or a mapping of its fields. Without them dlt looks where
it always does: in variables such as ``DESTINATION__SNOWFLAKE__CREDENTIALS__HOST`` and in ``.dlt/secrets.toml`` of the
project's folder. The same goes for what is no credential, such as a location. All of it is read once, when the
warehouse is opened; what loads later is given it whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from backhaul.config.destinations import REFUSED
from backhaul.errors import BackhaulError, ConfigurationError, Fault, Where
from backhaul.warehouse import clickhouse
from backhaul.warehouse.abilities import ABILITIES, Abilities


def destinations() -> tuple[str, ...]:
    """The destinations that dlt itself brings and can ask in SQL, by name."""
    import dlt.destinations as known
    from dlt.common.destination.reference import Destination

    found = []
    for name in known.__all__:
        factory = getattr(known, name)
        if isinstance(factory, type) and issubclass(factory, Destination):
            if name in ("lance", "lancedb"):  # stores of vectors, whose packages dlt wants before it tells anything
                continue
            caps = factory._raw_capabilities(factory.__new__(factory))
            if caps.sqlglot_dialect or name == "sqlalchemy":
                found.append(name)
    return tuple(sorted(found))


def abilities_of(name: str, where: Where | None = None) -> Abilities:
    """What a destination can do. Raises ConfigurationError for one that cannot hold a project, or that nobody knows."""
    if name in ABILITIES:
        return ABILITIES[name]
    known = destinations()
    usable = tuple(one for one in known if one in ABILITIES)
    why = f"cannot hold a project: {REFUSED[name]}" if name in REFUSED else "is no SQL destination of dlt"
    raise ConfigurationError(
        Fault(f"warehouse.destination is '{name}', which {why}", where=where, allowed=usable, hint="choose another one")
    )


_OURS = frozenset(("credentials", "destination_name", "environment", "dataset_name", "default_schema_name"))
"""Fields of a destination's configuration that are set here, whatever dlt finds."""


class Client:
    """One destination, its configuration read; `connected` opens a session of it."""

    def __init__(
        self,
        name: str,
        credentials: str | Mapping[str, Any] | None,
        folder: Path,
        dataset: str,
        where: Where | None = None,
    ) -> None:
        """`folder` is the project's, whose ``.dlt`` dlt may read; `dataset` the schema that dlt loads into.

        Raises ConfigurationError for a package that is not installed and for credentials that are none or not whole.
        """
        self.name = name
        self.abilities = abilities_of(name, where)
        self._dataset = dataset
        self._where = where
        try:
            self.factory: Any = getattr(import_module("dlt.destinations"), name)
            self._config = self._resolved(credentials, folder)
            self._made().client_class  # noqa: B018  its import tells which package is missing
        except ImportError as error:
            raise self._lacking(error) from error

    @property
    def dataset(self) -> str | None:
        """What dlt's pipelines are to call their dataset; None where the credentials name it already."""
        return None if self.abilities.schemas_are_databases else self._dataset

    def destination(self) -> Any:
        """The destination as dlt's pipelines take it."""
        return self._made()

    def job_client(self) -> Any:
        """dlt's client of the destination, not yet connected."""
        from dlt.common.schema import Schema

        destination = self._made()
        initial = destination.spec()._bind_dataset_name(dataset_name=self.dataset)
        return destination.client(Schema("backhaul"), initial)

    def connected(self) -> Any:
        """dlt's ``sql_client``, its connection open. Raises BackhaulError when the database does not let us in."""
        try:
            client = self.job_client().sql_client
            if self.abilities.schemas_are_databases:
                client.credentials = self._config.credentials  # the raw log's may not be there yet
            client.open_connection()
            return client
        except BackhaulError:
            raise
        except Exception as error:
            raise BackhaulError(
                f"the warehouse ({self}) does not let us in: {self.without_secrets(_first(error))}",
                hint="check `warehouse.credentials` in the profile, and that the database is reachable from here",
            ) from None

    def __str__(self) -> str:
        try:
            place = self.without_secrets(str(self._config.credentials))  # dlt writes a place without its secrets
        except Exception:
            place = ""
        return f"{self.name} at {place}" if place and not place.startswith("<") else self.name

    def without_secrets(self, text: str) -> str:
        """The text with every secret of the credentials blanked out."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    # Within

    def _made(self) -> Any:
        # All our names are in lower case; only a cursor field's stands in dlt's schema as the CRM spells it.
        given = {**self._settings, "has_case_sensitive_identifiers": True}
        if self.abilities.upper:
            # Names are written in lower case and are found without quotes, so they are stored in upper case.
            given["casefold_identifier"] = str.upper
        credentials = self._config.credentials
        if self.abilities.schemas_are_databases:
            credentials = credentials.copy()
            credentials.database = self._dataset
            given["type_mapper"] = clickhouse.type_mapper()
        return self.factory(credentials=credentials, **given)

    @property
    def _settings(self) -> dict[str, Any]:
        """What dlt found that is no credential: a location, a staging volume."""
        from dlt.common.configuration.specs import BaseConfiguration

        given = {}
        plain = type(self._config)()
        for name in self._config.get_resolvable_fields():
            value = getattr(self._config, name, None)
            if name not in _OURS and value != getattr(plain, name, None) and not isinstance(value, BaseConfiguration):
                given[name] = value
        return given

    def _resolved(self, credentials: str | Mapping[str, Any] | None, folder: Path) -> Any:
        from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
        from dlt.common.exceptions import DltException
        from dlt.common.runtime.run_context import RunContext, switched_run_context

        class Quiet(RunContext):
            """dlt's own places, without the log and the telemetry that it starts with them."""

            def initialize_runtime(self, runtime_config: Any = None) -> None:
                self._runtime_config = runtime_config

        given = credentials if isinstance(credentials, str) else dict(credentials or {})
        try:
            with switched_run_context(Quiet(str(folder))):
                destination = self.factory(credentials=given) if given else self.factory()
                initial = destination.spec()._bind_dataset_name(dataset_name=self.dataset)
                config = _typed(destination.configuration(initial))
                if self.abilities.settings:
                    config.credentials.query = {**(config.credentials.query or {}), **self.abilities.settings}
                return config
        except ConfigFieldMissingException as error:
            names = list(dict.fromkeys(_lacked(error.traces)))
            variable = f"DESTINATION__{self.name}__CREDENTIALS__{names[0]}".upper()
            raise ConfigurationError(
                Fault(
                    f"the warehouse's credentials for {self.name} lack {', '.join(names)}",
                    where=self._where,
                    hint="add them under `warehouse.credentials` in the profile, or where dlt looks: in variables such "
                    f"as {variable}, or in .dlt/secrets.toml of the project",
                )
            ) from None
        except ImportError:
            raise
        except (ConfigurationException, DltException, ValueError, TypeError, AttributeError, KeyError) as error:
            raise ConfigurationError(
                Fault(
                    f"the warehouse's credentials are none that dlt takes for {self.name} ({type(error).__name__})",
                    where=self._where,
                    hint=f"write them as dlt's documentation of {self.name} shows: an address, or a mapping of fields",
                )
            ) from None

    def _lacking(self, error: ImportError) -> ConfigurationError:
        cause = error.__cause__ or error.__context__
        told = cause if isinstance(cause, ImportError) and not isinstance(error, ModuleNotFoundError) else error
        package = told.name or next(iter(getattr(error, "dependencies", ()) or ()), "") or self.name
        missing = f"a Python package that is not installed: {package}"
        if not isinstance(told, ModuleNotFoundError):
            missing = f"a library that could not be loaded: {_first(told)}"
        return ConfigurationError(
            Fault(
                f"the destination {self.name} needs {missing}",
                where=self._where,
                hint=f"pip install 'backhaul[{self.name}]'",
            )
        )

    def _secrets(self) -> list[str]:
        """Every secret of the credentials, the longest first."""
        from dlt.common.configuration.specs.base_configuration import is_secret_hint

        found: set[str] = set()
        credentials = self._config.credentials
        for name, hint in credentials.get_resolvable_fields().items():
            value = getattr(credentials, name, None)
            if value and is_secret_hint(hint) and isinstance(value, str):
                found.add(value)
        return sorted(found, key=len, reverse=True)


def _typed(config: Any) -> Any:
    """The configuration with numbers and yes or no where its credentials want them: a profile's values are texts."""
    from dlt.common.configuration.utils import deserialize_value

    credentials = config.credentials
    for name, hint in getattr(credentials, "get_resolvable_fields", dict)().items():
        value = getattr(credentials, name, None)
        if isinstance(value, str) and "str" not in str(hint):
            setattr(credentials, name, deserialize_value(name, value, hint))
    return config


def _lacked(traces: Any) -> list[str]:
    """The names of the fields that dlt looked for and did not find; credentials are fields of their own."""
    found: list[str] = []
    for name, looked in traces.items():
        inner = [within for trace in looked for within in _lacked(getattr(trace, "traces", {}))]
        found += inner or [name]
    return found


def _first(error: BaseException) -> str:
    """The first line of what the driver said, which dlt wraps."""
    inner = getattr(error, "dbapi_exception", None) or getattr(error, "inner_exc", None) or error
    text = str(inner).strip().splitlines()
    return text[0] if text else type(inner).__name__
