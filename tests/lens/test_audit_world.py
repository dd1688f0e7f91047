"""An audit changes nothing: what cannot be put back is noted, and not done."""

import array
import builtins
import csv
import importlib
import io
import locale
import logging
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from wild_cases import run_nothing

from jaxintro.lens import audit

X = np.arange(3.0, dtype=np.float32)


def kinds(report):
    return [each.kind for each in report]


# what is noted and not done


def test_a_row_is_not_written(tmp_path):
    with open(tmp_path / "log.csv", "w") as file:
        writer, named = csv.writer(file), csv.DictWriter(file, ["n"])

        def writes(x):
            writer.writerow([1])
            named.writerow({"n": 1})
            return x

        report = audit(writes, X)
    assert kinds(report) == ["output", "output"]
    assert report.traced
    assert (tmp_path / "log.csv").read_text() == ""


def test_a_database_is_not_written(tmp_path):
    base = sqlite3.connect(tmp_path / "a.db")
    base.execute("create table t (n integer)")
    insert = base.execute

    def writes(x):
        base.execute("insert into t values (1)")
        return x

    def writes_by_another_name(x):
        insert("insert into t values (1)")
        return x

    def opens(x):
        sqlite3.connect(tmp_path / "b.db")
        return x

    for function in (writes, writes_by_another_name, opens):
        report = audit(function, X)
        assert kinds(report) == ["output"]
        assert not report.clean
    base.commit()
    assert base.execute("select count(*) from t").fetchone() == (0,)
    assert not (tmp_path / "b.db").exists()
    base.close()


PATHS = {
    "os.remove": lambda path: os.remove(path / "there"),
    "os.rename": lambda path: os.rename(path / "there", path / "new"),
    "os.replace": lambda path: os.replace(path / "there", path / "new"),
    "os.mkdir": lambda path: os.mkdir(path / "new"),
    "os.makedirs": lambda path: os.makedirs(path / "new" / "newer"),
    "os.open": lambda path: os.open(path / "new", os.O_CREAT | os.O_WRONLY),
    "os.chdir": lambda path: os.chdir(path),
    "Path.unlink": lambda path: (path / "there").unlink(),
    "Path.touch": lambda path: (path / "new").touch(),
    "Path.mkdir": lambda path: (path / "new").mkdir(),
    "Path.write_text": lambda path: (path / "new").write_text("x"),
    "shutil.rmtree": lambda path: shutil.rmtree(path / "folder"),
    "shutil.copy": lambda path: shutil.copy(path / "there", path / "new"),
    "tempfile.mkdtemp": lambda path: tempfile.mkdtemp(dir=path),
    "tempfile.mkstemp": lambda path: tempfile.mkstemp(dir=path),
    "np.save": lambda path: np.save(path / "new.npy", np.zeros(3)),
    "np.savetxt": lambda path: np.savetxt(path / "new.txt", np.zeros(3)),
    "np.ndarray.tofile": lambda path: np.zeros(3).tofile(path / "new"),
    "subprocess.run": lambda path: subprocess.run(["touch", path / "new"], check=False),
    "os.system": lambda path: os.system(f"touch {path / 'new'}"),
    "os.popen": lambda path: os.popen(f"touch {path / 'new'}"),
}


@pytest.mark.parametrize("act", PATHS.values(), ids=PATHS.keys())
def test_no_file_changes(act, tmp_path):
    (tmp_path / "there").write_text("x")
    (tmp_path / "folder").mkdir()
    here = os.getcwd()

    def acts(x):
        y = x * 2
        act(tmp_path)
        return y

    report = audit(acts, X)
    assert "output" in kinds(report)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "there"]
    assert os.getcwd() == here


def test_what_is_not_reached_is_no_finding(tmp_path):
    def acts(x, folder=None):
        if folder:
            os.makedirs(folder)
        return x

    assert audit(acts, X).clean
    assert kinds(audit(acts, X, folder=str(tmp_path / "new"))) == ["output"]


def test_a_name_of_its_own_is_guarded_too(tmp_path):
    (tmp_path / "there").write_text("x")
    from os import remove

    def removes(x):
        remove(tmp_path / "there")
        return x

    assert kinds(audit(removes, X)) == ["output"]
    assert (tmp_path / "there").exists()


