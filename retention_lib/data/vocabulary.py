"""The words that column names are made of, by what they speak of and in which language.

A new word goes under its concept; what the concepts mean for a field stands in `data.fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: concept → languages ("" is any) → words. A word may stand under several concepts' languages, but
#: under one concept only.
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "customer": {
        "en": "customer customers client buyer shopper consumer user member household account",
        "nb da de": "kunde",
        "de": "kunden kundin mitglied käufer besteller benutzer verbraucher haushalt",
        "sv": "kund kunds köpare medlems användare hushåll",
        "nb": "kjøper bruker husstand husholdning",
        "da": "køber bruger husstand",
        "nb da": "medlem",
        "": "debitor cust loyalty crm",
    },
    "contact": {
        "": "email mail epost mailaddress mailadresse emailaddress emailadresse epostadresse",
        "en": "phone telephone mobile",
        "nb da": "mobil mobilnr",
        "nb da sv de": "telefon tlf",
    },
    "id": {
        "": "id ids nr no # key guid uuid",
        "nb da sv de": "nummer",
        "en": "number num code identifier ref reference",
        "nb da": "kode løbenr løpenr",
        "sv": "kod",
        "de": "schlüssel kennung",
    },
    "name": {"en": "name names", "nb da": "navn", "sv": "namn", "": "fullname"},
    "order": {
        "en": "orders purchase basket cart transaction transactions trans",
        "en sv": "order",
        "nb da": "ordre ordrer bestilling bestillings transaksjon handel",
        "nb": "transaksjons kjøp kjøps handlekurv",
        "da": "køb købs indkøbskurv transaktions",
        "sv": "beställning beställnings köp köps varukorg",
        "de": "bestell bestellung bestellungs auftrag auftrags kauf warenkorb",
        "da sv de": "transaktion transaktions",
    },
    "invoice": {
        "en": "invoice receipt bill ticket voucher",
        "nb da sv": "faktura",
        "nb da": "kvittering bilag bon",
        "sv": "kvitto",
        "de": "rechnung rechnungs beleg quittung",
    },
    # an amount on its own; the order's beside an id or a date
    "sales": {
        "en": "sales sale",
        "nb da": "salg salgs",
        "sv": "försäljning försäljnings",
        "de": "verkauf verkaufs",
    },
    "date": {
        "en": "date day datetime timestamp time at when",
        "nb da": "dato tidspunkt dag tid tidsstempel",
        "sv": "tidpunkt tidsstämpel",
        "sv de": "datum",
        "de": "zeitpunkt zeit tag zeitstempel",
        "": "ts dt",
    },
    "created": {
        "en": "created placed creation ordered purchased",
        "nb": "opprettet bestilt kjøpt",
        "da": "oprettet bestilt købt",
        "sv": "skapad skapades beställd köpt",
        "de": "erstellt angelegt bestellt",
    },
    "birth": {
        "en": "birth birthday birthdate dob born",
        "nb da": "fødsels fødselsdato født",
        "nb": "bursdag",
        "da": "fødselsdag",
        "sv": "födelse födelsedag födelsedatum född",
        "de": "geburt geburts geburtstag geburtsdatum geboren",
    },
    "shipping": {
        "en": "shipping ship shipped shipment delivery delivered fulfilled freight postage",
        "nb": "frakt levering leverings levert sending sendings utlevering porto",
        "da": "fragt forsendelse forsendelses leveret",
        "sv": "leverans leveransens levererad skickad",
        "de": "versand liefer lieferung lieferungs geliefert porto",
    },
    "billing": {"en": "billing", "nb da": "fakturering", "sv": "fakturerings"},
    "payment": {
        "en": "payment paid pay transferred",
        "nb": "betaling betalings betalt",
        "da": "betaling betalings betalt",
        "sv": "betalning betalnings betald betalt",
        "de": "zahlung zahlungs bezahlt zahlbar",
    },
    "booking": {
        "en": "posting posted booking booked accounting",
        "nb": "bokførings bokført regnskaps",
        "da": "bogførings bogført",
        "sv": "bokförings bokförd",
        "de": "buchung buchungs",
    },
    "later": {
        "en": "updated modified changed due cancelled canceled closed processed expiry expires "
        "first last registration registered signup joined since start end export exported import",
        "nb": "endret oppdatert forfall forfalls første siste registrert innmeldt avsluttet",
        "da": "ændret opdateret forfald forfalds første sidste registreret",
        "sv": "ändrad uppdaterad förfallo första sista registrerad",
        "de": "geändert aktualisiert fällig erste letzte registrierung fälligkeits",
    },
    "amount": {
        "en": "amount total totals revenue turnover value spend spent gmv",
        "en nb da": "sum",
        "nb sv": "totalt",
        "nb": "beløp omsetning verdi",
        "da": "beløb omsætning værdi i_alt",
        "sv": "belopp omsättning värde summa",
        "de": "betrag umsatz wert summe gesamt gesamtbetrag",
        "": "totalsum totalbeløp totalbeløb totalbelopp",
    },
    # in English also a number of pieces
    "tally": {"en": "amount"},
    "partial": {
        "en": "subtotal",
        "nb da": "delsum subtotal",
        "sv": "delsumma",
        "de": "zwischensumme teilbetrag",
    },
    "gross": {"en": "gross net", "nb da sv de": "netto brutto"},
    "quantity": {
        "en": "quantity qty pieces pcs units count",
        "nb": "antall mengde",
        "da sv": "antal",
        "da": "mængde",
        "sv": "mängd kvantitet",
        "de": "menge anzahl stückzahl",
        "nb da": "kvantum",
        "": "stk qnt",
    },
    "price": {"en": "price", "nb da sv": "pris", "de": "preis"},
    "unit": {
        "en": "unit each",
        "nb": "stykk enhet enhets",
        "da": "styk enhed enheds",
        "sv": "styck enhets",
        "de": "einzel stück",
        "": "á apris",
    },
    "line": {
        "en": "line row",
        "nb da": "linje linjer",
        "sv": "rad",
        "de": "zeile zeilen",
        "": "position pos",
    },
    "product": {
        "en": "product products item items article articles stock description",
        "nb da": "vare vares beskrivelse varetekst",
        "sv": "vara varu artikelns beskrivning benämning",
        "de": "ware waren produkte beschreibung bezeichnung",
        "nb da sv de": "produkt artikel",
        "": "sku ean gtin upc isbn asin lineitem title",
    },
    "category": {
        "en": "category categories group department",
        "nb da sv": "kategori",
        "nb da de": "gruppe",
        "nb": "avdeling",
        "da": "afdeling",
        "sv": "grupp avdelning",
        "de": "kategorie abteilung sortiment",
    },
    "channel": {
        "en": "channel platform",
        "nb da sv": "kanal",
        "de": "kanal plattform vertriebskanal",
        "nb": "plattform",
    },
    "market": {
        "en": "market country region",
        "nb da sv de": "land",
        "nb da": "marked",
        "sv": "marknad",
        "de": "markt",
        "": "countrycode",
    },
    "store": {
        "en": "store shop branch",
        "nb": "butikk",
        "da sv": "butik",
        "nb da sv": "filial",
        "de": "filiale laden geschäft",
    },
    "currency": {"en": "currency", "nb da sv": "valuta", "de": "währung währungs", "": "ccy"},
    "ex": {
        "en": "excl excluding ex incl including inc",
        "nb": "eks ekskl inkl uten inklusive",
        "da": "ekskl uden",
        "sv": "exkl utan",
        "de": "exkl ohne zzgl",
    },
    "tax": {"en": "tax taxes vat", "nb": "mva", "da sv": "moms", "de": "mwst ust steuer"},
    "cost": {
        "en": "cost costs",
        "nb": "kostnad kost",
        "da": "omkostning",
        "sv": "kostnad",
        "de": "kosten",
    },
    # amounts that aren't what the customer paid
    "other": {
        "en": "discount rebate disc coupon refund refunded fee tip balance profit "
        "margin contribution outstanding weight limit budget points score age",
        "nb": "rabatt saldo refundert innkjøp innkjøps innkjøpspris kostpris "
        "dekningsbidrag vekt poeng lagerantall alder",
        "da": "rabat saldo refunderet indkøb indkøbs kostpris dækningsbidrag vægt point",
        "sv": "rabatt saldo återbetalning inköp inköps inköpspris vikt poäng täckningsbidrag",
        "de": "rabatt saldo einkauf einkaufs guthaben erstattung gewicht punkte",
    },
    "attribute": {
        "en": "status type segment rate address city zip postal postcode street gender method "
        "notes note comment tags year month week hour state province company vendor gift",
        "nb": "adresse poststed postnr postnummer kjønn gate metode merknad kurs kommentar "
        "år måned uke firma",
        "da": "adresse postnummer køn vej metode bemærkning kurs uge måned firma by",
        "sv": "adress postort postnummer kön gata metod kurs anteckning år månad vecka stad",
        "de": "adresse plz ort straße geschlecht methode kurs bemerkung jahr monat woche firma",
        "": "status type segment",
    },
    # words that change nothing; currencies among them
    "": {
        "en": "of for the in from and by per to is on local",
        "nb da sv": "av til for i fra och og per pr",
        "de": "von für der die das und je pro",
        "": "kr nok dkk sek eur usd gbp € $ £",
    },
}
