"""The page of a client: its language, its currency, how its customers are named."""

from __future__ import annotations

from retention_lib.data.base import Base
from retention_lib.params import Params
from retention_lib.report.language import Formats, has_catalog
from retention_lib.report.page import Page
from retention_lib.report.pseudonyms import pseudonyms


def language_of(params: Params) -> str:
    """The language that the report is written in: the client's, or English.

    A language whose texts aren't translated yet gives way whole, numbers too: half of each would be
    neither.
    """
    return params.language if has_catalog(params.language) else "en"


def page_of(base: Base) -> Page:
    """The page that a client's chapters speak through."""
    params = base.params
    pseudonym = pseudonyms(params.client) if params.pseudonymise else None
    return Page(Formats(language_of(params), params.currency), pseudonym)
