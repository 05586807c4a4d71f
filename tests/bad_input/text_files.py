"""Text files: encodings, lines, headers, signs between columns, and files of another kind."""

from __future__ import annotations

import gzip
import io
import zipfile

from bad_input import COLUMNS, HEADER, ROW, TWO, Case, read, refused, rows

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
PAGE = "<!DOCTYPE html>\n<html><head><title>Logg inn</title></head><body></body></html>\n"
#: Letters with marks in many words, so that the encoding can be told by them.
NORDIC = rows(
    *("Kåre Bjørnås;2024-01-01;5", "Sølvi Bråten;2024-01-02;5", "Åse Lærdal;2024-01-03;5"),
)


def a_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("o.csv", TWO)
    return stream.getvalue()


OF_ANOTHER_KIND = {
    "a picture": refused(PNG, "o.csv can't be read", "a picture; name the order export"),
    "a photo": refused(b"\xff\xd8\xff\xe0" + bytes(99), "a picture; name the order export"),
    "a PDF": refused(b"%PDF-1.7\n", "o.csv", "a PDF; ask for the orders as CSV or Excel"),
    "an archive": refused(a_zip(), "o.csv", "a ZIP archive", "unpack an archive"),
    "an old workbook": refused(OLE, "o.csv", "an old Excel workbook", ".xls"),
    "gzip": refused(gzip.compress(TWO.encode()), "packed with gzip; add .gz to its name"),
    "Parquet": refused(b"PAR1" + bytes(99), "o.csv", "a Parquet file; name it .parquet"),
    "a database": refused(b"SQLite format 3\0" + bytes(999), "o.csv", "SQLite", "CSV"),
    "a program": refused(bytes(range(256)) * 40, "o.csv", "holds no text", "CSV or Excel"),
    "zeros": refused(bytes(5000), "o.csv", "holds no text"),
    "a web page": refused(PAGE, "o.csv", "a web page", "export", "again"),
    "a web page under a blank line": refused("\n  " + PAGE.lower(), "o.csv", "a web page"),
    "XML": refused('<?xml version="1.0"?><orders/>', "o.csv", "XML", "CSV"),
    "JSON": refused('[{"kunde": "a", "dato": "2024-01-01", "sum": 1}]', "JSON", ".json"),
    "JSON lines": refused('{"kunde": "a", "dato": "2024-01-01", "sum": 1}\n', "JSON", ".json"),
    "rich text": refused("{\\rtf1\\ansi kunde;dato;sum}", "o.csv", "rich text", "CSV"),
}

ENCODINGS = {
    "a UTF-8 file said to be UTF-16": refused(
        TWO + ROW * 20, "UTF-16", "csv.encoding", given={"csv": {"encoding": "utf-16"}}
    ),
    "a Windows-1252 file said to be UTF-8": refused(
        TWO.encode("cp1252"),
        *("o.csv, line 2", "the text isn't UTF-8", "csv.encoding", "windows-1252"),
        given={"csv": {"encoding": "utf-8"}},
    ),
    "an encoding with holes": refused(
        HEADER.encode() + ROW.encode() + b"b\x81;2024-01-01;5\n",
        *("o.csv, line 3", "the text isn't Windows-1252", "csv.encoding"),
        given={"csv": {"encoding": "cp1252"}},
    ),
    "ASCII with letters": refused(
        TWO, "line 2", "the text isn't ASCII", given={"csv": {"encoding": "ascii"}}
    ),
    "DOS": refused(
        NORDIC.encode("cp850"), "csv.encoding", "signs within words", "perhaps cp850", "Bråten"
    ),
    "Macintosh": refused(NORDIC.encode("mac_roman"), "csv.encoding", "perhaps mac_roman"),
    "DOS, in a word of 10,000 letters": refused(
        rows(f"{'Bråten' * 2000};2024-01-01;5", "Åse Lærdal;2024-01-02;5").encode("cp850"),
        *("csv.encoding", "perhaps cp850"),
        never=("B†tenBr†tenBr†tenBr†ten",),
    ),
    "half UTF-8, half Windows-1252": refused(
        NORDIC.encode() + "Bjørn Ås;2024-01-04;5\n".encode("cp1252"),
        *("csv.encoding: o.csv, line 5", "is UTF-8 and some isn't", "exported in one encoding"),
        *("windows-1252", '"KÃ¥re" for "Kåre"'),
    ),
    "half Windows-1252, half UTF-8": refused(
        NORDIC.encode("cp1252") + NORDIC.partition("\n")[2].encode(),
        *("csv.encoding: o.csv, line 5", "is UTF-8 and some isn't", "exported in one encoding"),
    ),
    "UTF-16 without its mark": read(NORDIC.encode("utf-16-le"), "UTF-16", "3 of 3 rows are used"),
    "UTF-16 cut in half": refused(
        NORDIC.encode("utf-16")[:-1], "o.csv", "the text isn't UTF-16", "whole"
    ),
    "UTF-16 without its mark, cut in half": refused(
        NORDIC.encode("utf-16-be")[:-1], "o.csv", "the text isn't UTF-16", "whole"
    ),
    "a mark twice": read("\ufeff\ufeff" + TWO, "2 of 2 rows are used"),
    "a UTF-8 file said to be Windows-1252": refused(
        TWO,
        *("csv.encoding: o.csv isn't Windows-1252", "it is UTF-8", '"Ã…se" for "Åse"', "leave"),
        given={"csv": {"encoding": "windows-1252"}},
    ),
    "a UTF-16 file said to be UTF-8": refused(
        TWO.encode("utf-16"),
        *("csv.encoding: o.csv isn't UTF-8", "it is UTF-16", "leave csv.encoding out"),
        given={"csv": {"encoding": "utf-8"}},
    ),
    "a few letters garbled before the export": read(
        rows(*[f"Åse{i};2024-01-01;5" for i in range(99)], "Ã¥ge;2024-01-01;5").encode("cp1252"),
        "Text in Windows-1252",
        "100 of 100 rows are used",
    ),
    "an encoding that isn't": refused(
        TWO,
        *("csv.encoding", "klingon"),
        given={"csv": {"encoding": "klingon"}},
        code=2,
    ),
    "NUL in a line": refused(rows("an\0na;2024-01-01;5", "bo;2024-01-02;6"), "o.csv", "NUL"),
    "NULs at the end": refused(TWO + ROW * 99 + "\0" * 500, "o.csv", "NUL", "again"),
    "NULs in a large file": refused(
        TWO + "bo;30.12.2024;7,50\n" * 60_000 + "\0\0", "o.csv, line 60,004", "NUL"
    ),
}

