"""Every way in which the nemesis breaks the town, one module a family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaos.faults import deliveries, networks, operations, processes, resources, restarts
from chaos.faults.fault import Fault, Maker

if TYPE_CHECKING:
    from chaos.town import Town

__all__ = ["Fault", "Maker", "faults_of"]

_FAMILIES = (processes, restarts, networks, deliveries, resources, operations)


def faults_of(town: Town) -> list[Maker]:
    """Return one maker a kind; kinds that this machine does not permit are named by `town.impossible`."""
    return [maker for family in _FAMILIES for maker in family.makers(town)]
