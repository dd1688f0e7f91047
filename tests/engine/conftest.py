"""The fake lessons stand beside the tests of the engine."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jaxintro._engine import extras


@pytest.fixture
def extras_of(tmp_path_factory, monkeypatch):
    """Let the installed course have these extras; the folder that says so."""

    def write(**packages):
        folder = tmp_path_factory.mktemp("site")
        lines = ["Metadata-Version: 2.4", "Name: jaxintro", "Version: 0"]
        for extra, wanted in packages.items():
            lines.append(f"Provides-Extra: {extra}")
            for each in wanted:
                name, _, marker = each.partition("; ")
                needed = f"({marker}) and " * bool(marker) + f"extra == '{extra}'"
                lines.append(f"Requires-Dist: {name}; {needed}")
        (folder / "jaxintro-0.dist-info").mkdir()
        path = folder / "jaxintro-0.dist-info" / "METADATA"
        path.write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.syspath_prepend(folder)
        extras.lacks.cache_clear()
        return folder

    yield write
    extras.lacks.cache_clear()
