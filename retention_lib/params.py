"""The client file's model: its keys, their types, defaults and help (CONTRACT, section 1).

The only source of them. The notebooks' `parameters` cell, the JSON Schema and the reference table
come from here (`retention_lib.derived`). `${NAME}` stays as it is: the source fills it when opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from retention_lib.client_file import read_document
from retention_lib.errors import ClientFileError
from retention_lib.keys import values as v
from retention_lib.keys.datasets import Experiments, Programme, Subscriptions, Survey
from retention_lib.keys.findings import findings_of, in_order
from retention_lib.keys.parts import Benchmark, Brand, Columns, CsvFormat, Part
from retention_lib.keys.refusals import Allowed, conflict, lacking
from retention_lib.keys.source import Source, source_kind
from retention_lib.languages import catalog
from retention_lib.sentence import N_

#: The client of a notebook that is opened by hand, without parameters.
EXAMPLE: Mapping[str, Any] = {
    "client": "cdnow",
    "title": "CDNOW",
    "source": "builtin:cdnow",
    "currency": "USD",
}


def _unique(values: list[Any]) -> list[Any]:
    twice = next((x for n, x in enumerate(values) if x in values[:n]), None)
    if twice is not None:
        raise conflict(f"{twice} stands twice; keep one")
    return values


_Benchmark = Annotated[Benchmark, Allowed("a mapping with metric, value and source")]
_DIMENSIONS = Allowed("a list of market, channel or category")
_COLUMNS = Allowed(
    "a mapping from fields to columns, such as {customer: id, date: day, amount: sum}"
)
_CSV = Allowed("a mapping with delimiter, decimal, thousands, encoding or date_format")
_PROGRAMME = Allowed("a mapping with members, and ledger where there is one")
_SOURCE = Allowed("a mapping with source and columns")


TIERS: Final = {N_("gold"): 0.05, N_("silver"): 0.20, N_("bronze"): 0.75}
"""The value tiers of a client file that names none."""


class Params(Part):
    """Everything that a client file says, checked.

    `Params(**values)` raises pydantic's ValidationError; `read_client_file` and
    `params_from_notebook` raise sentences.
    """

    client: v.Slug = Field(description="Name of the folder under reports/")
    title: v.Line = Field(
        default=None,
        description="The client's name as printed; else the client key",
        validate_default=True,
    )
    language: v.Language = Field(default="en", description="Language of the report")
    currency: v.Currency = Field(description="Currency of the report")
    timezone: v.Timezone = Field(
        default="UTC", description="Time zone in which an order's day is taken"
    )
    source: Source = Field(description="Where the orders are; paths start at the client file")
    table: v.Text | None = Field(
        default=None,
        description="Table, view or query where the source is a database",
        validate_default=True,
    )
    columns: Annotated[Columns | None, _COLUMNS] = Field(
        default=None,
        description="The source's column for each field; not needed for a builtin",
        validate_default=True,
    )
    csv: Annotated[CsvFormat, _CSV] = Field(
        default=CsvFormat(), description="How CSV files are written; sniffed where left out"
    )
    guest_ids: Annotated[list[v.GuestId], Allowed("a list of ids")] = Field(
        default=[], description="Ids that mean nobody in particular"
    )
    returns: v.Returns = Field(
        default="net", description="Whether returns lower their day or are dropped"
    )
    free_orders: v.Flag = Field(
        default=False, description="Whether a day of orders that cost nothing is a purchase"
    )
    deduplicate: v.Deduplicate = Field(
        default="none", description="Whether rows equal in every mapped column are dropped"
    )
    fx: v.Fx = Field(
        default={}, description="Worth of one unit of a foreign currency in the report's"
    )
    start: v.Day | None = Field(
        default=None, description="First day of the window; else the first order"
    )
    as_of: v.Day | None = Field(
        default=None,
        description="Last day of the window; else the last order",
        validate_default=True,
    )
    period_months: v.Months = Field(
        default=12, description="Months of the reporting period up to as_of"
    )
    active_months: v.Months = Field(
        default=12, description="A customer is active this long after a purchase"
    )
    cohort_period: v.CohortPeriod = Field(
        default="month", description="Length of a cohort's period"
    )
    dimensions: Annotated[list[v.Dimension], AfterValidator(_unique), _DIMENSIONS] = Field(
        default=[], description="Breakdowns of the report: market, channel, category"
    )
    tiers: v.Tiers = Field(
        default=TIERS, description="Value tiers, best first", validate_default=True
    )
    targets: v.Targets = Field(default={}, description="Goals that the report tracks, by metric")
    benchmarks: Annotated[list[_Benchmark], Allowed("a list of metric, value and source")] = Field(
        default=[], description="Figures from outside, printed with their source"
    )
    model: v.Model = Field(default="auto", description="Purchase model, auto by its holdout")
    time_unit: v.TimeUnit = Field(default="day", description="Unit of model times and parameters")
    horizon_months: v.Months = Field(default=12, description="Months of the forecast")
    holdout_months: v.Months | None = Field(
        default=None, description="Months held back to test the model; else a third, at most 12"
    )
    discount_rate: v.YearlyRate = Field(
        default=0.10, description="Yearly rate at which value is discounted"
    )
    margin: v.Share = Field(
        default=1.0, description="Margin as a share of revenue; at 1.0 CLV is revenue"
    )
    acquisition_cost: v.Money | None = Field(
        default=None, description="Cost of winning one new customer"
    )
    retention_cost: v.Money | None = Field(
        default=None, description="Cost of keeping one active customer for a year"
    )
    pseudonymise: v.Flag = Field(
        default=True, description="Pseudonyms for customer ids in the report"
    )
    brand: Annotated[Brand, Allowed("a mapping with logo or accent")] = Field(
        default=Brand(), description="Logo and accent colour of the report"
    )
    programme: Annotated[Programme | None, _PROGRAMME] = Field(
        default=None, description="Data on the loyalty programme"
    )
    experiments: Experiments = Field(default={}, description="Data on campaigns, by their names")
    survey: Annotated[Survey | None, _SOURCE] = Field(
        default=None, description="Data on what customers say"
    )
    subscriptions: Annotated[Subscriptions | None, _SOURCE] = Field(
        default=None, description="Data on subscriptions"
    )

    # A check between two keys sits on the later one. What was refused is missing from `info.data`.

    @field_validator("title", mode="before")
    @classmethod
    def _title_is_client(cls, title: object, info: ValidationInfo) -> object:
        return info.data.get("client", "-") if title is None else title

    @field_validator("table")
    @classmethod
    def _table_of_a_database(cls, table: str | None, info: ValidationInfo) -> str | None:
        kind = source_kind(info.data["source"]) if "source" in info.data else "unknown"
        if kind == "database" and table is None:
            raise lacking(
                "the key is missing; source is a database, so name its table, view or query",
                ("table",),
            )
        if kind in ("builtin", "files") and table is not None:
            raise conflict("found a table, but source isn't a database; leave table out")
        return table

    @field_validator("columns")
    @classmethod
    def _columns_of_own_data(cls, columns: Columns | None, info: ValidationInfo) -> Columns | None:
        kind = source_kind(info.data["source"]) if "source" in info.data else "builtin"
        if columns is None and kind != "builtin":
            raise lacking(f"the key is missing; allowed is {_COLUMNS.phrase}", ("columns",))
        return columns

    @field_validator("fx")
    @classmethod
    def _one_unit_of_the_own(cls, fx: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        own = info.data.get("currency")
        if own in fx and fx[own] != 1:
            raise conflict(f"{own} is the report's own currency, whose rate is 1; leave it out")
        return fx

    @field_validator("tiers")
    @classmethod
    def _named_in_the_language(
        cls, tiers: dict[str, float], info: ValidationInfo
    ) -> dict[str, float]:
        """Names that no client gave are the program's own texts."""
        if [*tiers.items()] != [*TIERS.items()] or "language" not in info.data:
            return tiers
        say = catalog(info.data["language"]).gettext
        return {say(name): share for name, share in tiers.items()}

    @field_validator("as_of")
    @classmethod
    def _starts_before_it_ends(cls, as_of: Any, info: ValidationInfo) -> Any:
        start = info.data.get("start")
        if start and as_of and start >= as_of:
            raise conflict(f"found {as_of}; allowed is a day after start, which is {start}")
        return as_of

    def as_parameters(self) -> dict[str, Any]:
        """The keys that differ from their default, as papermill, YAML and JSON carry them.

        Returns
        -------
        dict
            Days as ISO text. `Params(**params.as_parameters())` gives the same parameters again.
        """
        values = {}
        for name, field in type(self).model_fields.items():
            value, default = getattr(self, name), field.default
            if name == "title":
                default = self.client
            # the order of a mapping is part of what it says: the best tier comes first
            if value != default or (isinstance(value, dict) and [*value] != [*default]):
                values[name] = _parameter(value)
        return values


