"""Files are put in place at once, or not at all."""

import errno
import os
import stat
import sys

import pytest

from jaxintro._engine.catalog import UsageError
from jaxintro._engine.files import put


def full_disk(path):
    path.write_text("half of it")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_written(tmp_path):
    target = tmp_path / "new" / "file.txt"
    put(target, lambda path: path.write_text("whole"))
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_the_name_is_that_of_the_file(tmp_path):
    seen = []
    put(tmp_path / "a.png", lambda path: (seen.append(path.name), path.touch()))
    assert seen == ["a.png"]


@pytest.mark.parametrize("before", ["my work", None])
def test_a_full_disk_loses_nothing_and_leaves_nothing(tmp_path, before):
    target = tmp_path / "file.txt"
    if before:
        target.write_text(before)
    with pytest.raises(UsageError, match=r"file\.txt' cannot be written: No space"):
        put(target, full_disk)
    assert [path.read_text() for path in tmp_path.iterdir()] == [before] * bool(before)


def test_ctrl_c_while_writing_leaves_what_was_there(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("my work")

    def interrupted(path):
        path.write_text("half of it")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(target, interrupted)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["my work"]


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such modes there")
def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual(tmp_path):
    ordinary, old, new = (tmp_path / name for name in ("ordinary", "old", "new"))
    ordinary.touch()
    old.touch(0o640)
    for target in (old, new):
        put(target, lambda path: path.write_text("whole"))
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.stat().st_mode == ordinary.stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    put(link, lambda path: path.write_text("new"))
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        put(tmp_path / "file" / "inside.txt", lambda path: path.touch())


def test_no_half_file_is_ever_in_place(tmp_path, monkeypatch):
    target = tmp_path / "file.txt"
    target.write_text("my work")

    def refuse(source, place):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UsageError, match="Permission denied"):
        put(target, lambda path: path.write_text("new"))
    assert target.read_text() == "my work"
