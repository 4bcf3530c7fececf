"""The groups of staff and their rights: the contract's section 6."""

# group -> "app.codename"; Django's own permissions plus those that models declare.
ROLES: dict[str, tuple[str, ...]] = {
    "Compliance reviewer": (
        "provisioning.view_guestcreation",
        "provisioning.view_withdrawal",
        "provisioning.view_notice",
        "provisioning.view_review",
        "provisioning.add_review",
        *(f"provisioning.{verb}_noticedraft" for verb in ("view", "add", "change", "delete")),
        "provisioning.publish_notice",
        "provisioning.export_subject",
        "provisioning.erase_subject",
        "provisioning.withdraw_consent",
        *(f"provisioning.{verb}_legalhold" for verb in ("view", "add", "delete")),
        "provisioning.view_platformdeletion",
        "provisioning.change_platformdeletion",
        "audit.view_auditevent",
        "audit.view_auditseal",
        "audit.export_log",
    ),
    "CRM administrator": (
        *(f"crm.{verb}_crmrecord" for verb in ("view", "add", "change", "delete")),
        "crm.reveal_crmrecord",
        *(f"crm.{verb}_attributemapping" for verb in ("view", "add", "change", "delete")),
        *(f"crm.{verb}_apitoken" for verb in ("view", "add", "delete")),
    ),
    "Auditor": (
        "audit.view_auditevent",
        "audit.view_auditseal",
        "audit.export_log",
        "audit.verify_log",
    ),
}
