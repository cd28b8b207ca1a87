"""The gateway: an ASGI application in front of any model server that enforces `access`.

In: HTTP requests in the dialects of OpenAI and Anthropic. Out: the upstream's answers, within the
caller's surface, whole or streamed; and one exchange a request, sketched, in the event store.
"""
