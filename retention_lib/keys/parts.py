"""The mappings inside a client file: columns, csv, benchmarks, brand."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from retention_lib.keys import values as v
from retention_lib.keys.refusals import conflict, lacking, refused, shown


class Part(BaseModel):
    """A mapping whose keys are known and don't change."""

    # an error must not show its input: that may be a password
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Fields(Part):
    """Which column of a data set holds what."""

    #: The fields that hold days; one or two, each written in a way of its own.
    DATES: ClassVar[tuple[str, ...]]
    #: The fields that hold numbers, all written alike.
    AMOUNTS: ClassVar[tuple[str, ...]]
    #: The fields that every file has to have, where they are mapped.
    NEEDED: ClassVar[tuple[str, ...]]

    def of(self, fields: tuple[str, ...]) -> list[str]:
        """The columns that some fields have, of those that are mapped."""
        return [name for field in fields if (name := getattr(self, field))]


class Columns(Fields):
    """Which of the source's columns holds what."""

    DATES = ("date", "birthday")
    AMOUNTS = ("amount", "quantity", "unit_price")
    NEEDED = ("customer", "date", *AMOUNTS)

    customer: v.Text = Field(description="Who bought")
    date: v.Text = Field(description="Day or time of the order")
    amount: v.Text | None = Field(default=None, description="Amount of the row")
    quantity: v.Text | None = Field(default=None, description="Pieces, where there is no amount")
    unit_price: v.Text | None = Field(
        default=None,
        description="Price of one piece, where there is no amount",
        validate_default=True,
    )
    order: v.Text | None = Field(
        default=None, description="Id of the order that the row belongs to"
    )
    product: v.Text | None = Field(default=None, description="Product bought")
    category: v.Text | None = Field(default=None, description="Category of the product")
    channel: v.Text | None = Field(default=None, description="Channel, such as shop or web")
    market: v.Text | None = Field(default=None, description="Market, such as a country")
    currency: v.Text | None = Field(default=None, description="Currency of the row's amount")
    birthday: v.Text | None = Field(default=None, description="The customer's birthday")

    @field_validator("unit_price")
    @classmethod
    def _one_way_to_the_amount(cls, unit_price: str | None, info: ValidationInfo) -> str | None:
        # a field that was refused is missing here, and has its own sentence
        if not {"amount", "quantity"} <= info.data.keys():
            return unit_price
        amount, quantity = info.data["amount"], info.data["quantity"]
        if amount and (quantity or unit_price):
            raise lacking(
                "found both amount and quantity or unit_price; keep amount, or quantity with "
                "unit_price",
                _AMOUNT_KEYS,
            )
        if not amount and not (quantity and unit_price):
            raise lacking("needs amount, or both quantity and unit_price", _AMOUNT_KEYS)
        return unit_price


_AMOUNT_KEYS = ("amount", "quantity", "unit_price")


class CsvFormat(Part):
    """How CSV files are written; what is left out is sniffed."""

    delimiter: v.Delimiter | None = Field(default=None, description="Sign between two columns")
    decimal: v.DecimalSign | None = Field(default=None, description="Decimal sign of the amounts")
    thousands: v.ThousandsSign | None = Field(
        default=None, description="Sign between thousands", validate_default=True
    )
    encoding: v.Encoding | None = Field(default=None, description="Encoding of the file")
    date_format: v.DatePattern | None = Field(default=None, description="How dates are written")

    @field_validator("decimal", "thousands")
    @classmethod
    def _signs_differ(cls, sign: str | None, info: ValidationInfo) -> str | None:
        for other in ("delimiter", "decimal"):
            if sign is not None and other != info.field_name and sign == info.data.get(other):
                raise conflict(f"found {shown(sign)}, which is the sign under {other} already")
        return sign


class Benchmark(Part):
    """A figure from outside."""

    metric: v.MetricId = Field(description="The metric that it is compared with")
    value: v.Number = Field(description="The figure, a share as 0.45")
    source: v.Line = Field(description="Where it comes from, printed beside it")

    @field_validator("value")
    @classmethod
    def _one_that_the_metric_can_have(cls, value: float, info: ValidationInfo) -> float:
        return v.figure_of(info.data["metric"], value) if "metric" in info.data else value


class Brand(Part):
    """How the report looks."""

    logo: v.Line | None = Field(default=None, description="Path of a picture")
    accent: v.Accent | None = Field(default=None, description="Colour of headings and figures")

    @field_validator("accent")
    @classmethod
    def _no_comment(cls, accent: str | None) -> str:
        if accent is None:  # what YAML makes of an accent without quotes
            raise refused('a colour such as "#1f4e79", in quotes since # starts a comment')
        return accent
