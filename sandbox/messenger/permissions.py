"""The permissions of the calls, named as the vendor's JavaScript SDK names them."""

from sandbox.errors import error
from sandbox.platforms import Permission
from sandbox.wire import Answer


def _missing(permission: str) -> Answer:
    """Return 403 that names the permission."""
    message = (
        "Unable to perform the requested action. "
        "You must have at least one of the following permissions assigned: "
    )
    return error(
        403,
        "missing.any.permissions",
        message + permission,
        messageWithParams=message + "{permissions}",
        messageParams={"permissions": permission},
    )


ENRICH = Permission("externalContacts:contact:enrich", _missing)
VIEW = Permission("externalContacts:contact:view", _missing)
DELETE = Permission("externalContacts:contact:delete", _missing)
MERGE = Permission("externalContacts:identity:merge", _missing)
VIEW_SOURCES = Permission("externalContacts:externalSource:view", _missing)
ADD_SOURCE = Permission("externalContacts:externalSource:add", _missing)
VIEW_SCHEMAS = Permission("externalContacts:customFields:view", _missing)
ADD_SCHEMA = Permission("externalContacts:customFields:add", _missing)
EDIT_SCHEMA = Permission("externalContacts:customFields:edit", _missing)
ADD_GDPR = Permission("gdpr:request:add", _missing)
VIEW_GDPR = Permission("gdpr:request:view", _missing)
VIEW_DEPLOYMENTS = Permission("webDeployments:deployment:view", _missing)
ALL = (
    *(ENRICH, VIEW, DELETE, MERGE, VIEW_SOURCES, ADD_SOURCE),
    *(VIEW_SCHEMAS, ADD_SCHEMA, EDIT_SCHEMA, ADD_GDPR, VIEW_GDPR, VIEW_DEPLOYMENTS),
)
