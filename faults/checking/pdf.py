"""What a PDF says: its text, and the texts in place of its pictures."""

import ctypes

import pypdfium2
from pypdfium2 import raw


def text_of(content: bytes) -> str:
    """All pages, with one space wherever there is any."""
    pages = pypdfium2.PdfDocument(content)
    return " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())


def alternatives_of(content: bytes) -> list[str]:
    """What a screen reader says of each picture."""
    found = []
    for page in pypdfium2.PdfDocument(content):
        tree = raw.FPDF_StructTree_GetForPage(page)
        count = raw.FPDF_StructTree_CountChildren(tree)
        waiting = [raw.FPDF_StructTree_GetChildAtIndex(tree, n) for n in range(count)]
        while waiting:
            if element := waiting.pop():
                found.append(_alternative(element))
                count = raw.FPDF_StructElement_CountChildren(element)
                waiting += [raw.FPDF_StructElement_GetChildAtIndex(element, n) for n in range(count)]
        raw.FPDF_StructTree_Close(tree)
    return [each for each in found if each]


def _alternative(element: raw.FPDF_STRUCTELEMENT) -> str:
    size = raw.FPDF_StructElement_GetAltText(element, None, 0)
    held = ctypes.create_string_buffer(size)
    raw.FPDF_StructElement_GetAltText(element, held, size)
    return str(held.raw.decode("utf-16-le").rstrip("\0"))
