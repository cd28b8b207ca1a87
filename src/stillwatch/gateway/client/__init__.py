"""HTTP/1.1 to the model servers, over connections that are used again.

Comes in: a request whose body is whole. Goes out: its response as soon as the head is there, and
the body as it arrives. The parser is `httptools` (llhttp); what is ours is the pool, bounds, times
and back-pressure. Why no library: docs/decisions/015-an-http-client-of-our-own.md.
"""

from stillwatch.gateway.client.pool import Client

__all__ = ["Client"]
