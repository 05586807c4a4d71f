"""Which column is which field: by names in five languages, and by what the columns hold."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_lib.data.contents import contents, numbers
from retention_lib.data.fields import name_score
from retention_lib.data.mapping import FIELDS, propose
from retention_lib.data.region import region, spoken
from retention_lib.data.words import fold, read_name
from retention_lib.errors import DataError


def lines(orders: int = 150, seed: int = 1) -> pd.DataFrame:
    """Order lines of a shop, two or three an order, as text cells."""
    chance = random.Random(seed)
    rows = []
    for order in range(orders):
        customer = 10_000 + chance.randrange(orders // 3)
        day = f"{chance.randint(13, 28)}.{chance.randint(1, 12):02d}.2024"
        for line in range(chance.choice([2, 2, 3])):
            product, pieces = chance.randrange(30), chance.choice([1, 1, 2, 3])
            # the price of a product stays the same
            price = 10 + 7.35 * product
            rows.append(
                {
                    "customer": str(customer),
                    "email": f"c{customer}@example.com",
                    "date": day,
                    "order": f"A{50_000 + order}",
                    "line": str(line + 1),
                    "product": f"V-{product:03d}",
                    "quantity": str(pieces),
                    "unit_price": f"{price:.2f}",
                    "amount": f"{pieces * price:.2f}",
                    "category": f"gruppe {product % 4}",
                    "channel": chance.choice(["nett", "butikk"]),
                    "market": chance.choice(["NO", "SE"]),
                    "birthday": f"{chance.randint(1, 28)}.05.1980",
                    "text": chance.choice(["snart", "i morgen", "ukjent dag"]),
                }
            )
    frame = pd.DataFrame(rows)
    totals = frame["amount"].astype(float).groupby(frame["order"]).transform("sum")
    return frame.assign(total=[f"{t:.2f}" for t in totals], code="NOK")


def named(**columns: str) -> pd.DataFrame:
    """Some of the lines' columns, with these names, in the order given."""
    frame = lines()
    return pd.DataFrame({name: frame[kind] for name, kind in columns.items()})


def mapped(columns: dict[str, str], **given: str) -> dict[str, str]:
    """What is proposed for columns of these names, which hold these kinds of cells."""
    frame = lines()
    table = pd.DataFrame({name: frame[kind] for name, kind in columns.items()})
    return propose(table, given).columns


@pytest.mark.parametrize(
    ("field", "names"),
    [
        (
            "customer",
            "Kundenr Kundenummer Kunde-ID kunde_id KUNDENR kundid Kundnummer kund_id "
            "Customer\u00a0ID CustomerID customer_no Kundennummer Kunden-Nr. Debitor-Nr "
            "household_id medlemsnr user_id Client-ID Køber-ID KoeberID "
            "Käufernummer Kaeufernummer Mitgliedsnummer",
        ),
        (
            "date",
            "Ordredato Orderdatum Bestelldatum Dato Datum Order-Date order_date created_at "
            "CreatedAt Fakturadato InvoiceDate Kjøpsdato Kjoepsdato Købsdato Köpdatum Kaufdatum "
            "Auftragsdatum Rechnungsdatum Salgsdato Försäljningsdatum transaction_timestamp "
            "Bestillingsdato Opprettet Date-of-purchase",
        ),
        (
            "amount",
            "Beløp Beloep BELOP Beløb Belopp Betrag Amount Total Sum Omsetning Omsætning "
            "Omsättning Umsatz sales_value Linjesum Radbelopp Gesamtbetrag Totalsum Beløp_eks_mva "
            "Beløp(NOK) net_amount Nettobeløp Line-total Revenue Salg",
        ),
        ("quantity", "Antall Antal Menge Qty Quantity Anzahl Stückzahl Stueckzahl Kvantitet"),
        (
            "unit_price",
            "Pris Stykkpris Stykpris Styckpris à-pris Einzelpreis Unit-price UnitPrice "
            "Lineitem-price Enhetspris Stückpreis Preis-pro-Stück Salgspris",
        ),
        (
            "order",
            "Ordrenr Bestillingsnr Bestellnummer Bestell-Nr. OrderID order_number InvoiceNo "
            "Fakturanr Rechnungsnummer Auftragsnummer basket_id Ordernr Kvitteringsnummer "
            "TransactionID Beställningsnr",
        ),
        ("product", "Varenr Produkt SKU StockCode Artikelnr Artikelnummer product_id Vara EAN"),
        ("category", "Kategori Varegruppe Warengruppe Category Varugrupp product_group"),
        ("channel", "Kanal Channel Salgskanal sales_channel Vertriebskanal Försäljningskanal"),
        ("market", "Marked Land Country Butikk Store Marknad store_id Markt Filiale Market"),
        ("currency", "Valuta Currency Währung Waehrung Valutakode currency_code"),
        ("birthday", "Fødselsdato Foedselsdato Birthday date_of_birth Geburtsdatum Födelsedag"),
    ],
)
def test_a_name_of_any_of_the_languages_speaks_most_for_its_field(field: str, names: str) -> None:
    for name in names.split(" "):
        scores = {f: name_score(f, read_name(name)) for f in FIELDS}
        assert max(scores, key=lambda f: scores[f]) == field, (name, scores)
        assert scores[field] >= 0.7, name


