"""Collects the licences of all that the program carries: `licences.py FOLDER CONTENTS TARGET`.

FOLDER is what PyInstaller made, CONTENTS its list of the modules in it. Of a Python distribution these are the files of its metadata, of a system library the
copyright file of its Debian package. A part without any is an error: nothing is handed out without its licence.
"""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

_IS_LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
_DOCUMENTS = Path("/usr/share/doc")


def names_in(contents: Path) -> list[str]:
    """Return the distributions that modules were taken from, by PyInstaller's list of them, and PyInstaller itself."""
    _, modules = ast.literal_eval(contents.read_text(encoding="utf-8"))
    owners = packages_distributions()
    tops = {name.partition(".")[0] for name, *_ in modules}
    return sorted({"pyinstaller", *(owner for top in tops for owner in owners.get(top, ()))}, key=str.lower)


def of_distribution(name: str) -> list[Path]:
    """Return the licence files of a distribution."""
    files = distribution(name).files or []
    found = [Path(str(file.locate())) for file in files if ".dist-info" in str(file) and _IS_LICENCE.search(file.name)]
    return [path for path in found if path.is_file()]


def packages_of(folder: Path) -> set[str]:
    """Return the Debian packages of the system's libraries in the program, with that of Python itself."""
    libraries = [path.name for path in (folder / "_internal").glob("lib*.so*") if ".cpython-" not in path.name]
    packages = set()
    for name in libraries:
        words = ["dpkg", "-S", f"*/{name}"]
        output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        packages.add(output.split(":")[0])
    return packages


def main(folder: Path, contents: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    missing = []
    for name in names_in(contents):
        files = of_distribution(name)
        text = "\n\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
        facts = distribution(name).metadata
        licence = next((facts[key] for key in ("License-Expression", "License") if key in facts), "")
        if not text.strip() and not licence.strip():
            missing.append(name)
        head = f"{name} {distribution(name).version}\nLicence: {licence or 'see below'}\n\n"
        (target / f"{name}.txt").write_text(head + text, encoding="utf-8")
    for package in sorted(packages_of(folder)):
        source = _DOCUMENTS / package / "copyright"
        if source.exists():
            shutil.copyfile(source, target / f"{package}.txt")
        else:
            missing.append(package)
    if missing:
        sys.exit(f"no licence is known of: {', '.join(missing)}")
    print(f"{len(list(target.iterdir()))} licences, for Python {sysconfig.get_python_version()}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
