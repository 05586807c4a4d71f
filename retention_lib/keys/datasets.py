"""The client file's further data sets: programme, experiments, survey, subscriptions.

Each is a source of its own, named and read like that of the orders, with fields of its own; beside
it stand the few settings that its figures need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from retention_lib.keys import values as v
from retention_lib.keys.parts import CsvFormat, Fields, Part
from retention_lib.keys.refusals import Allowed, conflict, lacking, one_of, refused
from retention_lib.keys.source import further_source, source_kind

if TYPE_CHECKING:
    from retention_lib.params import Params

_CSV = Allowed("a mapping with delimiter, decimal, thousands, encoding or date_format")


class DataSource(Part):
    """Where a further data set is and how it is read; `source` and `columns` are its own."""

    source: Any
    table: v.Text | None = Field(
        default=None, description="Table, view or query where the source is a database"
    )
    columns: Any
    csv: Annotated[CsvFormat, _CSV] = Field(
        default=CsvFormat(), description="How CSV files are written; sniffed where left out"
    )

    @field_validator("table")
    @classmethod
    def _table_of_a_database(cls, table: str | None, info: ValidationInfo) -> str | None:
        kind = source_kind(info.data["source"]) if "source" in info.data else "unknown"
        if table is not None and kind in ("builtin", "files"):
            raise conflict("found a table, but source isn't a database; leave table out")
        return table

    @field_validator("columns", check_fields=False)
    @classmethod
    def _columns_of_own_data(cls, columns: Any, info: ValidationInfo) -> Any:
        kind = source_kind(info.data["source"]) if "source" in info.data else "builtin"
        if columns is None and kind != "builtin":
            fields = cls.model_fields["columns"]
            phrase = next(m.phrase for m in fields.metadata if isinstance(m, Allowed))
            raise lacking(f"the key is missing; allowed is {phrase}", ("columns",))
        return columns


def _needs_one_of(*fields: str) -> Any:
    """Check on the last of some fields that one of them is mapped."""

    def check(cls: type, value: str | None, info: ValidationInfo) -> str | None:
        if not set(fields[:-1]) <= info.data.keys():
            return value  # one of them was refused, and has its own sentence
        if not (value or any(info.data[name] for name in fields[:-1])):
            raise lacking(f"needs one of {', '.join(fields[:-1])} and {fields[-1]}", fields)
        return value

    return field_validator(fields[-1])(classmethod(check))


# The programme -------------------------------------------------------------------------------


class MemberColumns(Fields):
    """Which columns of the members' source hold what."""

    DATES: ClassVar = ("joined", "left")
    AMOUNTS: ClassVar = ()
    NEEDED: ClassVar = ("customer", "joined")

    customer: v.Text = Field(description="Who is a member, by the ids of the orders")
    joined: v.Text = Field(description="Day of joining")
    left: v.Text | None = Field(default=None, description="Day of leaving, blank for members")
    tier: v.Text | None = Field(default=None, description="Tier of the programme")


class LedgerColumns(Fields):
    """Which columns of the ledger's source hold what."""

    DATES: ClassVar = ("date",)
    AMOUNTS: ClassVar = ("earned", "redeemed", "expired", "cost")
    NEEDED: ClassVar = ("customer", "date")

    customer: v.Text = Field(description="Whose points they are")
    date: v.Text = Field(description="Day of the entry")
    earned: v.Text | None = Field(default=None, description="Points earned")
    redeemed: v.Text | None = Field(default=None, description="Points redeemed")
    expired: v.Text | None = Field(default=None, description="Points that expired")
    cost: v.Text | None = Field(
        default=None,
        description="What the reward cost, in the report's currency",
        validate_default=True,
    )

    _one = _needs_one_of("earned", "redeemed", "expired", "cost")


_MEMBERS = Allowed("a mapping such as {customer: id, joined: date, tier: level, left: date}")
_LEDGER = Allowed("a mapping such as {customer: id, date: day, earned: points, redeemed: points}")


class Members(DataSource):
    """Who is in the programme."""

    source: further_source("builtin:completejourney-members") = Field(  # type: ignore[valid-type]
        description="Where the members are; paths start at the client file"
    )
    columns: Annotated[MemberColumns | None, _MEMBERS] = Field(
        default=None, description="The source's column for each field", validate_default=True
    )


class Ledger(DataSource):
    """What members earned and redeemed."""

    source: further_source("builtin:completejourney-ledger") = Field(  # type: ignore[valid-type]
        description="Where the entries are; paths start at the client file"
    )
    columns: Annotated[LedgerColumns | None, _LEDGER] = Field(
        default=None, description="The source's column for each field", validate_default=True
    )


