"""Sets a sheet with Typst: `python setting.py < sheet.json > sheet.pdf` sets one and ends.

The portal has it done in a process of its own: Typst keeps what it has set, and a thread could not be broken
off. So this imports nothing of ours, to start quickly.
"""

import json
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

FONT = "fontpkg_be_vietnam_pro"
TEMPLATES = {name: Path(__file__).with_name(f"{name}.typ") for name in ("sheet", "form")}


class NotDrawn(Exception):
    """The template cannot show this sheet, or not as it should."""


class Setter:
    """Has read the fonts once."""

    def __init__(self) -> None:
        folder = str(files(FONT).joinpath("files"))
        self._fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
        )

    def set(self, sheet: Mapping[str, Any]) -> bytes:
        """PDF/UA-1 or SVG, as `sheet` says; the same for the same sheet. Without a `template` it is a poster.
        Raises NotDrawn."""
        pdf = sheet["format"] == "pdf"
        made: Any
        try:
            made, warnings = typst.compile_with_warnings(
                TEMPLATES[sheet.get("template", "sheet")].read_bytes(),
                format=sheet["format"],
                font_paths=self._fonts,
                ignore_system_fonts=True,
                sys_inputs={"sheet": json.dumps(sheet)},
                pdf_standards="ua-1" if pdf else [],
            )
        except typst.TypstError as error:
            raise NotDrawn(error.diagnostic) from error
        if warnings:
            raise NotDrawn(warnings[0].message)
        if not isinstance(made, bytes):
            raise NotDrawn("it takes more than one page")
        return made


def main() -> int:
    try:
        sys.stdout.buffer.write(Setter().set(json.load(sys.stdin)))
    except NotDrawn as error:
        sys.stderr.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
