"""The licences of all that ChatTalk runs on, and which of them are copyleft: `make licences`.

    python .ci/licences.py requirements.txt

Ends with 1 when a package tells no licence, or a copyleft one that stands not in COPYLEFT below.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

COPYLEFT_WORDS = re.compile(
    r"\b(A?L?GPL|MPL|EPL|EUPL|CDDL|OSL|SSPL|CC-BY-SA)\b|GNU|Mozilla Public|copyleft|Sleepycat",
    re.IGNORECASE,
)
LGPL = (
    "LGPL. ChatTalk only imports it, so ChatTalk keeps its own licence. A person who passes on a"
    " copy with these packages passes on their licence, too, and leaves them exchangeable."
)
COPYLEFT = {
    "psycopg": LGPL,
    "psycopg-binary": LGPL,
    "psycopg-pool": LGPL,
    "text-unidecode": "Artistic License or GPL, by choice: taken under the Artistic License.",
}
NOT_LISTED = "NOT LISTED: read what it asks for, then list it in .ci/licences.py"
LONGEST = 60  # letters: some packages have the whole text in the field for its name


def main(pins: Path) -> int:
    found = {name: licence(name) for name in runtime(pins)}
    width = max(map(len, found))
    for name, text in found.items():
        version = importlib.metadata.version(name)
        print(f"{name:{width}}  {version:14}  {text or 'not told'}")
    copyleft = [name for name, text in found.items() if COPYLEFT_WORDS.search(text)]
    print(f"\n{len(found)} packages; copyleft: {', '.join(copyleft) or 'none'}")
    for why in dict.fromkeys(COPYLEFT.get(name, NOT_LISTED) for name in copyleft):
        those = [name for name in copyleft if COPYLEFT.get(name, NOT_LISTED) == why]
        print(f"  {', '.join(those)}: {why}")
    unknown = [name for name, text in found.items() if not text]
    for name in unknown:
        print(f"  {name}: it tells no licence")
    return int(bool(unknown) or not set(copyleft) <= COPYLEFT.keys())


def runtime(pins: Path) -> list[str]:
    """The pinned packages that are installed here; some are for other machines only."""
    names = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", pins.read_text(), re.MULTILINE)
    return [name for name in names if is_installed(name)]


def is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def licence(name: str) -> str:
    """As the package tells it: by an SPDX expression, else by classifiers, else in words."""
    about = importlib.metadata.metadata(name)
    told = about.get_all("Classifier") or []
    classes = [one.rpartition(" :: ")[2] for one in told if one.startswith("License ::")]
    words = (about.get("License") or "").strip().partition("\n")[0][:LONGEST]
    return about.get("License-Expression") or "; ".join(classes) or words


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
