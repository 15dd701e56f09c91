"""A report as a file of any format."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import quote

from services.aggregation.reports import as_csv, as_pdf, as_xlsx
from services.aggregation.reports.cover import file_names
from services.aggregation.reports.report import Format, Report

MEDIA_TYPES: Mapping[Format, str] = MappingProxyType(
    {
        Format.CSV: "text/csv",
        Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format.PDF: "application/pdf",
    }
)


def written(report: Report, kind: Format, *, bom: bool = False) -> Iterator[bytes]:
    """The file: CSV a line at a time, what cannot be cut in one piece. `bom` is for CSV alone."""
    match kind:
        case Format.CSV:
            for line in as_csv.lines(report, bom=bom):
                yield line.encode()
        case Format.XLSX:
            yield as_xlsx.workbook(report)
        case Format.PDF:
            yield as_pdf.document(report)


def headers(report: Report, kind: Format) -> dict[str, str]:
    """Of an answer that is the file. Its name is said twice (RFC 6266): for old programs, and for people."""
    plain, named = file_names(report, kind)
    return {
        "Content-Type": MEDIA_TYPES[kind] + ("; charset=utf-8" if kind is Format.CSV else ""),
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(named, safe='')}",
        "Content-Language": report.language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-cache",
    }