class Programme(Part):
    """The loyalty programme."""

    members: Annotated[Members, Allowed("a mapping with source and columns")] = Field(
        description="Who is a member, a row each"
    )
    ledger: Annotated[Ledger | None, Allowed("a mapping with source and columns")] = Field(
        default=None, description="Points or rewards earned, redeemed and expired, a row each"
    )
    point_value: v.Rate | None = Field(
        default=None, description="Worth of one point, in the report's currency"
    )
    cost_per_year: v.Money = Field(
        default=0.0, description="What the programme costs a year beside its rewards"
    )


# Experiments ---------------------------------------------------------------------------------


class ExperimentColumns(Fields):
    """Which columns of an experiment's source hold what."""

    DATES: ClassVar = ("start", "end")
    AMOUNTS: ClassVar = ()
    NEEDED: ClassVar = ("customer", "start")

    customer: v.Text = Field(description="Who is in it, by the ids of the orders")
    start: v.Text = Field(description="Day from which the measure could work")
    end: v.Text | None = Field(
        default=None, description="Last day of the campaign, where nobody was drawn by lot"
    )
    group: v.Text | None = Field(
        default=None, description="Group drawn by lot; else the kind of campaign"
    )
    campaign: v.Text | None = Field(
        default=None, description="Which of several campaigns, where nobody was drawn by lot"
    )


def _split(value: dict[str, float]) -> dict[str, float]:
    total = sum(value.values())
    if value and abs(total - 1) > 1e-9:
        raise conflict(f"the shares add up to {total:.10g}; allowed is a total of 1")
    return value


_EXPERIMENT = Allowed("a mapping such as {customer: id, group: arm, start: date}")
_SPLIT = Allowed("a mapping from groups to shares that add up to 1, such as {mail: 0.9, none: 0.1}")


class Experiment(DataSource):
    """A campaign that was tested, or is to be judged without a test."""

    title: v.Line | None = Field(default=None, description="Name as printed; else its key")
    source: further_source("builtin:completejourney-campaigns") = Field(  # type: ignore[valid-type]
        description="Who was in which group; paths start at the client file"
    )
    columns: Annotated[ExperimentColumns | None, _EXPERIMENT] = Field(
        default=None, description="The source's column for each field", validate_default=True
    )
    assigned: Annotated[Literal["lot", "chosen"], one_of("lot", "chosen")] = Field(
        default="lot",
        description="Whether a lot drew the groups, or customers were chosen",
        validate_default=True,
    )
    control: v.Line | None = Field(
        default=None,
        description="The group that was left alone; needed where a lot drew the groups",
        validate_default=True,
    )
    split: Annotated[dict[v.Line, v.Share], AfterValidator(_split), _SPLIT] = Field(
        default={}, description="Planned share of each group; equal where left out"
    )
    days: Annotated[
        int, Field(strict=True, ge=1, le=1000), Allowed("a whole number of days, from 1 to 1000")
    ] = Field(default=90, description="Days from the start in which the outcome is taken")
    cost: v.Money = Field(default=0.0, description="Cost for each customer who was treated")

    @field_validator("assigned")
    @classmethod
    def _groups_of_a_lot(cls, assigned: str, info: ValidationInfo) -> str:
        columns = info.data.get("columns")
        if assigned == "lot" and columns is not None and columns.group is None:
            raise lacking(
                "columns needs group where a lot drew the groups; name it, or write "
                "assigned: chosen",
                ("columns",),
            )
        return assigned

    @field_validator("control")
    @classmethod
    def _control_of_a_lot(cls, control: str | None, info: ValidationInfo) -> str | None:
        if control is None and info.data.get("assigned") == "lot":
            raise lacking(
                "the key is missing; name the group that was left alone, or write assigned: "
                "chosen where no lot drew the groups",
                ("control",),
            )
        return control


Name = Annotated[
    str,
    Field(strict=True, pattern=r"^[a-z0-9][a-z0-9_]{0,39}$"),
    Allowed("a short name of a-z, 0-9 and _, such as spring_mail", kind="text"),
]
Experiments = Annotated[
    dict[Name, Annotated[Experiment, Allowed("a mapping with source, columns and control")]],
    Allowed("a mapping from names to mappings with source, columns and control"),
]


# The survey ----------------------------------------------------------------------------------


