"""A Dataverse organisation and its Entra tenant, served locally, as the fact sheet has them.

:class:`DataverseOrg` is the state, :func:`create_app` the ASGI application around it. State (:mod:`.org`,
:mod:`.work`), what can be set from outside (:mod:`.settings`, :mod:`.schema`, :mod:`.plugins`), meaning
(:mod:`.service`, :mod:`.retrieval`, :mod:`.writes`, :mod:`.metadata`) and wire format (:mod:`.wire`, :mod:`.rows`,
:mod:`.multipart`, :mod:`.routes`) stand apart. How to point MSAL at it, and what ``REQUESTS_CA_BUNDLE`` does to that:
:mod:`.entra`.
"""

from .entra import (
    CLIENT_ID,
    CLIENT_SECRET,
    PUBLIC_CLIENT_ID,
    STRANGER_CLIENT_ID,
    TENANT_DOMAIN,
    TENANT_ID,
    USER_NAME,
    USER_PASSWORD,
)
from .org import APPLICATION_USER_ID, BUSINESS_UNIT_ID, ORGANIZATION_ID, OTHER_USER_ID, DataverseOrg
from .routes import create_app

__all__ = [
    "APPLICATION_USER_ID",
    "BUSINESS_UNIT_ID",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "ORGANIZATION_ID",
    "OTHER_USER_ID",
    "PUBLIC_CLIENT_ID",
    "STRANGER_CLIENT_ID",
    "TENANT_DOMAIN",
    "TENANT_ID",
    "USER_NAME",
    "USER_PASSWORD",
    "DataverseOrg",
    "create_app",
]