LINES = {
    "nothing": refused(b"", "o.csv is empty", "again"),
    "nothing but a mark": refused(b"\xef\xbb\xbf", "o.csv is empty", "again"),
    "spaces": refused("   \n  \n", "o.csv is empty", "again"),
    "blank lines": refused("\n\n\n", "o.csv is empty", "again"),
    "separators": refused(";;\n;;\n;;\n", "o.csv is empty", "again"),
    "a header only": refused(
        HEADER,
        "o.csv",
        "a header and no row below it",
        "export",
    ),
    "a header without a line end": refused(
        HEADER.strip(),
        "o.csv",
        "a header and no row",
    ),
    "a header above separators": refused(
        HEADER + ";;\n;;\n", "no row can be used", "no customer id: 2"
    ),
    "a row too short": refused(
        rows("anna;2024-01-01;5", "bo;2024-01-01"),
        *("o.csv, line 3", "2 columns where the others have 3", "mend the line"),
    ),
    "a row too long": refused(
        rows("anna;2024-01-01;5", "bo;2024-01-01;5;6"),
        *("o.csv, line 3", "4 columns where the others have 3", "mend the line"),
    ),
    "all rows too long": refused(
        rows("anna;2024-01-01;5;6;7", "bo;2024-01-01;5;6;7"),
        *("o.csv, line 2", "5 columns where the header has 3"),
    ),
    "a row too long far down": refused(
        HEADER + ROW * 30_000 + "bo;2024-01-01;1;2\n",
        *("o.csv, line 30,002", "found 4 columns where the others have 3", "mend the line"),
    ),
    "a row too short far down": refused(
        HEADER + ROW * 30_000 + "bo;2024-01-01\n",
        *("o.csv, line 30,002", "found 2 columns where the others have 3", "mend the line"),
    ),
    "a separator at the end of each row": read(
        rows("anna;2024-01-01;5;", "bo;2024-01-02;6;"), "2 of 2 rows are used"
    ),
    "a footer": refused(
        rows("anna;2024-01-01;5", "bo;2024-01-02;6") + "(2 rows affected)\n",
        *("o.csv, line 4", "1 column where the others have 3", "mend the line"),
    ),
    "a row of totals": read(
        rows("anna;2024-01-01;5", "bo;2024-01-02;6", "Total;;11"),
        *("2 of 3 rows are used", "left out: 1 row", "No date"),
    ),
    "quotes never closed": refused(
        rows("anna;2024-01-01;5", '"bo;2024-01-01;5', "cai;2024-01-01;5"),
        *("o.csv, line 3", "a quote", "never closed", "mend the line"),
    ),
    "quotes never closed far down": refused(
        HEADER + ROW * 30_000 + '"bo;2024-01-01;5\n' + ROW,
        *("o.csv, line 30,002", "a quote", "never closed"),
    ),
    "each line in quotes": refused(
        '"kunde;dato;sum"\n"anna;2024-01-01;5"\n"bo;2024-01-01;6"\n',
        *("o.csv", "each line stands in quotes", "without them"),
    ),
    "a line of 3 MB": refused(
        rows("anna;2024-01-01;5", "b" * 3_000_000 + ";2024-01-01;5"),
        *("o.csv", "line 3", "3,000,0", "characters"),
    ),
    "lines that end in CR alone": read(
        TWO.replace("\n", "\r"), "2 of 2 rows are used", "decimal comma"
    ),
    "lines that end in three ways": read(
        "kunde;dato;sum\r\nanna;2024-01-01;5\nbo;2024-01-01;5\rcai;2024-01-01;5\r\n",
        "3 of 3 rows are used",
    ),
    "a first line for Excel": read("sep=;\n" + TWO, "2 of 2 rows are used", "header is row 2"),
    "notes above the header": read(
        "# exported 2025-01-01\n# by shop\n" + TWO, "2 of 2 rows are used", "header is row 3"
    ),
    "columns between a sign that is rare": read(
        TWO.replace(";", "~"), "columns between ~", "2 of 2 rows are used"
    ),
    "columns between spaces": refused(
        "kunde   dato        sum\nanna    2024-01-01  5\nbo      2024-01-02  6\n",
        *("o.csv", "a single column", "csv.delimiter"),
    ),
    "another sign between columns is named": refused(
        rows("anna;2024-01-01;5"),
        *("o.csv", "a single column", '";"', "csv.delimiter"),
        given={"csv": {"delimiter": "|"}},
    ),
    "decimal commas in a file with commas": refused(
        "kunde,dato,sum\nanna,2024-01-01,5,50\nbo,2024-01-02,7,25\n",
        *("o.csv, line 2", "4 columns where the header has 3", "decimal comma", "in quotes"),
    ),
}