def _parameter(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, list):
        return [_parameter(item) for item in value]
    if isinstance(value, dict):
        return {key: _parameter(item) for key, item in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else value


@dataclass(frozen=True)
class ClientFile:
    """A client file, read and checked."""

    params: Params
    path: Path

    @property
    def folder(self) -> Path:
        """Where the relative paths of the file start."""
        return self.path.parent


def read_client_file(path: str | PathLike[str]) -> ClientFile:
    """Read and check a client file.

    Raises
    ------
    ClientFileError
        With a sentence for every mistake in the file, in the order of its lines.
    """
    path = Path(path)
    document = read_document(path)
    findings = list(document.findings)
    try:
        params = Params.model_validate(document.values)
    except ValidationError as error:
        # a value that YAML itself misread has its sentence already
        told = {finding.key for finding in findings}
        found = findings_of(error, Params, document.places)
        findings += [finding for finding in found if finding.key not in told]
    if findings:
        raise ClientFileError(*(x.sentence(str(path)) for x in in_order(findings)))
    return ClientFile(params, path)


def params_from_notebook(namespace: Mapping[str, Any]) -> Params:
    """The parameters among a notebook's variables.

    Parameters
    ----------
    namespace : mapping
        The notebook's `globals()`. None stands for a key's default. With `client`, `source` and
        `currency` all None, as a notebook is opened by hand, the client is the example.

    Raises
    ------
    ClientFileError
        With a sentence for every mistake.
    """
    given = {k: namespace[k] for k in Params.model_fields if namespace.get(k) is not None}
    if not {"client", "source", "currency"} & given.keys():
        given = {**EXAMPLE, **given}
    try:
        return Params.model_validate(given)
    except ValidationError as error:
        findings = findings_of(error, Params)
        raise ClientFileError(*(x.sentence("notebook parameters") for x in findings)) from None
