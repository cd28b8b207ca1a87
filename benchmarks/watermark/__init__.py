"""The benchmark of the mark: see ``__main__.py``."""
