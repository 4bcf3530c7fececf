"""How the platform is, as far as this process knows; the platform is not called for it."""

from provisioning.genesys.client import get_client
from provisioning.genesys.gate import GateState


def platform_state() -> GateState:
    """Return the gate's state: open or closed, why, until when, and what is left of the rate."""
    return get_client().gate.state()
