"""Stubs of images under their pinned names, made on the spot for an engine that can pull none.

The project's own three images are no stubs: the Dockerfile builds them, on bases made here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.compose.engine import Engine, EngineError
from tests.lab.tools import tools_folder

DEBIAN = "bookworm"
DEBIAN_PACKAGES = "python3.11,python3.11-venv,python3-pip,ca-certificates,netbase,tzdata"


def make_stub_images(
    engine: Engine, root: Path, prometheus_image: str, alertmanager_image: str
) -> None:
    """Makes the bases that the Dockerfile names and the programs' images, where missing."""
    text = (root / "Dockerfile").read_text()
    python, go = re.findall(r"^ARG (?:PYTHON|GO)_IMAGE=(\S+)$", text, re.MULTILINE)
    images = (
        (python, _make_python),
        (go, _make_go),
        (prometheus_image, _make_prometheus),
        (alertmanager_image, _make_alertmanager),
    )
    for name, make in images:
        if not engine.has_image(name):
            print(f"    making a stub of {name}", flush=True)
            make(engine, root, name, python)


def _make_python(engine: Engine, _: Path, name: str, __: str) -> None:
    """Debian with its own Python, trusting what this machine trusts."""
    with tempfile.TemporaryDirectory(prefix="debian-") as folder:
        _install_debian(Path(folder))
        kept_out = [f"--exclude=./{name}/*" for name in ("proc", "sys", "dev")]
        settings = ["ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["python3"]']
        changes = [word for setting in settings for word in ("-c", setting)]
        tar = ["tar", "-C", folder, *kept_out, "-c", "."]
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as packed:
            subprocess.run(
                [engine.client, "import", *changes, "-", name],
                stdin=packed.stdout,
                env=engine.environ,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        if packed.returncode != 0:
            raise EngineError("tar could not read the folder that debootstrap made.")


def _install_debian(folder: Path) -> None:
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={DEBIAN_PACKAGES}", DEBIAN, str(folder)],
        capture_output=True,
        text=True,
    )
    subprocess.run(["umount", "-q", f"{folder}/proc", f"{folder}/sys"], check=False)
    if made.returncode:
        raise EngineError(f"debootstrap failed: {made.stdout[-2000:]}")
    for emptied in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(folder / emptied)
    for link in ("python", "python3"):
        (folder / "usr/local/bin" / link).symlink_to("/usr/bin/python3.11")
    trusted = Path("/etc/ssl/certs/ca-certificates.crt")
    if trusted.exists():
        # Debian's pip brings certificates of its own and must be pointed at the system's.
        shutil.copy(trusted, folder / "etc/ssl/certs/ca-certificates.crt")
        (folder / "etc/pip.conf").write_text(f"[global]\ncert = {trusted}\n")


def _make_go(engine: Engine, _: Path, name: str, python: str) -> None:
    """This machine's Go on the same Debian."""
    asked = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True)
    file = f"""FROM {python}
COPY . /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/bin:/bin GOTOOLCHAIN=local
"""
    _build(engine, Path(asked.stdout.strip()), file, name)


def _make_prometheus(engine: Engine, _: Path, name: str, __: str) -> None:
    """The project's own build of the two programs in an image that has nothing else."""
    file = """FROM scratch
COPY prometheus promtool /bin/
COPY --chown=65534:65534 data /prometheus
USER 65534:65534
ENV PATH=/bin
ENTRYPOINT ["/bin/prometheus"]
"""
    _build_with_programs(engine, ("prometheus", "promtool"), file, name)


def _make_alertmanager(engine: Engine, _: Path, name: str, python: str) -> None:
    """The project's own build where there is a shell, as in the image that it stands for."""
    file = f"""FROM {python}
COPY alertmanager amtool /bin/
COPY --chown=65534:65534 data /alertmanager
USER 65534:65534
WORKDIR /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
"""
    _build_with_programs(engine, ("alertmanager", "amtool"), file, name)


def _build_with_programs(engine: Engine, programs: Sequence[str], file: str, name: str) -> None:
    tools = tools_folder()
    with tempfile.TemporaryDirectory(prefix="stub-image-") as folder:
        for program in programs:
            shutil.copy(tools / program, folder)
        (Path(folder) / "data").mkdir()
        _build(engine, Path(folder), file, name)


def _build(engine: Engine, context: Path, file: str, name: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as dockerfile:
        dockerfile.write(file)
        dockerfile.flush()
        engine.docker("build", "-q", "-f", dockerfile.name, "-t", name, str(context))
