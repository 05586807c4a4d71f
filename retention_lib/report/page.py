"""The words a chapter speaks in: title, chapter, section, text, note, verdict, figure, table.

Every method of `Page` gives back a `Shown`, to be the last expression of a cell or the argument of
`display`. JupyterLab shows its HTML; the exporter reads its metadata, under the key `retention`, to
build headings, contents and figures. All text is escaped here, once, on its way into HTML.

A sentence may hold `{name}`s, filled from keyword values: a `Metric` by its unit, an int as a
count, a float as a number, text as it is. What comes from data belongs into the values, so that
the sentence itself can be translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from retention_lib._nbformat import NotebookNode
from retention_lib.metrics import Metric, from_json
from retention_lib.report.figures.style import Drawn
from retention_lib.report.figures.trend_line import TrendLine
from retention_lib.report.headline import VERDICTS, Verdict
from retention_lib.report.language import Formats
from retention_lib.report.names import printed
from retention_lib.report.outputs import published
from retention_lib.report.pictures import picture
from retention_lib.report.traced import TRACED_MIME, Table, of_figure, of_sentences

METRICS_MIME: Final = "application/vnd.retention.metrics+json"

# What JupyterLab needs; the report has its own style sheet and leaves this one out.
_LAB_STYLE: Final = Markup(
    "<style>.headlines{display:flex;flex-wrap:wrap;gap:1em 2.5em;margin:.5em 0;padding:0}"
    ".headline .label{font-size:.9em;opacity:.75}.headline .figure{font-size:1.9em;line-height:1.2}"
    ".headline p,.verdict p{margin:0}.headline .detail,.note{font-size:.9em;opacity:.8}"
    ".verdict{border-left:4px solid;padding:.2em 0 .2em 1em}.kicker{margin:0;opacity:.75}</style>"
)
_IMAGE: Final = Markup('<img class="trend" src="{}" alt="{}">')


@dataclass(frozen=True)
class Headline:
    """One card of a row of headline figures.

    Parameters
    ----------
    label : str
        What the figure is, in a few words.
    metric : Metric
        Value, interval, n and the period before are read from it.
    hint : str, optional
        One short sentence on how to read it.
    trend : TrendLine, optional
        The same figure at earlier days, drawn small beside it.
    """

    label: str
    metric: Metric
    hint: str | None = None
    trend: TrendLine | None = None


@dataclass(frozen=True)
class Step:
    """One of the things to do first.

    Parameters
    ----------
    heading : str
        What to do, with its figure.
    detail : str, optional
        Who it is for, or what calls for it.
    anchor : str, optional
        The section that tells it in full.
    """

    heading: str
    detail: str | None = None
    anchor: str | None = None


@dataclass(frozen=True, repr=False)
class Shown:
    """Something to show in a notebook: its forms by MIME type, and what it is.

    Parameters
    ----------
    data : mapping of str to text or JSON
        `text/plain` always among them.
    metadata : mapping
        Goes into the output's metadata; `retention` says to the exporter what this is.
    """

    data: Mapping[str, Any]
    metadata: Mapping[str, Any]

    def __repr__(self) -> str:
        return str(self.data["text/plain"])

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return dict(self.data), dict(self.metadata)


@dataclass(frozen=True)
class Page:
    """The vocabulary of one chapter, in one language and currency.

    Parameters
    ----------
    formats : Formats
        How numbers and sentences are written.
    pseudonym : callable, optional
        Turns a customer's id into what may be printed; without it ids are printed as they are.
    """

    formats: Formats
    pseudonym: Callable[[str], str] | None = None

    def customer(self, customer: str) -> str:
        """How a customer is named in the report."""
        return printed(customer) if self.pseudonym is None else self.pseudonym(customer)

    def title(
        self, client_title: str, period_text: str, as_of: Any, author: str | None = None
    ) -> Shown:
        """The report's title page: client, period, last day of the data, author."""
        day = self.formats.date(as_of)
        fields = {"title": client_title, "period": period_text, "as_of": day, "author": author}
        html = Markup("<h1>{}</h1><p>{} · {}</p>").format(client_title, period_text, day)
        return _shown("title", html, f"{client_title}\n{period_text} · {day}", **fields)

    def chapter(
        self, name: str, finding: str, *, anchor: str | None = None, **values: object
    ) -> Shown:
        """Open a chapter: its name above, what was found as the heading.

        `anchor` is what links lead to, the same in every language; see `section`.
        """
        name, text = self._plain(name), self._plain(finding, **values)
        html = Markup('<p class="kicker">{}</p><h1>{}</h1>').format(name, text)
        fields = {"name": name, "text": text, "level": 2, "anchor": anchor}
        shown = _shown("chapter", html, f"{name}: {text}", **fields)
        return _traced(shown, of_sentences(finding))

    def section(
        self,
        finding: str,
        name: str | None = None,
        *,
        anchor: str | None = None,
        **values: object,
    ) -> Shown:
        """Open a section with what was found.

        Parameters
        ----------
        finding : str
        name : str, optional
            Its short form in the contents.
        anchor : str, optional
            What other chapters' links lead to: lower-case letters, digits and hyphens.
        **values
            What the finding names.
        """
        text = self._plain(finding, **values)
        short = None if name is None else self._plain(name)
        html = Markup("<h2>{}</h2>").format(text)
        shown = _shown("section", html, text, name=short, text=text, level=3, anchor=anchor)
        return _traced(shown, of_sentences(finding))

    def text(self, sentence: str | None, **values: object) -> Shown | None:
        """A paragraph; None, where there is nothing to say, shows nothing."""
        if sentence is None:
            return None
        html = Markup("<p>{}</p>").format(self._marked(sentence, **values))
        shown = _shown("text", html, self._plain(sentence, **values))
        return _traced(shown, of_sentences(sentence))

    def note(self, sentence: str | None, **values: object) -> Shown | None:
        """How to read what stands above, or a caution; None shows nothing."""
        if sentence is None:
            return None
        html = Markup('<p class="note">{}</p>').format(self._marked(sentence, **values))
        shown = _shown("note", html, self._plain(sentence, **values))
        return _traced(shown, of_sentences(sentence))

    def notes(self, sentences: Sequence[str]) -> Shown:
        """Several cautions, a paragraph each; nothing where there is none."""
        html = Markup("").join(
            Markup('<p class="note">{}</p>').format(self._marked(sentence))
            for sentence in sentences
        )
        plain = "\n".join(self._plain(sentence) for sentence in sentences)
        return _traced(_shown("note", html, plain), of_sentences(*sentences))

    def list(self, sentences: Sequence[str], lang: str | None = None) -> Shown:
        """Several things of one kind, in the order of their weight.

        `lang` is the language of what keeps its own in every report, such as titles of papers.
        """
        items = _list([self._marked(sentence) for sentence in sentences], lang)
        plain = "\n".join(f"- {self._plain(sentence)}" for sentence in sentences)
        return _traced(_shown("text", items, plain), of_sentences(*sentences))

    def facts(
        self, facts: Sequence[tuple[str, str | None]], anchors: Sequence[str | None] = ()
    ) -> Shown:
        """What is known of one thing, each with the word that names it; None is left out.

        `anchors` are the sections that tell each in full, where there are some.
        """
        places = {word: place for (word, _), place in zip(facts, anchors, strict=False) if place}
        known = [(self._plain(word), told) for word, told in facts if told is not None]
        linked = [
            _linked(self._plain(word), places.get(word)) for word, told in facts if told is not None
        ]
        items = Markup("").join(
            Markup("<dt>{}</dt><dd>{}</dd>").format(link, self._marked(told))
            for link, (_, told) in zip(linked, known, strict=True)
        )
        plain = "\n".join(f"{word}: {self._plain(told)}" for word, told in known)
        shown = _shown("text", Markup('<dl class="facts">{}</dl>').format(items), plain)
        return _traced(shown, of_sentences(*(told for _, told in known)))

    def terms(self, group: str, terms: Sequence[tuple[str, str]]) -> Shown:
        """What the report's own words mean, of one group of them."""
        name = self._plain(group)
        told = [(self._plain(term), self._plain(meaning)) for term, meaning in terms]
        items = Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*pair) for pair in told
        )
        html = Markup('<p class="group">{}</p><dl class="terms">{}</dl>').format(name, items)
        plain = "\n".join([name, *(f"{term}: {meaning}" for term, meaning in told)])
        return _shown("text", html, plain)

    def steps(self, steps: Sequence[Step]) -> Shown:
        """What to do first, in this order, each with a link to where it is told in full."""
        items = Markup("").join(self._step(step) for step in steps)
        plain = "\n".join(
            f"{n}. {self._plain(step.heading)}" for n, step in enumerate(steps, start=1)
        )
        shown = _shown("text", Markup('<ol class="steps">{}</ol>').format(items), plain)
        told = (sentence for step in steps for sentence in (step.heading, step.detail))
        return _traced(shown, of_sentences(*told))

    def verdict(
        self,
        kind: Verdict,
        text: str,
        reasons: Sequence[str] = (),
        *,
        anchor: str | None = None,
        word: str | None = None,
        **values: object,
    ) -> Shown:
        """Whether to act on the figures: in a word, a sentence, and the reasons for it.

        `anchor` is the section that tells it in full; `word` is said in place of the usual one.

        Raises
        ------
        ValueError
            A kind other than `fit`, `care` and `unfit`.
        """
        if kind not in VERDICTS:
            raise ValueError(f"verdict: found {kind!r}; a verdict is fit, care or unfit")
        sign, usual = VERDICTS[kind]
        word = self.formats.say(usual if word is None else word)
        because = [self._marked(reason, **values) for reason in reasons]
        html = Markup(
            '<div class="verdict {}"><p class="word"><span class="sign" aria-hidden="true">{}'
            "</span> {}</p><p>{}</p>{}{}</div>"
        ).format(kind, sign, word, self._marked(text, **values), _list(because), self._more(anchor))
        plain = [f"{word}. {self._plain(text, **values)}"]
        plain += [f"- {self._plain(reason, **values)}" for reason in reasons]
        shown = _shown("verdict", html, "\n".join(plain), verdict=kind)
        return _traced(shown, of_sentences(text, *reasons))

    def headlines(self, headlines: Sequence[Headline]) -> Shown:
        """A row of cards: value, interval, change on the period before, n.

        What is unknown in all of them for one reason has it below, once.
        """
        why = {h.metric.note for h in headlines if h.metric.value is None}
        none_known = len(headlines) > 1 and all(h.metric.value is None for h in headlines)
        shared = why.pop() if none_known and len(why) == 1 else None
        cards = Markup("").join(self._card(headline, shared) for headline in headlines)
        html = Markup('<ul class="headlines">{}</ul>').format(cards)
        plain = "\n".join(f"{h.label}: {self.formats.metric(h.metric)}" for h in headlines)
        if shared:
            html += Markup('<p class="note">{}</p>').format(self._marked(shared))
            plain += f"\n{self._plain(shared)}"
        shown = _shown("headlines", html, plain)
        drawn = [of_figure("trend_line", h.trend.frame, h.trend.alt) for h in headlines if h.trend]
        figures = [figure for one in drawn for figure in one.get("figures", [])]
        return _traced(shown, {"figures": figures} if figures else {})

    def figure(self, drawn: Drawn | None) -> Shown | None:
        """A figure with its alt text, as SVG or, where that is heavy, as PNG at twice the size.

        The figure is closed, so that a notebook doesn't show it a second time. None, where there is
        nothing to draw, shows nothing.
        """
        if drawn is None:
            return None
        mime, content, width, height = picture(drawn)
        size = {"alt": drawn.alt, "width": width, "height": height}
        plain = {"text/plain": drawn.alt}
        data = {mime: content} | plain
        shown = Shown(data, {"retention": {"kind": "figure"} | size, mime: size})
        if drawn.frame is None:
            return shown
        return _traced(shown, of_figure(drawn.name, drawn.frame, drawn.alt))

    def table(self, table: Any | None) -> Shown | None:
        """A great-tables table, which the report lays out in its own style; None shows nothing."""
        if table is None:
            return None
        html = Markup(table.as_raw_html(inline_css=False))
        plain = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
        shown = _shown("table", html, Markup(plain).striptags())
        return _traced(shown, table.traced()) if isinstance(table, Table) else shown

    def metrics(self, metrics: Mapping[str, Metric]) -> Shown:
        """Publish a chapter's figures; `metrics_of` collects them, the report doesn't show them."""
        data = {name: metric.as_json() for name, metric in metrics.items()}
        plain = "\n".join(f"{k}: {self.formats.metric(m)}" for k, m in metrics.items())
        return Shown({METRICS_MIME: data, "text/plain": plain}, {"retention": {"kind": "metrics"}})

    def _card(self, headline: Headline, told_below: str | None = None) -> Markup:
        metric, formats = headline.metric, self.formats
        lines: list[str | Markup] = []
        change = formats.change(metric)
        if change is not None:
            lines.append(formats.say("{change} on the period before", change=change))
        if metric.low is not None and metric.high is not None:
            interval = formats.interval(metric.low, metric.high, metric.unit)
            lines.append(formats.say("95% interval {interval}", interval=interval))
        if metric.n is not None and metric.value is not None:
            lines.append(formats.say("n = {n}", n=formats.count(metric.n)))
        if headline.hint:
            lines.append(self._plain(headline.hint))
        elif metric.value is None and metric.note and metric.note != told_below:
            lines.append(self._plain(metric.note))
        details = Markup("").join(Markup('<p class="detail">{}</p>').format(x) for x in lines)
        drawn = headline.trend
        trend = Markup("") if drawn is None else _IMAGE.format(drawn.address, drawn.alt)
        return Markup(
            '<li class="headline"><p class="label">{}</p><div class="reading">'
            '<p class="figure">{}</p>{}</div><div class="details">{}</div></li>'
        ).format(self._plain(headline.label), formats.metric(metric), trend, details)

    def _step(self, step: Step) -> Markup:
        heading = _linked(self._marked(step.heading), step.anchor)
        item = Markup('<p class="what">{}</p>').format(heading)
        if step.detail:
            item += Markup('<p class="detail">{}</p>').format(self._marked(step.detail))
        return Markup("<li>{}</li>").format(item)

    def _more(self, anchor: str | None) -> Markup:
        if anchor is None:
            return Markup("")
        link = Markup('<p class="more"><a href="#{}">{}</a></p>')
        return link.format(anchor, self.formats.say("What this rests on"))

    def _plain(self, sentence: str, /, **values: object) -> str:
        return self.formats.tell(sentence, **values)

    def _marked(self, sentence: str, /, **values: object) -> Markup:
        """The sentence escaped, its values set apart so that a figure never breaks over a line."""
        parts = self.formats.told_in_pieces(sentence, **values)
        return Markup("").join(
            _value(part) if n % 2 else escape(part) for n, part in enumerate(parts)
        )


