"""The numbers of files that offices handled, out of a file."""

from pathlib import Path

from services.aggregation.files_handled import NOBODY_SAID, FilesHandled, files_of, sample_of


class InvalidFiles(Exception):
    """The file cannot be read, or does not say what it should."""


def read_files_handled(path: Path | None, sample: str) -> FilesHandled:
    """Raises InvalidFiles."""
    if path is None:
        return NOBODY_SAID
    try:
        return FilesHandled(files_of(path.read_text(encoding="utf-8")), sample_of(sample))
    except OSError as error:
        raise InvalidFiles(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidFiles(f"{path}: it is not UTF-8") from None
    except ValueError as error:
        raise InvalidFiles(f"{path}: {error}") from None
