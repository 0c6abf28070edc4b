"""Rows of Parquet files."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from runtime.errors import InputError
from tasks.cells import Row, as_texts


def read_parquet(path: Path, columns: Collection[str] | None, *, lists: Collection[str] = ()) -> Iterator[Row]:
    """Return the rows of a Parquet file; of its columns only those that are used are read.

    Args:
        path: The file.
        columns: The columns that are used; None for all (see `as_texts`).
        lists: Those whose cells may be lists.

    Raises:
        InputError: If the file is no Parquet file, or a used value cannot be read or is a list or an object.
    """
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        file = pyarrow.parquet.ParquetFile(path)
        names = file.schema_arrow.names
        repeated = frozenset(name for name in names if names.count(name) > 1)
        for batch in file.iter_batches(
            columns=[name for name in dict.fromkeys(names) if columns is None or name in columns]
        ):
            for values in _to_dicts(batch, f"{path}, rows {number + 1} to {number + batch.num_rows}"):
                number += 1
                where = f"{path}, row {number}"
                yield Row(where, as_texts(values, names, columns, where, lists), repeated, is_typed=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file ({error})") from None


def _to_dicts(batch: Any, where: str) -> list[dict[str, Any]]:
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns[name] = column.to_pylist()
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: {name} is not UTF-8 text ({error.reason})") from None
        except (ValueError, OverflowError, LookupError) as error:  # a date or time zone that Python does not know
            raise InputError(f"{where}: {name} cannot be read as {column.type} ({error})") from None
    return [{name: values[row] for name, values in columns.items()} for row in range(batch.num_rows)]