def test_no_process_and_no_connection_is_made():
    multiprocessing = pytest.importorskip("multiprocessing")

    def starts(x):
        multiprocessing.Process(target=run_nothing).start()
        return x

    def connects(x):
        socket.create_connection(("127.0.0.1", 9))
        return x

    assert kinds(audit(starts, X)) == ["output"]
    assert multiprocessing.active_children() == []
    assert kinds(audit(connects, X)) == ["output"]


def test_no_picture_is_drawn():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    _, axes = plt.subplots()
    open_ones, lines = plt.get_fignums(), len(axes.lines)

    def draws(x):
        plt.plot([1, 2])
        return x

    def draws_on(x):
        axes.plot([1, 2])
        return x

    def opens(x):
        plt.figure()
        return x

    for function in (draws, draws_on, opens):
        assert kinds(audit(function, X)) == ["output"]
    assert plt.get_fignums() == open_ones
    assert len(axes.lines) == lines
    plt.close("all")


def test_the_guards_are_gone_after_an_audit():
    before = os.remove, os.open, subprocess.Popen.__init__, builtins.open
    audit(lambda x: x, X)
    assert (os.remove, os.open, subprocess.Popen.__init__, builtins.open) == before
    assert "connect" not in vars(socket.socket)


def test_other_threads_go_on(tmp_path):
    begin, end = threading.Event(), threading.Event()

    def other():
        begin.wait(10)
        (tmp_path / "by_another_thread").mkdir()
        end.set()

    def waits(x):
        begin.set()
        end.wait(10)
        return x

    thread = threading.Thread(target=other)
    thread.start()
    assert audit(waits, X).traced
    thread.join()
    assert (tmp_path / "by_another_thread").exists()


def test_no_thread_is_started():
    def starts(x):
        threading.Thread(target=run_nothing).start()
        return x

    report = audit(starts, X)
    assert kinds(report) == ["output"]
    assert not report.traced


