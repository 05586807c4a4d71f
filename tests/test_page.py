"""What a chapter says, and in which forms it is handed to the notebook."""

from __future__ import annotations

import base64
import json
import struct

import great_tables as gt
import nbformat
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from bs4 import BeautifulSoup
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from nbformat import NotebookNode

from retention_lib.metrics import Metric, unknown
from retention_lib.report.figures.style import Drawn
from retention_lib.report.language import Formats
from retention_lib.report.page import METRICS_MIME, Headline, Page, Shown, metrics_of

PAGE = Page(Formats("en", "USD"))
EVIL = "<script>alert(1)</script>\"'{x}&amp;"


def visible(shown: Shown) -> str:
    soup = BeautifulSoup(shown.data["text/html"], "html.parser")
    for style in soup.find_all("style"):
        style.decompose()
    return soup.get_text()


def notebook(*outputs: Shown) -> NotebookNode:
    cells = []
    for shown in outputs:
        data, metadata = shown._repr_mimebundle_()
        cell = nbformat.v4.new_code_cell("…")
        cell.outputs = [nbformat.v4.new_output("display_data", data, metadata=metadata)]
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def line(n: int = 5) -> Axes:
    return Figure(layout="constrained").add_subplot().plot(range(n))[0].axes


def test_a_text_fills_in_figures_by_what_they_are() -> None:
    shown = PAGE.text(
        "{share} of {n} spent {mean}, {who} most",
        share=Metric(0.717, "share"),
        n=np.int64(2357),
        mean=np.float64(35.168),
        who="gold",
    )
    assert repr(shown) == "71.7% of 2,357 spent 35.17, gold most"
    assert visible(shown) == "71.7% of 2,357 spent 35.17, gold most"


@pytest.mark.parametrize(
    "shown",
    [
        PAGE.text(EVIL),
        PAGE.text("so: {v}", v=EVIL),
        PAGE.note(EVIL),
        PAGE.chapter(EVIL, EVIL),
        PAGE.section(EVIL, name=EVIL),
        PAGE.title(EVIL, EVIL, "1997-09-30", EVIL),
        PAGE.verdict("care", EVIL, [EVIL]),
        PAGE.headlines([Headline(EVIL, unknown("share", EVIL))]),
    ],
    ids=lambda shown: shown.metadata["retention"]["kind"],
)
def test_what_comes_from_data_is_text(shown: Shown) -> None:
    soup = BeautifulSoup(shown.data["text/html"], "html.parser")
    assert soup.find("script") is None
    assert EVIL in visible(shown)


def test_chapters_and_sections_tell_the_exporter_what_they_are() -> None:
    chapter = PAGE.chapter("Retention", "{share} stayed", share=Metric(0.7, "share"))
    assert chapter.metadata["retention"] == {
        "kind": "chapter",
        "name": "Retention",
        "text": "70.0% stayed",
        "level": 2,
    }
    assert "name" not in PAGE.section("It fell").metadata["retention"]


def test_a_verdict_says_in_words_what_its_colour_says() -> None:
    assert "Not fit to act on" in visible(PAGE.verdict("unfit", "The forecast is off."))
    with pytest.raises(ValueError, match="fit, care or unfit"):
        PAGE.verdict("good", "…")  # type: ignore[arg-type]


def test_a_card_has_value_change_interval_and_n() -> None:
    card = Headline("Kept", Metric(0.717, "share", 0.7, 0.73, n=2357, previous=0.694), "A hint.")
    text = visible(PAGE.headlines([card]))
    for part in ("Kept", "71.7%", "+2.3 percentage points", "70.0% to 73.0%", "2,357", "A hint."):
        assert part in text


def test_a_card_without_a_value_says_why() -> None:
    text = visible(PAGE.headlines([Headline("Repeat", unknown("share", "Too early to know."))]))
    assert "–" in text
    assert "Too early to know." in text


def test_one_reason_for_all_cards_is_told_once() -> None:
    early = [Headline(name, unknown("share", "Too early to know.")) for name in ("Kept", "Lost")]
    assert visible(PAGE.headlines(early)).count("Too early to know.") == 1
    known = [*early, Headline("Won", Metric(0.5, "share"))]
    assert visible(PAGE.headlines(known)).count("Too early to know.") == 2


def test_a_small_figure_is_svg_with_its_alt_text_and_size() -> None:
    shown = PAGE.figure(Drawn(line(), "It rises."))
    svg = shown.data["image/svg+xml"]
    assert svg.startswith("<svg")
    assert "<metadata" not in svg
    assert shown.metadata["image/svg+xml"] == {"alt": "It rises.", "width": 640, "height": 480}
    assert shown.data["text/plain"] == "It rises."


def test_a_figure_drawn_twice_is_the_same_to_the_byte() -> None:
    assert PAGE.figure(Drawn(line(), "")).data == PAGE.figure(Drawn(line(), "")).data


def test_a_heavy_figure_is_png_at_twice_its_size() -> None:
    points = np.random.default_rng(1).normal(size=(2, 9000))
    axes = Figure(layout="constrained").add_subplot()
    shown = PAGE.figure(Drawn(sns.scatterplot(x=points[0], y=points[1], ax=axes), "A cloud."))
    png = base64.b64decode(shown.data["image/png"])
    assert "image/svg+xml" not in shown.data
    assert struct.unpack(">II", png[16:24]) == (1280, 960)
    assert shown.metadata["image/png"] == {"alt": "A cloud.", "width": 640, "height": 480}


def test_a_figure_of_pyplot_is_closed() -> None:
    _, axes = plt.subplots()
    PAGE.figure(Drawn(axes, "Nothing."))
    assert plt.get_fignums() == []


def test_a_table_comes_as_html_with_plain_text_beside() -> None:
    shown = PAGE.table(gt.GT(pd.DataFrame({"who": [EVIL], "n": [3]})))
    assert "<script" not in shown.data["text/html"]
    assert "gt_table" not in shown.data["text/plain"]
    assert EVIL in shown.data["text/plain"]


def test_customers_are_named_by_their_pseudonym() -> None:
    assert PAGE.customer("42") == "42"
    assert Page(Formats(), lambda customer: f"C-{customer[::-1]}").customer("42") == "C-24"


def test_published_metrics_are_collected_as_they_were() -> None:
    metrics = {
        "retention.rate": Metric(1 / 3, "share", 0.3, 0.35, n=2357, previous=0.29),
        "retention.repeat_90d": unknown("share", "Too early."),
        "clv.total": Metric(np.float64(0.1) + np.float64(0.2), "currency"),
    }
    more = {"customers.active": Metric(np.int64(7), "count")}
    nb = notebook(PAGE.metrics(metrics), PAGE.text("between"), PAGE.metrics(more))
    saved = nbformat.reads(nbformat.writes(nb), as_version=4)
    assert metrics_of(saved) == metrics | more
    assert json.loads(json.dumps(PAGE.metrics(metrics).data[METRICS_MIME]))


def test_one_metric_with_two_figures_is_a_mistake() -> None:
    one, other = ({"retention.rate": Metric(x, "share")} for x in (0.7, 0.8))
    assert metrics_of(notebook(PAGE.metrics(one), PAGE.metrics(one))) == one
    with pytest.raises(ValueError, match=r"'retention.rate' was published twice, as 0.7 and as"):
        metrics_of(notebook(PAGE.metrics(one), PAGE.metrics(other)))