def metrics_of(notebook: NotebookNode) -> dict[str, Metric]:
    """The metrics that an executed notebook published, by their ids.

    Raises
    ------
    ValueError
        One id was published twice with different figures.
    """
    found: dict[str, Metric] = {}
    for metrics in published([notebook], METRICS_MIME):
        for name, fields in metrics.items():
            metric = from_json(fields)
            if found.setdefault(name, metric) != metric:
                raise ValueError(
                    f"the metric {name!r} was published twice, as {found[name].value} and as "
                    f"{metric.value}: publish it in one cell only"
                )
    return found


def _shown(kind: str, html: Markup, plain: str, **fields: Any) -> Shown:
    known = {name: value for name, value in fields.items() if value is not None}
    # JupyterLab would typeset what stands between two dollar signs as a formula
    lab = Markup('<div class="mathjax_ignore tex2jax_ignore">{}{}</div>').format(_LAB_STYLE, html)
    data = {"text/html": str(lab), "text/plain": plain}
    return Shown(data, {"retention": {"kind": kind} | known})


def _traced(shown: Shown, behind: Mapping[str, Any]) -> Shown:
    """With what stands behind it, which `traced.traced_of` collects."""
    return Shown({**shown.data, TRACED_MIME: behind}, shown.metadata) if behind else shown


def _linked(text: str, anchor: str | None) -> Markup:
    """A word that leads to its section, where it has one."""
    return Markup('<a href="#{}">{}</a>').format(anchor, text) if anchor else escape(text)


def _value(text: str) -> Markup:
    """A value inside a sentence; only what is short is kept on one line."""
    short = " short" if len(text) <= 24 else ""
    return Markup('<span class="value{}">{}</span>').format(short, text)


def _list(items: Sequence[Markup], lang: str | None = None) -> Markup:
    if not items:
        return Markup("")
    own = Markup(' lang="{}"').format(lang) if lang else Markup("")
    return Markup("<ul{}>{}</ul>").format(
        own, Markup("").join(Markup("<li>{}</li>").format(item) for item in items)
    )
