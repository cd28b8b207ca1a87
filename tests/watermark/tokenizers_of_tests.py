"""Tokenizers of bytes, trained here: what models come with is as large and cannot be fetched."""

from __future__ import annotations

import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from stillwatch.watermark import TokenizerFile


def trained(path: Path, size: int, seed: int = 0) -> TokenizerFile:
    """A byte-level BPE of at most `size` tokens, learnt from words that `seed` draws."""
    draw = random.Random(seed)
    syllables = ["ka", "lo", "mi", "ren", "tu", "é", "ß", "日", "本", "sh", "ing", "é́"]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(400)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([" ".join(draw.choices(words, k=2_000))], trainer)
    tokenizer.save(str(path))
    return TokenizerFile(path)
