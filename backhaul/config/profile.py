"""Profiles: one warehouse and the accounts of one environment (profiles/<name>.yml)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, WrapValidator

from backhaul.config.destinations import DESTINATIONS, PREFIX, REFUSED
from backhaul.config.reading import HIDDEN, NAME, Located, Marked, Reading, keep_good, only_mappings, without_bad
from backhaul.config.values import AccountName, Flag, Text, TimeZone, Url, Version, Whole, refusal


def _destination(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = str.__str__(value)
    name = text.removeprefix(PREFIX)
    if name in REFUSED:
        raise refusal(f"is {text!r}, which cannot hold a project: {REFUSED[name]}", allowed=DESTINATIONS)
    if name not in DESTINATIONS:
        raise refusal(f"is {text!r}, which is no SQL destination of dlt", allowed=DESTINATIONS)
    return text


def _file(value: Any, info: ValidationInfo) -> Any:
    """An absolute path: a relative one starts at the project folder, ``~`` is the home folder, empty means none."""
    if not isinstance(value, str):
        return value
    text = str.__str__(value).strip()
    if not text:
        return None
    folder = info.context.folder if isinstance(info.context, Reading) else Path()
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:
        raise refusal("begins with ~, and the home folder is not known") from None


def _secret(value: Any) -> Any:
    if isinstance(value, str):
        if not value.strip():
            raise refusal("must not be empty")
        return SecretStr(str.__str__(value))
    return value


def _credentials(value: Any) -> Any:
    """A port is written as a number; the others are texts."""
    if isinstance(value, dict):
        return {
            name: str(one) if isinstance(one, int) and not isinstance(one, bool) else one for name, one in value.items()
        }
    return value


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
FilePath = Annotated[Path | None, BeforeValidator(_file)]


class WarehouseConfig(Located):
    """Where the raw log, the models and the ledger live."""

    noun: ClassVar[str] = "a warehouse"

    destination: Annotated[str, BeforeValidator(_destination)] = Field(
        default="duckdb",
        description="the kind of database: duckdb, postgres, snowflake, bigquery, databricks, redshift, motherduck, "
        "ducklake, clickhouse, mssql or fabric; dlt.destinations.<name> takes dlt's own client for it in any case",
    )
    path: Text = Field(
        default="warehouse.duckdb",
        description="of duckdb: the database file, relative to the project folder; :memory: for none",
    )
    credentials: Annotated[dict[str, Secret] | Secret | None, BeforeValidator(_credentials)] = Field(
        default=None,
        description="of all others: what dlt takes, an address (postgresql://user:password@host:5432/database) or a "
        "mapping of its fields, such as host, port, database, username and password; postgres wants them, the others "
        "may leave it to dlt, which looks in its environment variables and in .dlt/secrets.toml",
        repr=False,
    )

    @property
    def plain_credentials(self) -> str | dict[str, str]:
        """The credentials as the driver takes them."""
        if isinstance(self.credentials, dict):
            return {name: secret.get_secret_value() for name, secret in self.credentials.items()}
        return self.credentials.get_secret_value() if self.credentials else {}

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """A file takes a path and no credentials, everything else credentials and no path."""
        destination = str(data.get("destination", "duckdb"))
        if destination == "duckdb" and data.pop("credentials", None) is not None:
            reading.add("duckdb takes no 'credentials'", source.node.place("credentials"), hint="remove it")
        if destination != "duckdb" and not source.broken:
            if data.pop("path", None) is not None:
                reading.add(f"{destination} takes no 'path'", source.node.place("path"), hint="remove it")
            if destination == "postgres" and "credentials" not in data:
                hint = "add 'credentials:', such as \"{{ env_var('WAREHOUSE_URL') }}\""
                reading.add("postgres wants 'credentials'", source.node.where, hint=hint)
        return data


class ClientCredentials(Located):
    """Salesforce OAuth 2.0 client credentials: an external client app with a run-as user."""

    noun: ClassVar[str] = "a sign-in by client_credentials"

    method: Literal["client_credentials"] = Field(description="how to sign in")
    client_id: Text = Field(description="the app's consumer key")
    client_secret: Secret = Field(description="the app's consumer secret")


class JwtBearer(Located):
    """Salesforce OAuth 2.0 JWT bearer: an app with a certificate, a pre-authorised user, and the private key."""

    noun: ClassVar[str] = "a sign-in by jwt_bearer"

    method: Literal["jwt_bearer"] = Field(description="how to sign in")
    client_id: Text = Field(description="the app's consumer key")
    username: Text = Field(description="the user to act as")
    private_key: Secret | None = Field(default=None, description="the private key itself, PEM")
    private_key_file: FilePath = Field(
        default=None, description="a PEM file with the private key, relative to the project folder"
    )
    audience: Url = Field(
        default="https://login.salesforce.com",
        description="the token's audience; https://test.salesforce.com for a sandbox",
    )

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """The private key is given in exactly one way."""
        given = [key for key in ("private_key", "private_key_file") if key in data]
        if not source.broken and len(given) != 1:
            found = "both" if given else "neither"
            message = f"{cls.noun} wants 'private_key' or 'private_key_file', found {found}"
            reading.add(message, source.node.where, hint="" if given else "add 'private_key_file:'")
        return data


class RefreshToken(Located):
    """Salesforce OAuth 2.0 refresh token: what a person's consent in a browser left. A renewed one is kept at once."""

    noun: ClassVar[str] = "a sign-in by refresh_token"

    method: Literal["refresh_token"] = Field(description="how to sign in")
    client_id: Text = Field(description="the app's consumer key")
    client_secret: Secret | None = Field(default=None, description="the app's consumer secret, where it has one")
    refresh_token: Secret = Field(
        description="the first refresh token; where the org renews it, the newest one is kept in .backhaul/tokens"
    )