HEADERS = {
    "no header": refused(
        "anna;2024-01-01;5\nbo;2024-01-02;6\n",
        *("o.csv", "has no header", '"2024-01-01"', "add a first line with"),
    ),
    "spaces for a header": refused(
        "  ; ;   \nanna;2024-01-01;5\nbo;2024-01-02;6\n",
        *("o.csv", "has no header", "add a first line with"),
    ),
    "a column without a name": refused(
        "kunde;;sum\nanna;2024-01-01;5\n",
        *(
            'columns.date: the source has no column "dato"',
            '"kunde", "sum"',
            "1 column without a name",
        ),
    ),
    "another column without a name": read(
        "kunde;;dato;sum\nanna;x;2024-01-01;5\n", "1 of 1 rows are used"
    ),
    "the names in two columns": refused(
        "kunde;dato;sum;sum\n1;2024-01-01;3;4\n",
        *("columns.amount", 'o.csv has 2 columns named "sum"', "give each a name of its own"),
    ),
    "names that differ by case only": refused(
        "Kunde;kunde;dato;sum\n1;2;2024-01-01;3\n",
        *("columns.customer", 'case only: "Kunde", "kunde"', "give each a name of its own"),
    ),
    "other names that differ by case only": read(
        "kunde;dato;Note;note;sum\nanna;2024-01-01;a;b;5\n", "1 of 1 rows are used"
    ),
    "a name that another twice would get": read(
        "kunde;dato;x;x;x_1;sum\nanna;2024-01-01;a;b;c;5\n", "1 of 1 rows are used"
    ),
    "another name twice": read(
        "kunde;dato;note;note;sum\nanna;2024-01-01;a;b;5\n", "1 of 1 rows are used"
    ),
    "a name in another case": refused(
        "Kunde;dato;sum\nanna;2024-01-01;5\n",
        *('columns.customer: the source has no column "kunde"', 'did you mean "Kunde"?'),
    ),
    "a column that is missing": refused(
        "kunde;datum;sum\n1;2;3\n",
        *("columns.date", 'no column "dato"', 'did you mean "datum"?', '"kunde", "datum", "sum"'),
    ),
    "every column missing": refused(
        "a;b;c\n1;2;3\n", "columns.customer", "columns.date", "columns.amount", lines=3
    ),
    "an optional column that is missing": refused(
        rows("anna;2024-01-01;5"),
        *("columns.channel", 'no column "kanal"', '"kunde", "dato", "sum"'),
        given={"columns": {**COLUMNS, "channel": "kanal"}},
    ),
    "a hundred columns": refused(
        ";".join(f"c{i}" for i in range(100)) + "\n" + ";".join("1" * 100) + "\n",
        *("columns.customer", '"c0", "c1"', "and 80 more"),
        lines=3,
    ),
    "a header of names of 5,000 letters": refused(
        "k" * 5000 + ";dato;sum\nanna;2024-01-01;5\n",
        *("columns.customer", "kkk…"),
        never=("k" * 1000,),
    ),
}

CASES: dict[str, Case] = {
    f"{group}: {name}": case
    for group, cases in (
        ("named .csv", OF_ANOTHER_KIND),
        ("encoding", ENCODINGS),
        ("lines", LINES),
        ("header", HEADERS),
    )
    for name, case in cases.items()
}