@pytest.mark.parametrize(
    "name",
    [
        *("MVA", "Moms", "Rabatt", "Frakt", "Kundegruppe", "Leveringsadresse", "Discount amount"),
        *("Shipping cost", "Status", "Kommentar", "Ordrelinjenr", "refunded_amount", "Mva-beløp"),
        *("Vekt", "Postnr", "Valutakurs"),
    ],
)
def test_a_name_of_something_else_speaks_for_no_amount_customer_or_order(name: str) -> None:
    for field in ("amount", "customer", "order", "quantity", "unit_price"):
        assert name_score(field, read_name(name)) < 0.4


@given(st.text(max_size=40))
def test_any_name_at_all_can_be_read(name: str) -> None:
    assert all(0 <= name_score(field, read_name(name)) <= 1 for field in FIELDS)


def test_letters_count_the_same_however_they_are_spelled() -> None:
    assert fold("Beløp") == fold("BELOEP") == fold("belop")
    assert fold("Währung") == fold("waehrung") == fold("Wa\u0308hrung")
    assert fold("Åbningsår") == fold("aabningsaar")


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1 234,50", "kr 99,00", "−5,25", "12,-"], [1234.5, 99, -5.25, 12]),
        (["1.234,50", "99,00"], [1234.5, 99]),
        (["1,234.50", "3.5"], [1234.5, 3.5]),
        (["1'234.50", "7"], [1234.5, 7]),
        (["$1,234.00", "-$5.50", "(3.10)"], [1234, -5.5, -3.1]),
        (["100 NOK", "25,5 NOK"], [100, 25.5]),
        (["5,00-", "6,00"], [-5, 6]),
        (["31.12.2025 x", "A12"], [float("nan")] * 2),
    ],
)
def test_numbers_are_seen_however_they_are_written(cells: list[str], read: list[float]) -> None:
    pd.testing.assert_series_equal(numbers(pd.Series(cells)), pd.Series(read, dtype="float64"))


@pytest.mark.parametrize(
    "cell",
    [
        *("31.12.2025", "31/12-25", "2025-12-31T10:00:00+01:00", "2025-12-31 10:00:00 +0100"),
        *("12/31/2025 8:26", "31. des. 2025", "Dec 31, 2025"),
    ],
)
def test_dates_are_seen_however_they_are_written(cell: str) -> None:
    assert contents(pd.Series([cell])).dates == 1


NORWEGIAN = {
    "Kundenr": "customer",
    "Ordredato": "date",
    "Beløp": "amount",
    "Ordrenr": "order",
    "Varenr": "product",
    "Varegruppe": "category",
    "Kanal": "channel",
    "Land": "market",
    "Valuta": "code",
    "Fødselsdato": "birthday",
}


def test_every_field_finds_its_column() -> None:
    assert mapped(NORWEGIAN) == {
        **{kind: name for name, kind in NORWEGIAN.items() if kind != "code"},
        "currency": "Valuta",
    }


def test_the_order_of_the_columns_makes_no_difference() -> None:
    assert mapped(dict(reversed(NORWEGIAN.items()))) == mapped(NORWEGIAN)