def test_jax_may_fill_its_cache(tmp_path):
    def computes(x):
        with jax.ensure_compile_time_eval():
            table = jnp.sin(jnp.arange(17.0)).sum()
        return x * table

    names = {
        "jax_compilation_cache_dir": str(tmp_path),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in names}
    for name, value in names.items():
        jax.config.update(name, value)
    try:
        assert audit(computes, X).clean
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def test_jax_may_begin_in_an_audit():
    program = """
import jax, jax.numpy as jnp
from jaxintro.lens import audit

def computes(x):
    with jax.ensure_compile_time_eval():
        table = jnp.sin(jnp.arange(17.0)).sum()
    return x * table

assert audit(computes, 1.0).clean, audit(computes, 1.0)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# what is put back


@pytest.mark.parametrize(
    ("change", "read"),
    [
        (lambda: np.seterr(all="ignore"), np.geterr),
        (lambda: np.set_printoptions(precision=2), np.get_printoptions),
        (lambda: sys.setrecursionlimit(4321), sys.getrecursionlimit),
        (lambda: sys.path.append("nowhere"), lambda: [*sys.path]),
        (
            lambda: logging.getLogger("audited").setLevel("ERROR"),
            lambda: logging.getLogger("audited").level,
        ),
        (
            lambda: logging.getLogger().addHandler(logging.NullHandler()),
            lambda: [*logging.getLogger().handlers],
        ),
        (
            lambda: locale.setlocale(locale.LC_NUMERIC, "C.UTF-8"),
            lambda: locale.setlocale(locale.LC_NUMERIC),
        ),
    ],
    ids=["seterr", "print", "recursion", "path", "level", "handler", "locale"],
)
def test_settings_are_put_back(change, read):
    before = read()

    def sets(x):
        y = x * 2
        change()
        return y

    report = audit(sets, X)
    assert read() == before
    assert kinds(report) == ["mutation"]


def test_the_configuration_of_jax_stays():
    before = jax.config.jax_enable_x64

    def sets(x):
        jax.config.update("jax_enable_x64", not before)
        return x

    report = audit(sets, X)
    assert jax.config.jax_enable_x64 is before
    assert kinds(report) == ["mutation"]


def test_a_forward_rule_keeps_nothing():
    kept = {}

    @jax.custom_vjp
    def f(x):
        return jnp.sin(x)

    def forward(x):
        kept["x"] = x
        return jnp.sin(x), x

    f.defvjp(forward, lambda x, slope: (slope * jnp.cos(x),))
    report = audit(jax.grad(lambda x: f(x).sum()), X)
    assert kept == {}
    assert kinds(report) == ["leaked tracer"]


def test_a_table_of_functions_keeps_nothing():
    kept = []

    def keeps(x):
        kept.append(x)
        return x

    steps = {"a": keeps, "b": [keeps]}
    assert kinds(audit(lambda x: steps["b"][0](x), X)) == ["leaked tracer"]
    assert kept == []


def test_an_iterator_in_a_default_is_not_used_up():
    items = iter([1.0, 2.0])
    made = (each for each in (1.0, 2.0))

    def takes(x, stream=items, *, other=made):
        return x * next(stream) * next(other)

    assert "iterator" in kinds(audit(takes, X))
    assert takes.__defaults__ == (items,)
    assert takes.__kwdefaults__ == {"other": made}
    assert [*items] == [*made] == [1.0, 2.0]


def test_an_iterator_in_a_tuple_is_not_used_up():
    made = (each for each in (1.0, 2.0))
    held = (made,)
    assert kinds(audit(lambda x: x * next(held[0]), X)) == ["iterator"]
    assert [*made] == [1.0, 2.0]


def test_a_frame_is_as_it_was():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0]})

    def adds(x):
        frame["b"] = [1, 2]
        return x

    def adds_to(frame, x):
        frame["b"] = [1, 2]
        return x

    def inserts(x):
        frame.insert(0, "c", [1, 2])
        return x

    for report in (audit(adds, X), audit(adds_to, frame, X), audit(inserts, X)):
        assert "mutation" in kinds(report)
    assert list(frame) == ["a"]
    assert frame["a"].sum() == 3.0


def test_a_container_of_a_library_is_as_it_was():
    numbers = array.array("d", [1.0, 2.0])

    def sets(x):
        numbers[0] = 5.0
        return x

    assert kinds(audit(sets, X)) == ["mutation"]
    assert numbers.tolist() == [1.0, 2.0]


def test_a_large_array_is_not_written():
    large = np.zeros(3_000_000)

    def writes(x):
        large[0] = 1.0
        return x

    report = audit(writes, X)
    assert kinds(report) == ["mutation"]
    assert large[0] == 0.0
    assert large.flags.writeable


def test_a_stream_of_the_users_stays_where_it_is():
    text = io.StringIO("")
    writer = csv.writer(text)

    def writes(x):
        csv.writer(text).writerow([1])
        writer.writerow([1])
        return x

    assert set(kinds(audit(writes, X))) == {"output"}
    assert text.getvalue() == ""


def test_the_reports_name_what_was_not_done(tmp_path):
    def acts(x):
        os.replace(tmp_path / "a", tmp_path / "b")
        return x

    report = audit(acts, X)
    assert "not done" in report.findings[0].consequence
    assert "not done here" in report.untold[0]
    assert not report.traced
    assert Path(report.findings[0].file) == Path(__file__)


def test_a_warning_inside_an_imported_module_is_no_finding(tmp_path, monkeypatch):
    source = (
        "import warnings\ndef old(x):\n    warnings.warn('old')\n    return x * 2\n"
    )
    (tmp_path / "warning_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    helper = importlib.import_module("warning_module")

    report = audit(lambda x: helper.old(x), X)
    assert report.clean, str(report)
    assert "__warningregistry__" not in vars(helper)


def test_a_module_of_the_users_is_watched_once(tmp_path, monkeypatch):
    source = "from os import remove\ncount = 0\ndef f(x):\n    return x * 2\n"
    (tmp_path / "plain_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    helper = importlib.import_module("plain_module")

    def counts(x):
        helper.count += 1
        return helper.f(x)

    (found,) = audit(counts, X)
    assert found.what == "changes the global `helper.count`" or "`helper" in found.what
    assert helper.count == 0
    assert helper.remove is os.remove
    assert vars(helper)["__builtins__"]["input"] is builtins.input
