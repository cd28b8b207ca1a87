"""The public peer of provenance tests, beside ours: knowlyr-modelaudit, in an environment of its
own."""
