"""What stands for gathered evidence in a bundle, and is made to break whoever opens it."""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from stillwatch.errors import InputError
from stillwatch.provenance.bundle.kinds.gathered import decoded


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillwatch.provenance.bundle.kinds.gathered._LARGEST", 1 << 20)
    path = tmp_path / "suspect-1.npz"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("0.1.0.contexts.npy", bytes(1 << 21))
    assert path.stat().st_size < 1 << 13
    with pytest.raises(InputError, match="it unpacks to 2,097,152 bytes"):
        decoded(path)


def test_an_array_that_claims_to_be_larger_than_its_file_is_refused(tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<i8", "fortran_order": False, "shape": (1 << 55, 1)}
    )
    with ZipFile(tmp_path / "suspect-1.npz", "w") as archive:
        archive.writestr("0.1.0.contexts.npy", head.getvalue())
        archive.writestr("0.1.0.tokens.npy", head.getvalue())
        archive.writestr("0.1.0.weights.npy", head.getvalue())
    with pytest.raises(InputError, match="holds nothing that was gathered"):
        decoded(tmp_path / "suspect-1.npz")
