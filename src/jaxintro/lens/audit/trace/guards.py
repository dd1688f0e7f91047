"""What acts on the world outside: it is noted while a function is traced, not done.

Files, processes, sockets, databases, pictures: what happens there cannot be put back.
While a trace runs, the functions that act there are exchanged for guards. A guard
notes the line of the user's. Where Python would return None, it does the same, and the
trace goes on; where it would return what the function needs, the trace ends.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

from jaxintro.lens.audit.kinds import MUTATION, OUTPUT
from jaxintro.lens.audit.source.writes import words
from jaxintro.lens.audit.trace.stand_ins import Refused, Seen
from jaxintro.lens.files import is_user_file, user_place

SKIPPED = {  # they return None, so that a trace can go on without them
    "os": words(
        """remove unlink mkdir makedirs rmdir removedirs rename renames truncate
        symlink link chmod chown utime mkfifo lchown"""
    ),
    "shutil": words("rmtree copyfileobj copymode copystat chown"),
    "time": words("sleep"),
    "matplotlib.pyplot": words("show pause"),
}
ENDED = {
    "os": words(
        """replace system popen kill killpg fork forkpty write pwrite writev sendfile
        chdir fchdir chroot umask nice setuid setgid setpriority posix_spawn
        posix_spawnp spawnv spawnve execv execve _exit abort dup2 open"""
    ),
    "shutil": words("move copy copy2 copyfile copytree make_archive unpack_archive"),
    "subprocess": words("Popen.__init__"),
    "multiprocessing.process": words("BaseProcess.start"),
    "threading": words("Thread.start"),
    "signal": words("signal alarm setitimer raise_signal"),
    "tempfile": words("mkstemp mkdtemp mktemp NamedTemporaryFile TemporaryDirectory"),
    "socket": words(
        """socket.connect socket.connect_ex socket.bind socket.listen socket.send
        socket.sendall socket.sendto getaddrinfo gethostbyname"""
    ),
    "urllib.request": words("urlopen urlretrieve"),
    "webbrowser": words("open"),
    "sqlite3": words("connect"),
    "sqlite3.dbapi2": words("connect"),
    "dbm": words("open"),
    "builtins": words("input breakpoint"),
    "jax": words("config.update"),
    "pdb": words("set_trace post_mortem"),
    "matplotlib._pylab_helpers": words("Gcf.get_active"),
    "matplotlib.pyplot": words("new_figure_manager figure subplots"),
}
LIBRARIES = words(  # what they do is out of sight: their calls are read, not run
    """requests httpx aiohttp urllib3 boto3 wandb mlflow tensorboardX h5py zarr redis
    pymongo psycopg2 sqlalchemy paramiko"""
)
WORLDLY = words("shutil subprocess socket ftplib smtplib multiprocessing webbrowser")
HARMLESS = words("which disk_usage get_terminal_size gethostname cpu_count open")
OF_PATHS = words("write_text write_bytes touch symlink_to hardlink_to")
ON_THE_WAY = (  # what libraries do for reasons of their own
    "importlib",
    "jax/_src/compiler.py",
    "jax/_src/compilation_cache.py",
    "jax/_src/interpreters/",
    "jax/_src/xla_bridge.py",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def acts_outside(value: object) -> bool:
    """Whether a function acts on the world outside, as far as its name tells."""
    module = str(getattr(value, "__module__", None) or "")
    name = str(getattr(value, "__qualname__", None) or "")
    top, last = module.split(".")[0], name.rpartition(".")[2]
    if module == "time" or last in HARMLESS:
        return False
    if top in ("posix", "nt", "os", "pathlib"):
        of_path = top == "pathlib" and last in OF_PATHS
        return of_path or last in SKIPPED["os"] | ENDED["os"]
    named = SKIPPED.get(module, frozenset()) | ENDED.get(module, frozenset())
    return name in named or last in named or top in WORLDLY


def is_out_of_sight(value: object) -> bool:
    """Whether nothing but not running it keeps a function from acting outside."""
    module = str(getattr(value, "__module__", None) or "")
    return module.split(".")[0] in LIBRARIES


def is_for_a_library(frame: FrameType | None) -> bool:
    """Whether a library acts here for reasons of its own: imports, caches."""
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        filename = frame.f_code.co_filename.replace("\\", "/")
        if any(each in filename for each in ON_THE_WAY):
            return True
        frame = frame.f_back
    return False


class Guard(NamedTuple):
    """A function of a module or class, and what takes its place during a trace."""

    owner: Any
    name: str
    own: object  # what the owner itself has under the name, None if it is inherited
    real: Callable[..., Any]
    stand_in: Callable[..., Any]


class Active(threading.local):
    """What is seen in the trace that this thread makes, if it makes one."""

    seen: Seen | None = None


ACTIVE = Active()
MADE: dict[tuple[str, str], Guard] = {}
PLACES = [
    (module, name, end)
    for table, end in ((SKIPPED, False), (ENDED, True))
    for module, names in table.items()
    for name in names
]


def guards() -> list[Guard]:
    """The guards of all that is loaded; they are made once for each function."""
    found: list[Guard] = []
    for module, name, end in PLACES:
        guard = MADE.get((module, name))
        if guard is not None and vars(guard.owner).get(guard.name) is guard.own:
            found.append(guard)
        elif module in sys.modules:
            owner: Any = sys.modules[module]
            *outer, last = name.split(".")
            for part in outer:
                owner = getattr(owner, part, None)
            real = getattr(owner, last, None)
            if real is not None:
                own = vars(owner).get(last)
                guard = Guard(owner, last, own, real, guarded(real, end))
                found.append(guard)
                MADE[module, name] = guard
    return found


def guarded(real: Callable[..., Any], end: bool) -> Callable[..., Any]:
    """A function to be called in the place of `real`."""

    def guard(*args: Any, **kwargs: Any) -> Any:
        if ACTIVE.seen is None:
            return real(*args, **kwargs)
        frame = sys._getframe(1)
        place = user_place(frame)
        if place is None or is_for_a_library(frame) or only_reads(real, args):
            return real(*args, **kwargs)
        if real.__name__ == "sleep":
            return None
        ACTIVE.seen.note(*what_for(real), place)
        if end:
            raise Refused("it acts on the world outside, and is not done here")
        return None

    return guard


class Guards:
    """Exchanges what acts on the world for what only notes it, while a trace runs."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.all = guards()
        self.of = {id(each.real): each.stand_in for each in self.all}

    @contextmanager
    def up(self) -> Iterator[None]:
        """Let nothing act on the world while the block runs."""
        drawn = "matplotlib.pyplot" in sys.modules
        before, ACTIVE.seen = ACTIVE.seen, self.seen
        try:
            for owner, name, _, _, stand_in in self.all:
                setattr(owner, name, stand_in)
            yield
        finally:
            ACTIVE.seen = before
            for owner, name, own, _, _ in self.all:
                if own is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, own)
            if not drawn and "matplotlib.pyplot" in sys.modules:
                sys.modules["matplotlib.pyplot"].close("all")


def only_reads(real: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a function that could act outside does not do so with these arguments."""
    if real.__name__ == "open":
        return len(args) > 1 and isinstance(args[1], int) and not args[1] & WRITING
    return real.__name__ == "connect" and args[:1] == (":memory:",)


def what_for(real: Callable[..., Any]) -> tuple[str, str, str]:
    """The kind of what a guarded function does, in words, and their variant."""
    if getattr(real, "__qualname__", "") == "Config.update":
        return MUTATION, "{} changes the configuration of JAX", "setting"
    return OUTPUT, "{} acts on the world outside", "outside world"