class Password(Located):
    """Salesforce user name and password, by SOAP login: for orgs whose API version (up to 64.0) still has it."""

    noun: ClassVar[str] = "a sign-in by password"

    method: Literal["password"] = Field(description="how to sign in")
    username: Text = Field(description="the user to act as")
    password: Secret = Field(description="the user's password")
    security_token: Secret | None = Field(
        default=None, description="the user's security token; not needed from an address that the org trusts"
    )


class SalesforceCli(Located):
    """The Salesforce CLI's own sign-in: `sf org login web` was done on this machine."""

    noun: ClassVar[str] = "a sign-in by cli"

    method: Literal["cli"] = Field(description="how to sign in")
    target_org: Text = Field(description="the org's alias or user name, as `sf org list` shows it")
    command: Text = Field(default="sf", description="the CLI's command, or its path")


AUTHORITY = "the sign-in address; by default that of the cloud which the account's url belongs to"


class ClientSecret(Located):
    """Microsoft Entra client secret: an app registration with an application user in the environment."""

    noun: ClassVar[str] = "a sign-in by client_secret"

    method: Literal["client_secret"] = Field(description="how to sign in")
    tenant_id: Text = Field(description="the directory (tenant) id")
    client_id: Text = Field(description="the application (client) id")
    client_secret: Secret = Field(description="the secret's value")
    authority: Url | None = Field(default=None, description=AUTHORITY)


class Certificate(Located):
    """Microsoft Entra certificate: an app registration with an application user in the environment, and no secret."""

    noun: ClassVar[str] = "a sign-in by certificate"

    method: Literal["certificate"] = Field(description="how to sign in")
    tenant_id: Text = Field(description="the directory (tenant) id")
    client_id: Text = Field(description="the application (client) id")
    certificate: Secret | None = Field(
        default=None, description="certificate and private key: PEM, base64 of the PEM, or base64 of a PFX (PKCS#12)"
    )
    certificate_file: FilePath = Field(
        default=None, description="the same in a file (PEM or PFX), relative to the project folder"
    )
    password: Secret | None = Field(default=None, description="the password of the PFX or of the private key")
    authority: Url | None = Field(default=None, description=AUTHORITY)

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """The certificate is given in exactly one way."""
        given = [key for key in ("certificate", "certificate_file") if key in data]
        if not source.broken and len(given) != 1:
            found = "both" if given else "neither"
            message = f"{cls.noun} wants 'certificate' or 'certificate_file', found {found}"
            reading.add(message, source.node.where, hint="" if given else "add 'certificate_file:'")
        return data


class DeviceCode(Located):
    """Microsoft Entra device code: a person enters a code in a browser once; tokens are kept in .backhaul/tokens."""

    noun: ClassVar[str] = "a sign-in by device_code"

    method: Literal["device_code"] = Field(description="how to sign in")
    tenant_id: Text = Field(description="the directory (tenant) id")
    client_id: Text = Field(description="the application (client) id of a public client")
    authority: Url | None = Field(default=None, description=AUTHORITY)


class UsernamePassword(Located):
    """Microsoft Entra user name and password, where the tenant allows it: no second factor, no federation."""

    noun: ClassVar[str] = "a sign-in by username_password"

    method: Literal["username_password"] = Field(description="how to sign in")
    tenant_id: Text = Field(description="the directory (tenant) id")
    client_id: Text = Field(description="the application (client) id of a public client")
    username: Text = Field(description="the user to act as")
    password: Secret = Field(description="the user's password")
    authority: Url | None = Field(default=None, description=AUTHORITY)


