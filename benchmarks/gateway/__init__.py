"""The benchmark of the gateway: see ``__main__.py``."""
