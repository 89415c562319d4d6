"""What a guest boots into: an archive as the kernel reads it (newc), BusyBox and a few modules.

With ``programs`` it also has this interpreter, its standard library, msgspec, roost's agent and
ipmitool, each at the path that it has here, so that the agent's own code runs on a kernel that has
a real ``/dev/ipmi0``. The guest says all of it on its serial line:
``guest: up`` once its board answers, then ``guest: alive N`` once a second.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
KERNEL = PROJECT / "build/guest-kernel"  # packaging/guest_kernel.sh
PYTHON = str(Path(sys.executable).resolve())  # it finds its library from there
MODULES = ("ipmi_msghandler", "ipmi_devintf", "ipmi_si")
LEFT_OUT = {"test", "idlelib", "tkinter", "lib2to3", "ensurepip", "turtledemo", "site-packages",
            "distutils", "pydoc_data", "sqlite3", "curses", "dbm"}  # fmt: skip
INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox --install -s /bin
exec </dev/console >/dev/console 2>&1
for each in MODULES; do insmod /modules/$each.ko; done
turn=0
while [ ! -c /dev/ipmi0 ] && [ $turn -lt 150 ]; do sleep 0.2; turn=$((turn + 1)); done
[ -c /dev/ipmi0 ] && echo "guest: up" || echo "guest: no /dev/ipmi0"
TASK
turn=0
while :; do echo "guest: alive $turn"; turn=$((turn + 1)); sleep 1; done
"""


def why_none():
    """Why no guest can be started here; empty: it can."""
    needed = ("qemu-system-x86_64", "busybox", "ipmi_sim", "sdrcomp", "ipmitool", "ldd")
    lacking = [each for each in needed if shutil.which(each) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed: packaging/system.sh guest"
    if not (KERNEL / "vmlinuz").exists():
        return "no kernel for a guest: packaging/guest_kernel.sh"
    return ""


def initrd(file, *, task="", programs=False, more=()):
    """Write the archive.

    Args:
        file: to be written.
        task: lines of shell that are done once the board answers.
        programs: whether the agent's code and what it needs are in it.
        more: (path, bytes) of files that root alone may read.
    """
    contents = {"/init": INIT.replace("MODULES", " ".join(MODULES)).replace("TASK", task).encode()}
    contents["/bin/busybox"] = Path(shutil.which("busybox")).read_bytes()
    for name in MODULES:
        contents[f"/modules/{name}.ko"] = (KERNEL / f"modules/{name}.ko").read_bytes()
    if programs:
        for path, source in _programs():
            contents[path] = source.read_bytes()
    secret = dict(more)
    contents |= secret
    with file.open("wb") as out:
        archive = _Archive(out)
        for folder in sorted({str(up) for path in contents for up in Path(path).parents}):
            if folder != "/":
                archive.add(folder, 0o40755)
        for folder in ("/dev", "/proc", "/sys"):
            archive.add(folder, 0o40755)
        archive.add("/dev/console", 0o20600, device=(5, 1))
        for path, content in contents.items():
            archive.add(path, 0o100600 if path in secret else 0o100755, content)
        archive.add("TRAILER!!!", 0)


class _Archive:
    """Entries of a cpio archive: a header of hexadecimal fields, the name, the content."""

    def __init__(self, out):
        self._out = out
        self._count = 0

    def add(self, path, mode, content=b"", device=(0, 0)):
        self._count += 1
        name = path.lstrip("/").encode() + b"\0"
        fields = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
        head = b"070701" + b"".join(b"%08x" % each for each in fields) + name
        self._out.write(head + bytes(-len(head) % 4))
        self._out.write(content + bytes(-len(content) % 4))


def _programs():
    """Yield (path in the guest, file here)."""
    import msgspec  # noqa: PLC0415 - where it lies is what is asked

    python = Path(PYTHON)
    library = Path(sysconfig.get_path("stdlib"))
    binaries = [python, Path(shutil.which("ipmitool"))]
    yield PYTHON, python
    yield "/bin/ipmitool", binaries[1]
    for file in _files(library):
        yield str(file), file
        binaries += [file] if file.suffix == ".so" else []
    for package in (Path(msgspec.__file__).parent, *PROJECT.glob("*/roost_agent"),
                    *PROJECT.glob("*/roost_protocol")):  # fmt: skip
        for file in _files(package):
            yield f"/packages/{package.name}/{file.relative_to(package)}", file
            binaries += [file] if file.suffix == ".so" else []
    for path in _libraries(binaries):
        yield path, Path(path).resolve()


def _files(folder):
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.is_file() and not LEFT_OUT & set(parts) and not parts[0].startswith("config-"):
            yield file


def _libraries(binaries):
    """Return the shared libraries of programs, the loader with them."""
    said = subprocess.run(("ldd", *binaries), capture_output=True, text=True, check=False).stdout
    words = [line.split("=>")[-1].split("(")[0].strip() for line in said.splitlines()]
    return sorted({each for each in words if each.startswith("/") and Path(each).exists()})