def test_quantity_and_unit_price_stand_in_where_there_is_no_amount() -> None:
    found = mapped(
        {"Kunde": "customer", "Dato": "date", "Antall": "quantity", "Pris": "unit_price"}
    )
    assert (found["quantity"], found["unit_price"]) == ("Antall", "Pris")
    assert "amount" not in found


def test_an_amount_that_is_quantity_times_price_is_preferred() -> None:
    found = mapped(
        {
            **{"Kunde": "customer", "Dato": "date", "Antall": "quantity"},
            **{"Pris": "unit_price", "Total": "amount"},
        }
    )
    assert found == {"customer": "Kunde", "date": "Dato", "amount": "Total"}


def test_an_amount_below_quantity_times_price_is_what_was_paid() -> None:
    frame = lines()
    sale = [f"{float(a) * (0.8 if n % 3 else 1):.2f}" for n, a in enumerate(frame["amount"])]
    table = named(Kunde="customer", Dato="date", Antall="quantity", Pris="unit_price")
    found = propose(table.assign(Total=sale))
    assert found.columns["amount"] == "Total"
    assert "of the rows only" in found.notes["amount"]


def test_an_amount_that_is_the_price_of_one_piece_is_no_amount() -> None:
    found = mapped(
        {
            **{"Kunde": "customer", "Dato": "date", "Antall": "quantity", "Varenr": "product"},
            "Beløp": "unit_price",
        }
    )
    assert (found["quantity"], found["unit_price"]) == ("Antall", "Beløp")


def test_an_orders_total_on_each_of_its_rows_gives_way_to_the_rows_own_amount() -> None:
    base = {"Kunde": "customer", "Dato": "date", "Ordrenr": "order", "Total": "total"}
    assert mapped({**base, "Antall": "quantity", "Pris": "unit_price"}).keys() >= {
        "quantity",
        "unit_price",
    }
    assert mapped({**base, "Linjebeløp": "amount"})["amount"] == "Linjebeløp"


def test_an_orders_total_on_each_of_its_rows_and_nothing_else_is_counted_once() -> None:
    found = propose(
        named(Kunde="customer", Dato="date", Ordrenr="order", Total="total", Varenr="product")
    )
    assert found.once_per_order
    assert found.columns == {
        "customer": "Kunde",
        "date": "Dato",
        "amount": "Total",
        "order": "Ordrenr",
    }
    assert "order's total on each of its rows" in found.notes["amount"]


def test_a_price_alone_is_the_amount() -> None:
    assert mapped({"Kunde": "customer", "Dato": "date", "Pris": "amount"})["amount"] == "Pris"


@pytest.mark.parametrize(
    ("wrong", "kind", "right", "of"),
    [
        ("Dato", "text", "Registrert", "date"),  # a date's name over words
        ("Total", "order", "Sum", "amount"),  # an amount's name over ids
        ("Ordredato", "amount", "Tidspunkt", "date"),
        ("Beløp", "date", "Omsetning", "amount"),
    ],
)
def test_a_right_name_over_wrong_cells_loses(wrong: str, kind: str, right: str, of: str) -> None:
    base = {"Kundenr": "customer", "Dag": "date", "Verdi": "amount"}
    base = {name: k for name, k in base.items() if k != of}
    assert mapped({wrong: kind, right: of, **base})[of] == right


def test_a_total_of_numbers_that_count_up_is_an_id() -> None:
    frame = named(Kundenr="customer", Dato="date", Sum="amount")
    frame.insert(0, "Total", [str(900_001 + n) for n in range(len(frame))])
    assert propose(frame).columns["amount"] == "Sum"


def test_an_order_is_finer_than_a_customer() -> None:
    frame = lines()
    swapped = pd.DataFrame(
        {"Kundenr": frame["customer"], "Dato": frame["date"], "Ordrenr": frame["category"] + " 1"}
    ).assign(Sum=frame["amount"])
    found = propose(swapped)
    assert "order" not in found.columns
    assert "belong to several customers" in found.notes["customer"]


