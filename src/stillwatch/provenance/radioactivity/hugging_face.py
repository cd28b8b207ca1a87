"""A suspect that is a torch model: weights at hand, Hugging Face's or anybody's.

torch is imported when a model is first asked, and is not needed otherwise.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["HuggingFaceSuspect"]

Int64s = npt.NDArray[np.int64]


class HuggingFaceSuspect:
    """A causal language model as an open suspect.

    Args:
        model: what ``transformers.AutoModelForCausalLM`` gives, or any callable that takes
            ``input_ids`` (int64 tensor [1, length]) and returns logits [1, length, vocabulary], or
            something with them as ``logits``. Put it into evaluation mode, on its device, before.
        vocabulary: tokens of the tokenizer. A model may have padded its logits beyond; what is
            beyond is cut off before the softmax. Without it, that of ``model.config``.
        window: the longest context of the model. Longer texts are read in pieces of it, each with
            the half before it in view.

    Raises:
        ValueError: neither a vocabulary nor a configuration that names one.
    """

    def __init__(
        self, model: Callable[..., Any], *, vocabulary: int | None = None, window: int = 1024
    ) -> None:
        if vocabulary is None:
            vocabulary = getattr(getattr(model, "config", None), "vocab_size", None)
        if vocabulary is None:
            raise ValueError("name the vocabulary of the model's tokenizer")
        if window < 2:
            raise ValueError("a window has at least two tokens")
        self._model, self._vocabulary, self._window = model, vocabulary, window

    @property
    def vocabulary(self) -> int:
        return self._vocabulary

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[npt.NDArray[np.float32]]:
        """See :meth:`.suspects.OpenSuspect.probabilities`.

        Raises:
            ValueError: logits of a wrong shape.
        """
        for text in texts:
            rows = np.empty((len(text), self._vocabulary), np.float32)
            half, done = self._window // 2, 0
            while done < len(text):
                begin = max(0, done - half)
                end = min(len(text), begin + self._window)
                rows[done:end] = self._softmax(text[begin:end])[done - begin :]
                done = end
            yield rows

    def _softmax(self, text: Int64s) -> npt.NDArray[np.float32]:
        torch = importlib.import_module("torch")
        ids = torch.tensor(np.asarray(text, np.int64), device=self._device())[None]
        with torch.inference_mode():
            told = (
                self._model(input_ids=ids) if hasattr(self._model, "config") else self._model(ids)
            )
            logits = getattr(told, "logits", told)
            if logits.ndim != 3 or logits.shape[1] != len(text):
                raise ValueError(f"logits are [1, {len(text)}, vocabulary], not {logits.shape}")
            if logits.shape[2] < self._vocabulary:
                raise ValueError(
                    f"the model has {logits.shape[2]} logits for {self._vocabulary} tokens"
                )
            rows = torch.softmax(logits[0, :, : self._vocabulary].float(), dim=-1)
        out: npt.NDArray[np.float32] = rows.cpu().numpy()
        return out

    def _device(self) -> Any:
        parameters = getattr(self._model, "parameters", None)
        first = None if parameters is None else next(iter(parameters()), None)
        return None if first is None else first.device
