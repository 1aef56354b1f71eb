"""Children are capped, and none is left."""

import ast
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from faultline import files, process, untrusted
from faultline.errors import MachineExited, MissingTool
from faultline.qemu import sockets


def test_deadline_ends_the_whole_tree():
    done = process.run(["/bin/sh", "-c", "sleep 1000 & echo $!; wait"], deadline=0.5)
    assert done.timed_out
    assert not Path(f"/proc/{done.output.strip()}").exists() or _zombie(int(done.output))


def _zombie(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_memory_cap():
    done = process.run([sys.executable, "-c", "bytearray(1 << 30)"], deadline=30, memory=256 * process.MIB)
    assert done.status == 1 and "MemoryError" in done.errors


@pytest.mark.parametrize("untrusted", [False, True])
def test_dies_with_its_parent(untrusted):
    """When it runs already: a change of user would have made it forget the signal."""
    code = (f"import os, signal; from faultline import process; c = process.start(['/bin/sleep', '1000'], untrusted={untrusted})\n"
            "while open(f'/proc/{c.pid}/comm').read() != 'sleep\\n': os.sched_yield()\n"
            "print(c.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and not _zombie(pid):
        assert time.monotonic() < until, "the child outlived its parent"
        os.sched_yield()


def test_missing_tool_is_named():
    with pytest.raises(MissingTool, match="no-such-tool.*scripts/setup"):
        process.require_tool("no-such-tool")


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
STATUS = ("import os, pathlib; print(os.getuid(), os.getgid(), os.getgroups(), *[line.split()[1] for line in "
          "pathlib.Path('/proc/self/status').read_text().splitlines() if line.startswith(('Cap', 'NoNewPrivs'))])")


@as_root
def test_an_untrusted_child_has_nobodys_rights():
    done = process.run(["/usr/bin/python3", "-c", STATUS], deadline=30, untrusted=True)
    assert done.output.split("]")[0] == "65534 65534 [", done.output + done.errors
    assert done.output.split("]")[1].split() == ["0" * 16] * 5 + ["1"]


@as_root
def test_an_untrusted_child_is_told_no_secret(monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN", "secret")
    monkeypatch.setenv("AFL_QUIET", "1")
    said = process.run(["/usr/bin/env"], deadline=30, untrusted=True, env={"GIVEN": "2"}).output.splitlines()
    assert {"AFL_QUIET=1", "GIVEN=2", "HOME=/", f"PATH={os.environ['PATH']}"} <= set(said) and "secret" not in str(said)
    assert "SERVICE_TOKEN=secret" in process.run(["/usr/bin/env"], deadline=30).output


@as_root
def test_an_untrusted_child_writes_into_its_folders_alone():
    """And they are ours again afterwards."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        own, other = top / "own", top / "other"
        own.mkdir()
        other.mkdir(mode=0o755)
        words = f"mkdir -m 777 {own}/b; echo 2 > {own}/b/c; chmod 4777 {own}/b/c; ln -s /etc/passwd {own}/b/link; " \
                f"ln -s /etc {own}/b/folder; mkfifo {own}/pipe; echo 3 > {other}/a; echo 4 > {top}/a; rmdir {own}"
        done = process.run(["/bin/sh", "-c", words], deadline=30, untrusted=True, writes=[own])
        assert sorted(path.relative_to(top).as_posix() for path in top.rglob("*")) == ["other", "own", "own/b", "own/b/c"]
        assert [oct(path.stat().st_mode) for path in (own, own / "b", own / "b" / "c")] == ["0o40755", "0o40755", "0o100644"]
        assert {path.stat().st_uid for path in top.rglob("*")} == {0}
        assert (own / "b" / "c").read_text() == "2\n" and Path("/etc/passwd").stat().st_uid == 0 == Path("/etc").stat().st_uid
        assert done.errors.count("denied") == 3, done.errors
        again = process.run(["/bin/sh", "-c", f"echo 5 >> {own}/b/c; echo 6 > {own}/d"], deadline=30, untrusted=True, writes=[own])
        assert (own / "d").exists() and (own / "b" / "c").read_text() == "2\n" and again.errors.count("denied") == 1


@as_root
def test_giving_follows_no_link():
    """A folder whose name leads elsewhere is not given, and what it leads to stays ours."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        (top / "real").mkdir()
        (top / "real" / "secret").write_text("x")
        (top / "link").symlink_to("real")
        done = subprocess.run([sys.executable, "-c", "import sys; from pathlib import Path; from faultline import process;"
                               "print(process.run(['/usr/bin/id', '-u'], deadline=30, untrusted=True, writes=[Path(sys.argv[1])]).output)",
                               top / "link"], capture_output=True, text=True, timeout=60)
        assert {path.lstat().st_uid for path in top.rglob("*")} == {0}
        assert "cannot be given away" in done.stderr


@as_root
def test_an_untrusted_child_is_ended_by_us():
    done = process.run(["/bin/sh", "-c", "id -u; sleep 1000 & echo $!; wait"], deadline=0.5, untrusted=True)
    assert done.timed_out and done.output.split()[0] == "65534"
    below = done.output.split()[1]
    assert not Path(f"/proc/{below}").exists() or _zombie(below)


@as_root
def test_what_keeps_root_from_giving_up_its_rights_is_said_once():
    """A program below a folder that only root can enter runs as before."""
    with tempfile.TemporaryDirectory() as name:
        program = Path(shutil.copy("/usr/bin/id", name))
        done = subprocess.run([sys.executable, "-c", "import sys; from faultline import process;"
                               "print([process.run([sys.argv[1], '-u'], deadline=30, untrusted=True).output for _ in range(3)])", program],
                              capture_output=True, text=True, timeout=60)
        assert done.stdout == str(["0\n"] * 3) + "\n"
        assert done.stderr.count("\n") == 1 and f"nobody) cannot enter or read {name};" in done.stderr, done.stderr


@as_root
def test_a_checkout_that_is_closed_to_nobody_keeps_what_is_told_of_it_with_root(monkeypatch, capfd):
    """Such as AFL++, which lies in /usr/bin and starts a target of the checkout."""
    monkeypatch.setattr(untrusted, "_said", False)
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setattr(untrusted, "ROOT", Path(name))
        for word, user in ((f"{name}/target", "0"), ("/elsewhere", "65534")):
            done = process.run(["/bin/sh", "-c", "id -u", word], deadline=30, untrusted=True)
            assert done.output.strip() == user
    assert name in capfd.readouterr().err


@as_root
def test_inputs_that_only_root_can_read_are_lent_and_links_are_not():
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "input").write_text("x")
        (Path(name) / "link").symlink_to("input")
        with untrusted.readable([Path(name) / "input", Path(name) / "link"], "/bin/cat") as (lent, link):
            assert process.run(["/bin/cat", lent], deadline=30, untrusted=True).output == "x"
            assert process.run(["/bin/cat", link], deadline=30, untrusted=True).status == 1
        assert not lent.exists()


def test_only_the_socket_of_our_own_child_is_taken():
    """Whoever may write into its folder could have put another there."""
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{name}/qmp")
        other.listen()
        child = process.start(["/bin/sleep", "1000"])
        try:
            with pytest.raises(MachineExited, match="somebody else"):
                sockets.connect(Path(name) / "qmp", child, 5)
        finally:
            process.end(child)


# What these start does not run inputs: compilers, packages, tests and patches of this tree, and (linux.py) a supervisor that needs
# root for the ids that programs change to, and confines them itself.
TRUSTED = {"bench/empty.py": 1, "bench/programs.py": 1, "bench/workloads.py": 2, "build.py": 1, "campaign/bootcase.py": 1,
           "campaign/booted.py": 1, "campaign/night.py": 1, "campaign/targets.py": 1, "cli/test.py": 4, "compare/busybox.py": 1,
           "compare/musl.py": 2, "debian.py": 3, "scratch.py": 2, "worlds/linux.py": 1}


def test_everything_that_runs_inputs_is_untrusted():
    found = {}
    package = Path(process.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("process.run", "process.start", "process.guarded"):
                if not any(word.arg == "untrusted" for word in node.keywords):
                    name = path.relative_to(package).as_posix()
                    found[name] = found.get(name, 0) + 1
    assert found == TRUSTED


def test_writing_follows_no_link(tmp_path):
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("made")
    for name in ("link", "dangling"):
        files.write(tmp_path / name, "ours")
        assert not (tmp_path / name).is_symlink() and (tmp_path / name).read_text() == "ours"
    files.create(tmp_path / "link").close()
    assert (tmp_path / "target").read_text() == "theirs"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "link", "target"]
    (tmp_path / "other").symlink_to("target")
    with pytest.raises(OSError):
        files.copy(tmp_path / "other", tmp_path / "copied")
    with pytest.raises(OSError):
        files.write(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()
