"""The page of a client: its language, its currency, how its customers are named."""

from __future__ import annotations

from retention_lib.data.base import Base
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.report.pseudonyms import pseudonyms


def page_of(base: Base) -> Page:
    """The page that a client's chapters speak through."""
    params = base.params
    pseudonym = pseudonyms(params.client) if params.pseudonymise else None
    return Page(Formats(params.language, params.currency), pseudonym)