class SurveyColumns(Fields):
    """Which columns of the survey's source hold what."""

    DATES: ClassVar = ("date",)
    AMOUNTS: ClassVar = ("nps", "csat", "ces")
    NEEDED: ClassVar = ("customer", "date")

    customer: v.Text = Field(description="Who was asked, by the ids of the orders")
    date: v.Text = Field(description="Day of the answer, or of the question without one")
    nps: v.Text | None = Field(
        default=None, description="Would recommend, 0 to 10; blank without an answer"
    )
    csat: v.Text | None = Field(default=None, description="Satisfaction; blank without an answer")
    ces: v.Text | None = Field(
        default=None,
        description="Ease (customer effort score); blank without an answer",
        validate_default=True,
    )

    _one = _needs_one_of("nps", "csat", "ces")


def _scale(value: object) -> tuple[int, int]:
    if (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(x, int) and not isinstance(x, bool) for x in value)
        and value[0] < value[1]
    ):
        return (value[0], value[1])
    raise refused(_SCALE)


_SCALE = "a list of the lowest and the highest score, such as [1, 5]"
Scale = Annotated[tuple[int, int], BeforeValidator(_scale), Allowed(_SCALE)]
_SURVEY = Allowed("a mapping such as {customer: id, date: day, nps: score}")


class Survey(DataSource):
    """What customers say."""

    source: further_source() = Field(  # type: ignore[valid-type]
        description="Where the answers are; paths start at the client file"
    )
    columns: Annotated[SurveyColumns | None, _SURVEY] = Field(
        default=None, description="The source's column for each field", validate_default=True
    )
    csat_scale: Scale = Field(default=(1, 5), description="Lowest and highest satisfaction score")
    ces_scale: Scale = Field(default=(1, 7), description="Lowest and highest score of ease")


# Subscriptions -------------------------------------------------------------------------------


class SubscriptionColumns(Fields):
    """Which columns of the subscriptions' source hold what."""

    DATES: ClassVar = ("start", "end")
    AMOUNTS: ClassVar = ("amount",)
    NEEDED: ClassVar = ("customer", "start", "amount")

    customer: v.Text = Field(description="Who subscribes")
    start: v.Text = Field(description="First day of the subscription")
    end: v.Text | None = Field(default=None, description="Last day, blank while it runs")
    amount: v.Text = Field(description="Amount of each billing period")
    plan: v.Text | None = Field(default=None, description="Plan")


_SUBSCRIPTIONS = Allowed("a mapping such as {customer: id, start: from, end: to, amount: price}")


class Subscriptions(DataSource):
    """What customers subscribe to."""

    source: further_source() = Field(  # type: ignore[valid-type]
        description="Where the subscriptions are; paths start at the client file"
    )
    columns: Annotated[SubscriptionColumns | None, _SUBSCRIPTIONS] = Field(
        default=None, description="The source's column for each field", validate_default=True
    )
    period_months: v.Months = Field(default=1, description="Months of a billing period")


# All of them ---------------------------------------------------------------------------------


#: The keys of the client file that name them.
DATASETS: Final = ("programme", "experiments", "survey", "subscriptions")


def data_sources(params: Params) -> dict[str, tuple[str, DataSource]]:
    """The further data sets that a client gives.

    Returns
    -------
    dict
        Name, as `Base.dataset` takes it → its place in the client file, and the source.
    """
    return {name: (place, source) for name, place, source in _found(params)}


def _found(params: Params) -> Iterator[tuple[str, str, DataSource]]:
    if params.programme:
        yield "members", "programme.members", params.programme.members
        if params.programme.ledger:
            yield "ledger", "programme.ledger", params.programme.ledger
    for name, experiment in (params.experiments or {}).items():
        yield f"experiment.{name}", f"experiments.{name}", experiment
    for name in ("survey", "subscriptions"):
        if (one := getattr(params, name)) is not None:
            yield name, name, one


def with_sources(params: Params, sources: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """The keys of the further data sets with other sources, to update `params` with.

    Parameters
    ----------
    params : Params
    sources : mapping
        Name of a data set → its source.
    """

    def other(name: str, source: Any) -> Any:
        return source.model_copy(update={"source": sources.get(name, source.source)})

    changed: dict[str, Any] = {
        name: other(name, one)
        for name in ("survey", "subscriptions")
        if (one := getattr(params, name)) is not None
    }
    if params.programme:
        own = {
            name: other(name, one)
            for name in ("members", "ledger")
            if (one := getattr(params.programme, name)) is not None
        }
        changed["programme"] = params.programme.model_copy(update=own)
    if params.experiments:
        changed["experiments"] = {
            name: other(f"experiment.{name}", one) for name, one in params.experiments.items()
        }
    return changed
