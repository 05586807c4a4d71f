"""The command `retention`: reports, checks, what they rest on (CONTRACT, section 5).

Every failure is sentences on standard error and an exit code; a traceback only with `--debug`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from retention_lib.errors import RetentionError

if TYPE_CHECKING:
    from retention_lib.params import ClientFile

app = typer.Typer(
    name="retention",
    help="Customer retention and lifetime value: one client file in, one report out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="Client files, such as params/acme.yaml.")
]
Out = Annotated[
    str,
    typer.Option(
        "--out", metavar="DIR", help="Folder of the reports, or an address: s3://bucket/reports."
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def report(
    files: Files,
    to: Out = "reports",
    only: Annotated[
        str | None, typer.Option(metavar="CHAPTER", help="One chapter, such as 03_cltv.")
    ] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print it too, with Chromium, Chrome or Edge.")
    ] = False,
    author: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", envvar="RETENTION_AUTHOR", help="Who prepared it, for the title page."
        ),
    ] = None,
    timeout: Annotated[
        int | None,
        typer.Option(
            metavar="S", min=1, help="Seconds that a step may take: the data, a chapter …"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Clients at once; by default as many as there are cores, and memory for.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Make also the reports of which nothing has changed.")
    ] = False,
    executor: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on a cluster, such as dask://host:8786."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Make the reports of these clients; those of which nothing has changed stay as they are."""
    clients, refused = _read(files)
    if refused and not clients:
        raise typer.Exit(max(_tell(error, debug) for _, error in refused))
    # imported here: a bad client file is told without waiting for the libraries of a run
    from retention_lib.run.command import Asked, one, several

    asked = Asked(
        to, only=only, pdf=pdf, author=author, timeout=timeout, jobs=jobs, force=force, debug=debug
    )
    alone = len(files) == 1 and executor is None
    try:
        code = (
            one(clients[0], asked, out, err)
            if alone
            else several(clients, refused, asked, out, err, executor)
        )
    except RetentionError as error:
        raise typer.Exit(_tell(error, debug)) from None
    raise typer.Exit(code)


@app.command()
def check(files: Files, debug: Debug = False) -> None:
    """Check client files and their data, without a report."""
    clients = _read_all(files, debug)
    from retention_lib.run.check import describe

    codes = []
    for client in clients:
        try:
            for line in describe(client):
                out.print(line, markup=False)
        except RetentionError as error:
            codes.append(_tell(error, debug))
    raise typer.Exit(_exit_code(codes, len(clients)))


