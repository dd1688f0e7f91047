"""An exception in words: what it is and what it says."""

import re

from jaxintro.lens.follow.said import LONGEST, WIDE, Words, capped


def error_words(error: BaseException) -> Words:
    """An exception: its type and what it says, without the pointers to elsewhere."""
    name = type(error).__name__
    try:
        said = _without_pointers(str(error)[: 10 * LONGEST])[:LONGEST]
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # even one that would end the program
        return Words(f"{name}, whose text raises {type(raised).__name__}")
    paragraphs = [line.strip() for line in said.splitlines()]
    text = f"{name}: {' '.join(filter(None, paragraphs))}" if said.strip() else name
    if len(text) <= WIDE:
        return Words(text)
    lines = [f"{name}:"]
    for line in said.splitlines():
        starts_anew = re.match(r"\s|[-*•]|$", line) or lines[-1].endswith(("  ", "."))
        if starts_anew and lines != [f"{name}:"]:
            lines.append(line)
        else:  # only the width of somebody's page broke it here
            lines[-1] += " " + line.strip()
    return Words(block=capped(filter(str.strip, lines), 14))


def _without_pointers(said: str) -> str:
    """An error's text without links, file paths and JAX's words about tracebacks."""
    said = re.sub(r"\n-{5,}.*", "", said, flags=re.DOTALL)
    said = re.sub(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*", "", said)
    said = re.sub(r"\n?See \S*https?://\S+[^\n]*", "", said)
    said = re.sub(r" (?:at|from line) [^\s:]+:\d+(?::\d+)?(?: \([^)\n]*\))?", "", said)
    said = re.sub(r"\s*This \w+ with object id .*", "", said, flags=re.DOTALL)
    said = re.sub(r" \(https?://[^)\s]+\)|[,:]?\s*(?:see )?https?://\S+", "", said)
    said = re.sub(r"[.;,]?\s*For more information\W*$", ".", said)
    return said.strip("\n")
