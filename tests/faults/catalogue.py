"""Catalogue of single faults, generated where that makes them stronger, each with its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.faults.archives import archive_faults
from tests.faults.bundles import bundle_faults
from tests.faults.docs import docs_faults
from tests.faults.files import file_faults, set_faults
from tests.faults.records import record_faults
from tests.faults.refs import ref_faults
from tests.faults.sboms import sbom_faults
from tests.faults.signatures import signature_faults
from tests.faults.site import flag_faults, listed_faults, page_faults
from tests.faults.unpublished import elsewhere_faults, exported_faults, staged_faults

if TYPE_CHECKING:
    from tests.faults.fault import Fault

__all__ = ["FAULTS"]

FAULTS: Final[tuple[Fault, ...]] = (
    *file_faults(),
    *set_faults(),
    *signature_faults(),
    *bundle_faults(),
    *archive_faults(),
    *sbom_faults(),
    *docs_faults(),
    *listed_faults(),
    *flag_faults(),
    *page_faults(),
    *ref_faults(),
    *record_faults(),
    *exported_faults(),
    *staged_faults(),
    *elsewhere_faults(),
)
"""Every fault, in the order in which a release could have them."""
