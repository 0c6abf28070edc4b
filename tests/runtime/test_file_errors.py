import errno

import pytest

from runtime.file_errors import naming_refusals


def test_no_folder_for_temporary_files_is_one_sentence():
    said = "No usable temporary directory found in ['/full', '/tmp']"  # as tempfile says it
    with (
        pytest.raises(ValueError, match=r"no folder for temporary files .*expected TMPDIR"),
        naming_refusals(ValueError),
    ):
        raise FileNotFoundError(errno.ENOENT, said)


def test_another_missing_file_is_no_refusal():
    with pytest.raises(FileNotFoundError), naming_refusals(ValueError):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv")
