"""Fit the topic centroids that the sketches ship with: spherical k-means on permissive text.

    python tools/fit_topics.py --out src/stillwatch/sketches/data/topics.npz

The text is the corpus that ships with the lab (docs/corpus.md), composed pools left out, and the
docstrings of the installed packages. One seed; the same inputs give the same file.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy import sparse

from stillwatch.lab import corpus
from stillwatch.sketches.batch import split_words

VERSION = "stillwatch.topics/2"
TOPICS = 64
VOCABULARY = 8000
WORDS_OF_A_DOCUMENT = 120
DOCUMENTS_OF_A_SET = 3500
DOCUMENTED = ("numpy", "scipy", "pandas", "pyarrow", "duckdb", "polars", "click", "jinja2", "rich")
STANDARD = ("asyncio", "argparse", "collections", "csv", "datetime", "email", "http", "json")
SUBMODULES = ("linalg", "random", "fft", "stats", "optimize", "signal", "sparse", "spatial",
              "integrate", "special", "interpolate", "compute", "dataset", "parquet")  # fmt: skip


def docstrings() -> Iterator[str]:
    """Docstrings of the packages that are installed with the project."""
    names = [*DOCUMENTED, *(f"{package}.{sub}" for package in DOCUMENTED for sub in SUBMODULES)]
    for name in (*names, *STANDARD):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        for _, member in sorted(inspect.getmembers(module), key=lambda pair: pair[0]):
            if text := inspect.getdoc(member):
                yield text
            if inspect.isclass(member):
                yield from (
                    text
                    for _, part in sorted(vars(member).items())
                    if (text := inspect.getdoc(part)) and len(text) > 200
                )


def sets() -> Iterator[tuple[str, Iterable[str]]]:
    """The texts by what they are, in a fixed order."""
    texts = corpus.load()
    for name in texts.names():
        if not name.startswith("composed"):
            yield name, (each.text for each in texts.pool(name))
    yield "docstrings", docstrings()


def documents() -> list[list[str]]:
    """Every set cut into documents of at most 120 words, a bounded random part of each set."""
    rng = random.Random(0)
    chosen: list[list[str]] = []
    for name, texts in sets():
        found: list[list[str]] = []
        for text in dict.fromkeys(texts):
            words = split_words(text[:40_000])
            found += [
                list(words[i : i + WORDS_OF_A_DOCUMENT])
                for i in range(0, len(words), WORDS_OF_A_DOCUMENT)
            ]
        found = [words for words in found if len(words) >= 6]
        rng.shuffle(found)
        print(f"{name:14s} {len(found):7,d} documents, "
              f"{min(len(found), DOCUMENTS_OF_A_SET):,d} taken")  # fmt: skip
        chosen += found[:DOCUMENTS_OF_A_SET]
    return chosen


def choose_vocabulary(docs: list[list[str]]) -> tuple[list[str], np.ndarray]:
    """Words that tell documents apart, and their inverse document frequencies."""
    frequency: Counter[str] = Counter()
    for words in docs:
        frequency.update(set(words))
    kept = [
        (word, count)
        for word, count in frequency.items()
        if 4 <= count <= 0.08 * len(docs)
        and not any(c.isdigit() for c in word)
        and (len(word) > 2 or not word.isascii())
        and len(word) <= 24
    ]
    kept.sort(key=lambda pair: (-pair[1] * np.log(len(docs) / pair[1]), pair[0]))
    kept = sorted(kept[:VOCABULARY])
    return [word for word, _ in kept], np.log(len(docs) / np.array([n for _, n in kept]))


def vectors(docs: list[list[str]], vocabulary: list[str], idf: np.ndarray) -> sparse.csr_matrix:
    """Unit tf-idf rows; documents with fewer than three known words are left out."""
    index = {word: number for number, word in enumerate(vocabulary)}
    rows, columns, values = [], [], []
    kept = 0
    for words in docs:
        counts = Counter(index[word] for word in words if word in index)
        if counts.total() < 3:
            continue
        weights = np.array([count * idf[number] for number, count in counts.items()])
        rows += [kept] * len(counts)
        columns += list(counts)
        values += (weights / np.linalg.norm(weights)).tolist()
        kept += 1
    return sparse.csr_matrix((values, (rows, columns)), shape=(kept, len(vocabulary)))


def spherical_kmeans(x: sparse.csr_matrix, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Centroids of unit length, the label of every row, and the mean cosine."""
    rng = np.random.default_rng(seed)
    centroids = x[rng.choice(x.shape[0], TOPICS, replace=False)].toarray()
    labels = np.full(x.shape[0], -1)
    for _ in range(60):
        similarity = x @ centroids.T
        updated = similarity.argmax(axis=1)
        if np.array_equal(updated, labels):
            break
        labels = updated
        chosen = sparse.csr_matrix(
            (np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(TOPICS, len(labels))
        )
        centroids = (chosen @ x).toarray()
        sizes = np.bincount(labels, minlength=TOPICS)
        for lost in np.flatnonzero(sizes < 20):  # start again from the worst-fitting documents
            centroids[lost] = x[similarity.max(axis=1).argsort()[rng.integers(500)]].toarray()
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return centroids, labels, float((x @ centroids.T).max(axis=1).mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    docs = documents()
    vocabulary, idf = choose_vocabulary(docs)
    x = vectors(docs, vocabulary, idf)
    print(f"{x.shape[0]:,d} documents over {x.shape[1]:,d} words")
    centroids, labels, fit = max(
        (spherical_kmeans(x, seed) for seed in range(4)), key=lambda found: found[2]
    )
    weights = centroids.T * idf[:, None]
    scale = np.quantile(weights[weights > 0], 0.999)
    quantised = np.clip(np.rint(weights / scale * 127), 0, 127).astype(np.int8)
    tf = x.copy()
    tf.data = tf.data / idf[tf.indices]
    agree = float(((tf @ quantised.astype(np.float64)).argmax(axis=1) == labels).mean())
    sizes = np.bincount(labels, minlength=TOPICS)
    np.savez_compressed(
        arguments.out,
        vocabulary=np.frombuffer("\n".join(vocabulary).encode("utf-8"), np.uint8),
        weights=quantised,
        version=np.frombuffer(VERSION.encode("utf-8"), np.uint8),
    )
    print(f"mean cosine {fit:.3f}; after rounding {agree:.1%} keep their topic; "
          f"topic sizes {sizes.min()}-{sizes.max()}, median {int(np.median(sizes))}; "
          f"{arguments.out.stat().st_size:,d} bytes, "
          f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    for topic in np.argsort(-sizes):
        words = [vocabulary[i] for i in np.argsort(-centroids[topic])[:10]]
        print(f"{topic:3d} {sizes[topic]:5d}  {' '.join(words)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
