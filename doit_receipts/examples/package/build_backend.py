"""Build backend of a small package: the same sources give the same bytes, without a network."""

import gzip
import hashlib
import io
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = f"{re.sub(r'[-_.]+', '_', PROJECT['name']).lower()}-{PROJECT['version']}"
METADATA = (
    f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n"
    f"Summary: {PROJECT['description']}\n"
)
ROOT = Path("src" if Path("src").is_dir() else "")
MODULES = sorted((ROOT / re.sub(r"[-.]+", "_", PROJECT["name"])).rglob("*.py"))


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    """PEP 517: the source archive is in the folder; returns its name."""
    files = {str(path): path.read_bytes() for path in (*MODULES, *Path().glob("*.toml"))}
    files |= {path: Path(path).read_bytes() for path in ("build_backend.py", "CHANGELOG.md")}
    files["PKG-INFO"] = METADATA.encode()
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    (Path(sdist_directory) / f"{NAME}.tar.gz").write_bytes(packed.getvalue())
    return f"{NAME}.tar.gz"


def build_wheel(
    wheel_directory: str, config_settings: object = None, metadata_directory: object = None
) -> str:
    """PEP 517: the wheel is in the folder; returns its name."""
    about = f"{NAME}.dist-info"
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in MODULES}
    files[f"{about}/METADATA"] = METADATA.encode()
    files[f"{about}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*record, f"{about}/RECORD,,\n"]).encode()
    name = f"{NAME}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return name


def _digest(content: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
