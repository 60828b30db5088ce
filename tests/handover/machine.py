"""A machine with a program for the clipboard, which keeps it in files."""

from __future__ import annotations

import stat
from pathlib import Path

_PROGRAMS = {
    "wl-paste": 'case " $* " in *" --primary "*) f=primary;; *) f=clipboard;; esac; test -s "$0.$f" && cat "$0.$f"',
    "wl-copy": 'case " $* " in *" --primary "*) f=primary;; *) f=clipboard;; esac; '
    'echo "$*" >> "$0.argv"; case " $* " in *" --clear "*) : > "$(dirname "$0")/wl-paste.$f";; esac',
    "xclip": 'case " $* " in *" primary "*) f=primary;; *) f=clipboard;; esac; echo "$*" >> "$0.argv"; '
    'case " $* " in *" -out "*) test -s "$0.$f" && cat "$0.$f";; *) cat > "$0.$f";; esac',
    "xsel": 'case " $* " in *" --primary "*) f=primary;; *) f=clipboard;; esac; echo "$*" >> "$0.argv"; '
    'case " $* " in *" --output "*) cat "$0.$f" 2>/dev/null || true;; *) : > "$0.$f";; esac',
}
_DISPLAY = {"wl-copy": "WAYLAND_DISPLAY", "xclip": "DISPLAY", "xsel": "DISPLAY"}
PROGRAMS = sorted(_DISPLAY)
_HOLDS = {"wl-copy": "wl-paste", "xclip": "xclip", "xsel": "xsel"}


class Machine:
    """With a program for the clipboard, which keeps it in files."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.program = folder, program
        for name in {program, self.holder}:
            file = folder / name
            file.write_text(f"#!/bin/sh\n{_PROGRAMS[name]}\n", encoding="utf-8")
            file.chmod(stat.S_IRWXU)

    def __getitem__(self, selection: str) -> str:
        file = self.folder / f"{self.holder}.{selection}"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def __setitem__(self, selection: str, text: str) -> None:
        (self.folder / f"{self.holder}.{selection}").write_text(text, encoding="utf-8")

    @property
    def holder(self) -> str:
        """The program that reads."""
        return _HOLDS[self.program]

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.folder), _DISPLAY[self.program]: ":0"}

    def argv(self) -> str:
        return "".join(one.read_text(encoding="utf-8") for one in self.folder.glob("*.argv"))
