"""Sets one report and ends: `python typesetting.py TIMESTAMP < report.json > report.pdf`.

A process of its own: Typst keeps what it has set to be faster the next time, some hundred megabytes of it,
and a thread could not be broken off. It imports nothing of ours, to start quickly.
"""

import os
import sys
from importlib.resources import files
from pathlib import Path

import typst

FONT = "fontpkg_be_vietnam_pro"
TEMPLATE = Path(__file__).with_name("report.typ")
NICE = 5  # whoever reads figures comes first


def main() -> int:
    os.nice(NICE)
    folder = str(files(FONT).joinpath("files"))
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    try:
        made, warnings = typst.compile_with_warnings(
            TEMPLATE.read_bytes(),
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"report": sys.stdin.read()},
            pdf_standards="ua-1",
            timestamp=int(sys.argv[1]),
        )
    except typst.TypstError as error:
        sys.stderr.write(error.diagnostic)
        return 1
    if warnings:
        sys.stderr.write(warnings[0].message)
        return 1
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