@app.command()
def init(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="A short name, such as acme.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="The client's order export.")],
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Currency of the amounts, such as NOK.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="What the file doesn't tell, such as columns.customer=Kundenr.",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Propose params/CLIENT.yaml from a data file; never over another."""
    from retention_lib.run.asked import said
    from retention_lib.run.init import init as propose

    try:
        given = said([*(settings or []), *([f"currency={currency}"] if currency else [])])
        made = propose(client, data, Path.cwd(), given)
    except RetentionError as error:
        raise typer.Exit(_tell(error, debug)) from None
    for line in made.lines:
        out.print(line, markup=False)
    out.print(f"Wrote {made.path}. Next: retention check {made.path}", markup=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the client file."""
    from retention_lib.derived import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")


@app.command()
def sql(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A client file.")],
    debug: Debug = False,
) -> None:
    """Print the SQL that the engine of a client's source will run."""
    (client,) = _read_all([file], debug)
    from retention_lib.run.sql import statements

    try:
        for line in statements(client):
            out.print(line, markup=False)
    except RetentionError as error:
        raise typer.Exit(_tell(error, debug)) from None


@app.command()
def diff(
    client: Annotated[
        str, typer.Argument(metavar="CLIENT", help="The folder under the reports, such as acme.")
    ],
    a: Annotated[
        str | None,
        typer.Argument(metavar="A", help="A report's day, YYYY-MM-DD, latest or previous."),
    ] = None,
    b: Annotated[str | None, typer.Argument(metavar="B", help="Another one's.")] = None,
    to: Out = "reports",
    moved: Annotated[
        bool, typer.Option("--moved", help="Only what moved, the surest first.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
    debug: Debug = False,
) -> None:
    """Compare two reports of a client, by default the last two."""
    from retention_lib.run import diff_words
    from retention_lib.run.diff import diff as compare
    from retention_lib.run.remote import opened

    try:
        with opened(to) as reports:
            reports.name_all()
            reports.fetch(client)
            found = compare(reports.folder, client, a, b)
    except RetentionError as error:
        raise typer.Exit(_tell(error, debug)) from None
    if as_json:
        sys.stdout.write(diff_words.as_json(found) + "\n")
    else:
        diff_words.print_diff(found, out, only_moved=moved)


@app.command()
def power(
    share: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="Share that buys again with nothing done: 12.8% or 0.128."
        ),
    ] = None,
    sd: Annotated[
        float | None,
        typer.Option(
            "--sd", metavar="AMOUNT", help="Instead: standard deviation of revenue a customer."
        ),
    ] = None,
    rise: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="Rise to be seen: points of the share (3 is three), or an amount."
        ),
    ] = None,
    customers: Annotated[
        int | None, typer.Option(metavar="N", help="Customers at hand, in all groups together.")
    ] = None,
    groups: Annotated[
        int, typer.Option(metavar="N", help="Groups by lot, the control group counted.")
    ] = 2,
    control: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Of the customers in the control group; else alike."),
    ] = None,
    correlation: Annotated[
        float,
        typer.Option(metavar="R", help="Of a customer's amounts in and before the test (CUPED)."),
    ] = 0.0,
    looks: Annotated[
        int, typer.Option(metavar="N", help="Looks at the test, the last at its end.")
    ] = 1,
    level: Annotated[
        str, typer.Option(metavar="SHARE", help="Of false alarms, two-sided, over all of it.")
    ] = "5%",
    seen: Annotated[
        str, typer.Option("--power", metavar="SHARE", help="Of tests in which the rise is seen.")
    ] = "80%",
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
    debug: Debug = False,
) -> None:
    """Plan a test of a measure before it starts: how many customers, or how small a rise."""
    from retention_lib.run import power as planning

    asked = planning.Asked(
        share, sd, correlation, rise, customers, groups, control, level, seen, looks
    )
    try:
        made = planning.plan(asked)
    except RetentionError as error:
        raise typer.Exit(_tell(error, debug)) from None
    if as_json:
        sys.stdout.write(planning.as_json(made) + "\n")
    else:
        planning.print_plan(made, out)


def _read_all(files: list[Path], debug: bool) -> list[ClientFile]:
    """Every client file, or the end of the command with every error of every file."""
    read, refused = _read(files)
    if refused:
        raise typer.Exit(max(_tell(error, debug) for _, error in refused))
    return read


def _read(files: list[Path]) -> tuple[list[ClientFile], list[tuple[Path, RetentionError]]]:
    """The client files that can be read, and the errors of the others."""
    from retention_lib.params import read_client_file

    read: list[ClientFile] = []
    refused: list[tuple[Path, RetentionError]] = []
    for file in files:
        try:
            read.append(read_client_file(file))
        except RetentionError as error:
            refused.append((file, error))
    names = [client.params.client for client in read]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        err.print(
            f"client: {', '.join(sorted(twice))} is named by more than one of the files; "
            "their reports would go into the same folder",
            markup=False,
        )
        raise typer.Exit(2)
    return read, refused


def _tell(error: RetentionError, debug: bool) -> int:
    for sentence in error.sentences:
        err.print(sentence, markup=False)
    if debug:
        err.print_exception()
    return error.exit_code


def _exit_code(failures: list[int], clients: int) -> int:
    """0 where nothing failed; a lone client's own code; 1 where others finished."""
    if not failures:
        return 0
    return failures[0] if clients == 1 else 1


def main() -> None:
    """Entry point of the command."""
    # many small matrices: threads for each cost more than they give, and chapters run side by side
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app()


if __name__ == "__main__":
    main()
