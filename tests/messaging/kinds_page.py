"""docs/kinds.md as it is followed in a copy of the project, which gets a kind of its own: a wave.

What the page names (files, commands) is read from it; what a person would write stands here.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chattalk.test_layout import APPS, ROOT
from tests.test_locale import HINT

PAGE = (ROOT / "docs" / "kinds.md").read_text()
STEPS = {
    int(number): " ".join(text.split())
    for number, text in re.findall(r"^(\d+)\. (.+?)(?=^\d+\. |\Z)", PAGE, re.M | re.S)
}
FOLDERS = (*APPS, "templates", "static", "locale", "docs", "tests", "clients", "bench", "faults")
FILES = ("manage.py", "pyproject.toml")
SENTENCE, KOREAN = "%(name)s waved", "%(name)s님이 손을 흔들었습니다"

SERVICE = '''

def wave(room_id: int, by: User) -> None:
    """Everybody who is there sees it. Raises NotMember."""
    with transaction.atomic():
        member_state(room_id, by.pk)
        announce.append(room_id, Kind.WAVE, [by.pk])
'''
DOOR = """

class Wave(View):
    @extend_schema(operation_id="wave", summary="Wave", request=None, responses={204: None})
    def post(self, request: Request, room_id: int) -> Response:
        services.wave(room_id, request.user)
        return Response(status=204)
"""
ROUTE = '    path("rooms/<number:room_id>/wave/", members.Wave.as_view()),\n'
ROW = "| `POST rooms/{room_id}/wave/` | 401 | 404 | 404 | 404 | 204 | 204 | 404 |\n"


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def commands(text: str) -> list[list[str]]:
    """Those of manage.py that the text shows, each as it is typed."""
    return [shlex.split(one) for one in re.findall(r"manage\.py [^`\n]+", text)]


def file_of(text: str, ending: str) -> str:
    """The one file that the text names with that ending."""
    [found] = {one for one in quoted(text) if one.endswith(ending)}
    return found


class Copy:
    """The project once more, and which files each step changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for each in FOLDERS:
            ignored = shutil.ignore_patterns("node_modules")
            shutil.copytree(ROOT / each, folder / each, ignore=ignored)
        for each in FILES:
            shutil.copy(ROOT / each, folder)
        self.changes: dict[int, dict[Path, tuple[bytes | None, bytes]]] = {}

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=kept | {"PYTHONPATH": str(self.folder)} | environment,
            capture_output=True,
            text=True,
        )

    def follow(self, number: int) -> None:
        before = self._contents()
        DO[number](self, STEPS[number])
        after = self._contents()
        changed = {file for file in after if after[file] != before.get(file)}
        self.changes[number] = {file: (before.get(file), after[file]) for file in changed}

    @contextmanager
    def without(self, number: int) -> Iterator[None]:
        """As if that step had been left out."""
        for file, (before, _after) in self.changes[number].items():
            _put(file, before)
        try:
            yield
        finally:
            for file, (_before, after) in self.changes[number].items():
                _put(file, after)

    def must_run(self, command: list[str]) -> None:
        ran = self.run(*command)
        assert ran.returncode == 0, f"{command}: {ran.stderr}"

    def edit(self, name: str, anchor: str, added: str) -> None:
        """Add something behind what the one place of `anchor` (a pattern) matches."""
        file = self.folder / name
        text = file.read_text()
        [place] = re.finditer(anchor, text, re.S)
        file.write_text(text[: place.end()] + added + text[place.end() :])

    def _contents(self) -> dict[Path, bytes]:
        kept = ("*.py", "*.js", "*.md", "*.yaml", "*.json", "*.po", "*.mo")
        files = [file for each in kept for file in self.folder.rglob(each)]
        return {file: file.read_bytes() for file in files}


def _put(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)


def table(copy: Copy, _step: str) -> None:
    name = file_of(PAGE.split("\n1. ")[0], ".py")
    copy.edit(name, r"\nclass Kind\b.+?(?=\n\n\n)", '\n    WAVE = "wave", _("waved")')
    rules = f'\n    Kind.WAVE: Rules(is_missed=True, sentence=_("{SENTENCE}")),'
    copy.edit(name, r"\nKINDS\b.+?(?=\n}\n)", rules)


def migration(copy: Copy, step: str) -> None:
    [command] = commands(step)
    copy.must_run(command)


def service(copy: Copy, step: str) -> None:
    folder = next(one for one in quoted(step) if one.endswith("/"))
    copy.edit(f"{folder}members.py", r"\Z", SERVICE)
    imported = "\nfrom messaging.services.reads import member_state"
    copy.edit(f"{folder}members.py", r"\nfrom messaging\.log\.kinds import Kind", imported)
    copy.edit(file_of(step, "__init__.py"), r"services\.members import [^\n(]+", ", wave")


def door(copy: Copy, step: str) -> None:
    copy.edit("interfaces/api/members.py", r"\Z", DOOR)
    copy.edit("interfaces/api/urls.py", r"urlpatterns[^\n]* = \[\n", ROUTE)
    copy.edit(file_of(step, ".md"), r"\| `PUT rooms/{room_id}/read/`[^\n]+\n", ROW)


def page(copy: Copy, step: str) -> None:
    line = f'\n  wave: {{ sentence: () => gettext("{SENTENCE}") }},'
    copy.edit(file_of(step, ".js"), r"export const KINDS = {.+?(?=\n};)", line)


def documents(copy: Copy, step: str) -> None:
    copy.edit(file_of(step, ".md"), r"\n`kind` is `message`", ", `wave`")
    for command in commands(step):
        copy.must_run(command)


def translation(copy: Copy, step: str) -> None:
    assert "test_locale.py" in step  # which has the commands
    python, compiled = commands(HINT)
    for command in (python, [*python, *HINT.split("with ")[1].split(".")[0].split()]):
        copy.must_run(command)
    for name in ("django", "djangojs"):
        file = copy.folder / "locale" / "ko" / "LC_MESSAGES" / f"{name}.po"
        blocks = file.read_text().split("\n\n")
        file.write_text("\n\n".join(map(translated, blocks)))
    copy.must_run(compiled)


def translated(block: str) -> str:
    for text, korean in {SENTENCE: KOREAN, "waved": "손을 흔들었습니다"}.items():
        if f'\nmsgid "{text}"\n' in block:
            kept = [line for line in block.split("\n") if line.startswith("#:")]
            return "\n".join([*kept, f'msgid "{text}"', f'msgstr "{korean}"'])
    return block


DO = {
    1: table,
    2: migration,
    3: service,
    4: door,
    5: page,
    7: documents,
    8: translation,
}
