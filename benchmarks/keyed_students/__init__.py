"""Keyed tests of trained students: whom they find, and whom they accuse."""