class AccessToken(Located):
    """A Dataverse access token that something else fetched, such as the Azure CLI; good for about an hour."""

    noun: ClassVar[str] = "a sign-in by access_token"

    method: Literal["access_token"] = Field(description="how to sign in")
    token: Secret = Field(description="the token; it is not renewed")


class _Account(Located):
    """What accounts of every CRM have in common."""

    noun: ClassVar[str] = "an account"
    later: ClassVar[tuple[str, ...]] = ("api_reserve",)

    name: AccountName = Field(validation_alias=NAME)
    time_zone: TimeZone = Field(
        default="UTC", description="the IANA time zone in which the org's people mean a date (conversion date_only)"
    )
    ca_bundle: FilePath = Field(
        default=None, description="a PEM file of certificate authorities to trust, relative to the project folder"
    )


STATE_FOLDER = ".backhaul"


class SalesforceAccount(_Account):
    """One Salesforce org. `state_folder` is where tokens that were renewed and jobs under way are kept."""

    noun: ClassVar[str] = "a salesforce account"
    later: ClassVar[tuple[str, ...]] = ()

    crm: Literal["salesforce"] = Field(description="which CRM it is")
    instance_url: Url | None = Field(default=None, description="the org's My Domain address")
    login_url: Url | None = Field(default=None, description="where to sign in, when that is not the My Domain address")
    api_version: Version = Field(default="67.0", description="the REST API version")
    api_reserve: Annotated[Whole, Field(ge=0)] = Field(
        default=0, description="API requests of the org's 24 hours that are kept for others: work stops before them"
    )
    bulk_from: Annotated[Whole, Field(ge=1)] = Field(
        default=2000, description="from how many rows on an export goes by Bulk API 2.0 jobs; fewer go 200 a call"
    )
    state_folder: Path | None = Field(default=None, validation_alias=HIDDEN + "state_folder", repr=False)
    auth: Annotated[
        ClientCredentials | JwtBearer | RefreshToken | Password | SalesforceCli, Field(discriminator="method")
    ] = Field(description="how to sign in: method client_credentials, jwt_bearer, refresh_token, password or cli")

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """There is at least one address; what has to outlast a run goes to the project's state folder."""
        data[HIDDEN + "state_folder"] = reading.folder.absolute() / STATE_FOLDER
        auth = data.get("auth")
        by_cli = isinstance(auth, dict) and auth.get("method") == "cli"  # the CLI knows the address
        if "instance_url" not in data and "login_url" not in data and not source.broken and not by_cli:
            name = repr(source.path[-1]) if source.path else cls.noun
            reading.add(
                f"{name} has neither 'instance_url' nor 'login_url'",
                source.node.where,
                hint="add 'instance_url:', the org's My Domain address",
            )
        return data


class DynamicsAccount(_Account):
    """One Dynamics 365 (Dataverse) environment."""

    noun: ClassVar[str] = "a dynamics account"

    crm: Literal["dynamics"] = Field(description="which CRM it is")
    url: Url = Field(description="the environment's address, such as https://contoso.crm4.dynamics.com")
    api_version: Version = Field(default="9.2", description="the Web API version")
    affinity: Flag = Field(
        default=False, description="true: all requests go to one web server; false: they are spread, which is faster"
    )
    state_folder: Path | None = Field(default=None, validation_alias=HIDDEN + "state_folder", repr=False)
    auth: Annotated[
        ClientSecret | Certificate | DeviceCode | UsernamePassword | AccessToken, Field(discriminator="method")
    ] = Field(
        description="how to sign in: method client_secret, certificate, device_code, username_password or access_token"
    )

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """What has to outlast a run goes to the project's state folder."""
        data[HIDDEN + "state_folder"] = reading.folder.absolute() / STATE_FOLDER
        return data


AccountConfig = SalesforceAccount | DynamicsAccount
_AnyAccount = Annotated[AccountConfig, Field(discriminator="crm")]


class Profile(Located):
    """One environment: its warehouse and its accounts."""

    noun: ClassVar[str] = "a profile"

    name: str = Field(validation_alias=NAME)
    warehouse: WarehouseConfig = Field(description="the database")
    accounts: Annotated[
        dict[str, Annotated[_AnyAccount, WrapValidator(keep_good)]],
        BeforeValidator(only_mappings),
        AfterValidator(without_bad),
    ] = Field(description="the connected CRM orgs by name")

    @property
    def file(self) -> Path:
        """The profile's file, relative to the project folder."""
        return Path(self.where.file)
