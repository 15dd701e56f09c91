"""Writes the pages of reference: python -m deploy.reference"""

from deploy.reference import settings

PAGES = {settings.FILE: settings.page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        file.write_text(page())
        print(f"wrote docs/{file.name}")
