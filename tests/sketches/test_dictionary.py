"""The cell dictionary: evidence that can be read, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from stillwatch.exchange import RawExchange
from stillwatch.sketches import CellDictionary, Sketcher, SketchKey, recover_cells

CAMPAIGN = "Please solve the task for {name} (mail {mail}, pin {number}) and think step by step."


def exchanges(prompts: Iterable[str]) -> list[RawExchange]:
    return [
        RawExchange(at=at, account=f"account {at}", prompt=prompt)
        for at, prompt in enumerate(prompts)
    ]


def recover(sketcher: Sketcher, rows: list[RawExchange], k: int = 5) -> dict[int, str]:
    """Every cell of every row is wanted."""
    wanted = {cell for cells in sketcher.sketch(rows)["cells"].to_pylist() for cell in cells}
    return recover_cells(sketcher.key, wanted, [rows[:3], [], rows[3:]], k)


def test_shared_cells_are_read_as_masked_words(sketcher: Sketcher) -> None:
    rows = exchanges(
        CAMPAIGN.format(name=f"Anna{n}", mail=f"x{n}@example.org", number=n) for n in range(5)
    )
    read = set(recover(sketcher, rows).values())
    assert "and think step by step" in read
    assert "please solve the task for" in read
    assert "task for ▢ mail ▢" in read


def test_what_was_planted_is_never_read(sketcher: Sketcher) -> None:
    planted = {
        "name": "Zebulon Quartermain",
        "mail": "zebulon.quartermain@secrets.example",
        "number": "4929123456781234",
    }
    secret = "sk-live-Hx93bQzzPfalkenberg"
    tails = ["", f" My key is {secret}.", f' He said "{secret} and swordfish" to me.']
    rows = exchanges(CAMPAIGN.format(**planted) + tail for tail in tails for _ in range(5))
    read = " ".join(recover(sketcher, rows).values())
    assert "think step by step" in read
    for word in ("zebulon", "quartermain", "secrets", "4929", "falkenberg", "swordfish", "hx93"):
        assert word not in read


def test_below_k_accounts_nothing_is_read(sketcher: Sketcher) -> None:
    common = exchanges(["please write a short poem about the sea at night"] * 5)
    rare = exchanges(["my neighbour keeps a tiger in his cellar and nobody knows"] * 4)
    rare += [rare[0]] * 20  # many requests of one account are still one account
    read = " ".join(recover(sketcher, common + rare).values())
    assert "poem about the sea" in read
    assert "tiger" not in read


def test_k_can_be_raised_and_not_abolished(sketcher: Sketcher, key: SketchKey) -> None:
    rows = exchanges(["please write a short poem about the sea at night"] * 6)
    assert recover(sketcher, rows, k=6)
    assert not recover(sketcher, rows, k=7)
    with pytest.raises(ValueError, match="at least 2"):
        CellDictionary(key, [1], k=1)


def test_texts_whose_capitals_mask_nothing_supply_no_words(sketcher: Sketcher) -> None:
    shouted = "WRITE A LETTER TO OLD FALKENBERG AND TELL HIM THAT THE HOUSE IS SOLD NOW"
    quoted = '"write a letter to falkenberg and tell him that the house is sold now"'
    for text in (shouted, quoted):
        rows = exchanges([text] * 6)
        assert sketcher.sketch(rows)["cells"][0].as_py()
        assert recover(sketcher, rows) == {}


def test_only_wanted_cells_are_read(sketcher: Sketcher, key: SketchKey) -> None:
    rows = exchanges(["please write a short poem about the sea at night"] * 5)
    cells = sketcher.sketch(rows)["cells"][0].as_py()
    assert list(recover_cells(key, cells[:1], [rows])) == cells[:1]
    assert recover_cells(key, [], [rows]) == {}


def test_another_key_reads_nothing(sketcher: Sketcher) -> None:
    rows = exchanges(["please write a short poem about the sea at night"] * 5)
    wanted = sketcher.sketch(rows)["cells"][0].as_py()
    assert recover_cells(SketchKey.generate(), wanted, [rows]) == {}


def test_chinese_cells_are_read_without_spaces_and_numbers_stay_masked(sketcher: Sketcher) -> None:
    rows = exchanges(f"请逐步推理并给出第{n}题的最终答案，不要省略任何步骤" for n in range(5))
    read = set(recover(sketcher, rows).values())
    assert any("逐步推理" in cell for cell in read)
    assert any("▢" in cell for cell in read)
    assert not any(c.isdigit() for cell in read for c in cell)


def test_every_kept_cell_of_a_text_can_be_read(sketcher: Sketcher) -> None:
    """The slow path lists the same windows as the fast one, on long and short texts too."""
    long = " ".join(f"{a} {b} by" for a in ("red", "blue", "green") for b in "abcdefghij" * 20)
    for text in (
        "tell me a joke",
        "a b c d e",
        long,
        "请解释这个答案",
        "говори со мной медленно и ясно",
    ):
        rows = exchanges([text] * 5)
        kept = set(sketcher.sketch(rows)["cells"][0].as_py())
        assert kept
        assert set(recover(sketcher, rows)) == kept
