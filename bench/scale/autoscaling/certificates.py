"""Certificates of a drill, by openssl: who may speak as the API server, and KEDA's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

_DAYS = "2"


class Authority:
    """Signs; `certificate` is what others believe."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / f"{name}.crt"
        self._key = folder / f"{name}.key"
        _openssl(
            "req", "-x509", *_new_key(self._key), "-days", _DAYS,
            "-subj", f"/CN={name}", "-out", self.certificate,
        )  # fmt: skip

    def sign(self, name: str, *names: str) -> tuple[Path, Path]:
        """Certificate and key of `name`, for both ends of a connection, valid for DNS `names`."""
        certificate, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        lines = ["extendedKeyUsage=serverAuth,clientAuth"]
        if names:
            lines.append("subjectAltName=" + ",".join(f"DNS:{one}" for one in names))
        extensions.write_text("\n".join(lines) + "\n")
        _openssl("req", *_new_key(key), "-subj", f"/CN={name}", "-out", request)
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
            "-CAcreateserial", "-days", _DAYS, "-extfile", extensions, "-out", certificate,
        )  # fmt: skip
        return certificate, key


def _new_key(key: Path) -> list[str | Path]:
    return ["-newkey", "rsa:2048", "-nodes", "-keyout", key]


def _openssl(*words: str | Path) -> None:
    ran = subprocess.run(
        ["openssl", *words], capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, f"openssl {words[0]}: {ran.stderr}"
