"""What `audit` reports: findings, notes, and their page."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jaxintro.lens.audit.kinds import TRACER, WORDS, Diagnostic
from jaxintro.lens.page import plural, wrapped


@dataclass(frozen=True)
class Finding:
    """One thing that makes a function impure, or that jit will not take.

    Attributes:
        kind: one of "outside state", "output", "mutation", "iterator", "randomness",
            "key reuse", "leaked tracer", "in-place assignment", "value-dependent
            branch", "value-dependent shape", "NumPy on a tracer", "non-deterministic
            trace".
        line: the line in `file`.
        what: what the function does there.
        consequence: what will go wrong.
        cure: what to do instead.
        file: the file in which the line stands.
    """

    kind: str
    line: int
    what: str
    consequence: str
    cure: str
    file: str = ""

    def __str__(self) -> str:
        return self.text(f"line {self.line}")

    def text(self, place: str) -> str:
        """The finding in words, at most 70 columns wide."""
        head = wrapped(f"{place}: {self.what}", "    ", "    ")
        rest = [*indented(self.consequence), *indented(f"Cure: {self.cure}")]
        return "\n".join([f"  {self.kind}", *head, *rest])


@dataclass(frozen=True)
class Audit:
    """The report of an audit: clean, or with findings, or not traced.

    In a test write `assert audit(f, x).clean`. The report itself is true if there is
    something to look at: `if report := audit(f, x): print(report)`.

    Attributes:
        name: the function's name.
        findings: what was found, by line.
        untold: where the audit could not tell, one sentence each.
        traced: whether the function was traced to its end, with a result that jit
            takes. If not, "nothing found" says little: `untold` has the reason.
        allowed: what was found on lines with a comment such as `# audit: allow output`.
    """

    name: str
    findings: tuple[Finding, ...]
    untold: tuple[str, ...] = ()
    traced: bool = True
    allowed: tuple[Finding, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the function was traced and nothing was found."""
        return self.traced and not self.findings

    def __bool__(self) -> bool:
        return not self.clean

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def head(self) -> str:
        """The heading: which of the three it is."""
        count = len(self.findings)
        said = []
        if count:
            said.append(plural(count, "finding"))
        elif self.traced:
            said.append("nothing found")
        if not self.traced:
            said.append("not traced to its end")
        if self.allowed:
            said.append(f"{len(self.allowed)} allowed by a comment")
        return f"audit of {self.name}: {', '.join(said)}"

    def __str__(self) -> str:
        notes = [line for each in self.untold for line in note(each)]
        texts = [*map(self._text, self.findings)]
        for i, text in enumerate(texts):
            if "tracer" in text:
                texts[i] = "\n".join([text, *indented(TRACER)])
                break
        else:
            if any("tracer" in each for each in self.untold):
                notes += note(TRACER)
        head = "\n".join(wrapped(self.head, "", "  "))
        return "\n\n".join([head, *texts, *(["\n".join(notes)] if notes else [])])

    __repr__ = __str__

    def _text(self, found: Finding) -> str:
        """A finding, with the name of its file if they stand in several."""
        one_file = len({each.file for each in self.findings}) == 1
        place = "" if one_file else f"{Path(found.file).name}, "
        return found.text(f"{place}line {found.line}")

    def _repr_html_(self) -> str:
        cells = [
            f"<tr><td>{each.line}</td><td>{html.escape(each.kind)}</td>"
            f"<td>{html.escape(each.what)}.<br>{html.escape(each.consequence)}<br>"
            f"<b>Cure:</b> {html.escape(each.cure)}</td></tr>"
            for each in self.findings
        ]
        table = f"<table>{''.join(cells)}</table>" if cells else ""
        told = TRACER if "tracer" in f"{cells} {self.untold}" else ""
        notes = [html.escape(each) for each in (*self.untold, told) if each]
        listed = "".join(f"<li>{each}</li>" for each in notes)
        return f"<p>{html.escape(self.head)}</p>{table}" + (
            f"<ul>{listed}</ul>" if listed else ""
        )


def indented(text: str) -> list[str]:
    """A paragraph below the heading of a finding."""
    return wrapped(text, "    ", "      ")


def note(text: str) -> list[str]:
    """A paragraph below all findings."""
    return wrapped(text, "  Note: ", "    ")


def finding(diagnostic: Diagnostic) -> Finding:
    """A diagnostic in words."""
    consequence, cure = WORDS[diagnostic.variant or diagnostic.kind]
    name = diagnostic.name or "it"
    bare = name.strip("`")
    return Finding(
        diagnostic.kind,
        diagnostic.line,
        diagnostic.what,
        consequence.replace("{name}", name).replace("{error}", diagnostic.error),
        diagnostic.cure or cure.replace("{name}", name).replace("{bare}", bare),
        diagnostic.filename,
    )