def test_an_email_address_is_a_customer_where_nothing_better_is() -> None:
    assert mapped({"Kontakt oss": "email", "Dato": "date", "Sum": "amount"})["customer"]
    both = mapped({"E-post": "email", "Kundenr": "customer", "Dato": "date", "Sum": "amount"})
    assert both["customer"] == "Kundenr"


def test_a_lone_column_of_dates_is_the_date_whatever_its_name() -> None:
    assert mapped({"Kundenr": "customer", "Felt 7": "date", "Sum": "amount"})["date"] == "Felt 7"


@pytest.mark.parametrize(
    ("kept", "key"),
    [
        ({"Dato": "date", "Sum": "amount"}, "columns.customer"),
        ({"Kundenr": "customer", "Sum": "amount"}, "columns.date"),
        ({"Kundenr": "customer", "Dato": "date"}, "columns.amount"),
    ],
)
def test_a_column_that_must_be_there_is_asked_for_by_its_key(
    kept: dict[str, str], key: str
) -> None:
    with pytest.raises(DataError) as error:
        mapped({**kept, "Linje": "line", "Merknad": "text"})
    (sentence,) = error.value.sentences
    assert sentence.startswith(f"{key}: ")
    assert '"Merknad"' in sentence
    assert '"Linje"' in sentence


def test_a_named_column_over_wrong_cells_is_told_with_what_it_holds() -> None:
    with pytest.raises(DataError, match='"Dato" has the name of one, but holds values such as'):
        mapped({"Kundenr": "customer", "Dato": "text", "Sum": "amount"})


def test_what_the_user_says_is_taken() -> None:
    columns = {"Kundenr": "customer", "Dato": "date", "Sum": "amount", "Felt": "email"}
    assert mapped(columns, customer="Felt")["customer"] == "Felt"
    with pytest.raises(DataError, match='did you mean "Felt"'):
        mapped(columns, customer="Flet")


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ("Kundenr Ordredato Antall Pris", "nb"),
        ("Kundenr Ordredato Ordrenr Beløb", "da"),
        ("Kundenr Ordredato Omsetning", "nb"),
        ("Kundnr Orderdatum Ordernr Belopp", "sv"),
        ("Kundennummer Bestelldatum Betrag", "de"),
        ("CustomerID OrderDate Total", "en"),
        ("customer_id dato belop email SKU Total", "nb"),
        ("InvoiceNo StockCode Quantity InvoiceDate UnitPrice CustomerID Country", "en"),
        ("Kundenr Ordredato Ordrenr Total", "nb da"),
    ],
)
def test_headers_tell_their_language(headers: str, language: str) -> None:
    assert spoken(headers.split()) == language


def test_currency_comes_from_its_column_then_from_signs_then_from_the_language() -> None:
    frame = pd.DataFrame(
        {"Kundenr": ["1", "2"], "Beløp": ["€ 5", "€ 6,50"], "Sum": ["5", "6"], "V": ["SEK", "SEK"]}
    )
    assert region(frame, ["Beløp"], "V").currency == "SEK"
    assert region(frame, ["Beløp"]).currency == "EUR"
    assert region(frame, ["Sum"]).currency == "NOK"
    assert region(frame, ["Sum"], chosen="USD").currency == "USD"
    assert region(frame.rename(columns={"Sum": "Sum DKK"}), ["Sum DKK"]).currency == "DKK"
    assert region(frame, ["Sum"]).timezone == "Europe/Oslo"


def test_an_english_file_with_kroner_does_not_tell_whose() -> None:
    frame = pd.DataFrame({"Customer ID": ["1", "2"], "Amount": ["kr 5", "kr 6"]})
    assert region(frame, ["Amount"]).currency is None


def test_norwegian_and_danish_are_told_apart_by_the_cells_where_the_words_are_the_same() -> None:
    frame = pd.DataFrame({"Kundenr": ["1"], "Dato": ["1.1.2024"], "Total": ["5"], "Land": ["DK"]})
    assert region(frame, ["Total"]).currency == "DKK"
    unknown = region(frame.drop(columns="Land"), ["Total"])
    assert unknown.currency is None
    assert unknown.spoken_name == "Norwegian or Danish"
    assert region(frame.drop(columns="Land"), ["Total"], chosen="NOK").language == "nb"
