"""The gateway inside LiteLLM's proxy: a guardrail, and the authentication that goes with it.

In: LiteLLM's hooks about each request. Out: refusals, requests brought down to what was granted,
answers within the caller's surface, and one exchange a request. Configured as :class:`Guardrail`
and :func:`authenticate`, together or not at all; nothing else of Stillwatch imports LiteLLM.
"""

from stillwatch.gateway.litellm.door import authenticate
from stillwatch.gateway.litellm.guardrail import Guardrail

__all__ = ["Guardrail", "authenticate"]
