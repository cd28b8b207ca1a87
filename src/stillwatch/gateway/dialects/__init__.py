"""The wire formats that the gateway speaks: one file a format, behind one narrow protocol."""
