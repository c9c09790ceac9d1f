"""Access rules as Kafka's administrator takes and shows them."""

from typing import Any

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from casebus_schemas.catalogue.topology import AclSpec


def acl_of(rule: AclSpec) -> ACL:
    """The rule in the administrator's own form."""
    return ACL(
        principal=f"User:{rule.principal}",
        host="*",
        operation=ACLOperation[rule.operation],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(
            ResourceType[rule.resource_type], rule.name, ACLResourcePatternType[rule.pattern]
        ),
    )


def described_acls(admin: Any) -> list[ACL]:
    """Every rule that the cluster has."""
    everything = ACLFilter(
        principal=None,
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    acls, _ = admin.describe_acls(everything)
    return list(acls)


def is_faulty(acl: ACL) -> bool:
    """Whether a rule allows what no login of the bus may do: transactions, whose records may be aborted."""
    allows = acl.permission_type == ACLPermissionType.ALLOW
    return bool(allows and acl.resource_pattern.resource_type == ResourceType.TRANSACTIONAL_ID)


def in_words(rule: AclSpec) -> str:
    """What a wanted rule allows, for a person."""
    return f"{rule.operation} {rule.resource_type} {rule.name}{'*' if rule.pattern == 'PREFIXED' else ''}"


def acl_in_words(acl: ACL) -> str:
    """What a rule of the cluster says, for a person."""
    pattern = acl.resource_pattern
    star = "*" if pattern.pattern_type == ACLResourcePatternType.PREFIXED else ""
    verb = f"{acl.permission_type.name} {acl.operation.name}"
    return f"{verb} {pattern.resource_type.name} {pattern.resource_name}{star} from {acl.host}"
