"""Opaque reasoning bound to who got it: wrapped on its way out, judged when it comes back.

In: an opaque text of the upstream and its owner (org, account, conversation, model). Out: a wrapper
that only this gateway can open, and of wrappers that come back, the upstream's own text and a
:class:`~stillwatch.access.Replay`: whether they came back to where they were issued. Knows no
dialect and no route.
"""

from stillwatch.gateway.binding.binding import Binding, Owner, Returned
from stillwatch.gateway.binding.key import BindingKey, read_keys
from stillwatch.gateway.binding.settings import BindingSettings, read_binding

__all__ = [
    "Binding",
    "BindingKey",
    "BindingSettings",
    "Owner",
    "Returned",
    "read_binding",
    "read_keys",
]
