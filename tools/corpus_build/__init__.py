"""What `tools/build_corpus.py` is made of: fetching, cleaning, writing, and one file a set."""
