"""From what the user gave, a path, a pattern, results in memory or one of these per model, to the sources behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from glob import glob
from pathlib import Path
from typing import Any

from pointsman.data.formats.layout import Format, Source
from pointsman.data.readers.csv_file import read_csv
from pointsman.data.readers.jsonl_file import read_jsonl
from pointsman.data.readers.parquet_file import read_parquet
from pointsman.data.readers.problems import Problems
from pointsman.data.readers.tables import Table
from pointsman.errors import DataError, choices

__all__ = ["sources_of"]

_READERS: Mapping[str, Callable[[Path, Problems], Table]] = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".parquet": read_parquet,
}
_PICKLES = {".pkl", ".pickle", ".p"}


def sources_of(
    given: Any, name: str, layout: Format, columns: Mapping[str, str], problems: Problems
) -> Iterator[Source]:
    """Yield every source; raise DataError where the format and what was given do not go together."""
    by_model: Mapping[Any, Any] = given if isinstance(given, Mapping) else {None: given}
    if isinstance(given, Mapping) and not layout.takes_models:
        raise DataError(f"Files of the format {name!r} say themselves who answered; give them without model names.")
    if not by_model:
        raise DataError(f"No results of the format {name!r} were given.")
    for model, what in by_model.items():
        if isinstance(what, str | Path):
            for file in _files(what, layout):
                table = _table(file, name, layout, problems)
                whose = file.stem if model is None and layout.takes_models and not layout.names_models else model
                yield Source(table=table, problems=problems, columns=columns, model=whose, path=file)
        elif model is None and not layout.names_models:
            raise DataError(
                f"Results of the format {name!r} do not say who answered; give them by model: "
                "{'small': results, 'large': results}."
            )
        else:
            label = f"results of {model!r}" if model is not None else "results"
            records = layout.held(what, label)
            table = Table.of_rows(records, range(len(records)), label, "record")
            yield Source(table=table, problems=problems, columns=columns, model=model)


def _files(given: str | Path, layout: Format) -> list[Path]:
    """Return the files that a path means: itself, those in a folder, or those that match a pattern."""
    path = Path(given)
    if path.is_dir():
        for pattern in layout.within:
            found = sorted(file for file in path.glob(pattern) if file.suffix in layout.suffixes and file.is_file())
            if found:
                return found
        raise DataError(f"There is no file that ends in {choices(layout.suffixes)} in {path}.")
    found = [path] if path.is_file() else sorted(map(Path, glob(str(path), recursive=True)))  # noqa: PTH207
    if not found:
        raise DataError(f"There is no file or folder {path}.")
    return found


def _table(file: Path, name: str, layout: Format, problems: Problems) -> Table:
    if file.suffix in _PICKLES:
        raise DataError(
            f"{file} is a pickle, which may run any code when it is opened, so it is not opened here. Where you trust its "
            f"origin, convert it once: pandas.read_pickle({str(file.name)!r}).to_parquet({file.stem + '.parquet'!r})."
        )
    if file.suffix not in layout.suffixes:
        raise DataError(f"{file} must end in {choices(layout.suffixes)} to be of the format {name!r}.")
    if file.suffix != ".json":
        return _READERS[file.suffix](file, problems)
    records = layout.unpacked(_document(file), str(file))
    return Table.of_rows(records, range(len(records)), str(file), "record")


def _document(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from None
    except ValueError as error:
        raise DataError(f"{file} is no valid JSON: {error}.") from None
