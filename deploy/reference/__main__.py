"""Writes what is derived from the code for operators: python -m deploy.reference"""

from deploy.local.layout import CHECKOUT
from deploy.prometheus import objectives
from deploy.reference import metrics, settings

PAGES = {
    settings.FILE: settings.page,
    metrics.FILE: metrics.page,
    objectives.FILE: objectives.rules,
}

if __name__ == "__main__":
    for file, text in PAGES.items():
        file.write_text(text())
        print(f"wrote {file.relative_to(CHECKOUT)}")
