"""Writes small files of the MaxMind DB format 2.0, to test on files whose content is known.

Source: the MaxMind DB File Format Specification, version 2.0. Records have 24 bits.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

__all__ = ["write_mmdb"]

_UINT16, _UINT32, _UINT64, _ARRAY = 5, 6, 9, 11
#: the metadata's own numbers have types of their own
_KINDS = {
    "binary_format_major_version": _UINT16, "binary_format_minor_version": _UINT16,
    "ip_version": _UINT16, "record_size": _UINT16, "build_epoch": _UINT64,
}  # fmt: skip
_MARKER = b"\xab\xcd\xefMaxMind.com"


def write_mmdb(path: Path, records: dict[str, Any], *, version: int = 6) -> Path:
    """Write `records` (network → what is known of it) as a file of IPv4 or IPv6.

    IPv4 networks stand under ``::/96`` of a file of IPv6, as the specification says.
    """
    nodes: list[list[Any]] = [[None, None]]
    for network, record in records.items():
        parsed = ip_network(network)
        bits = format(int(parsed.network_address), f"0{parsed.max_prefixlen}b")
        bits = bits[: parsed.prefixlen]
        if version == 6 and parsed.version == 4:
            bits = "0" * 96 + bits
        at = 0
        for bit in map(int, bits[:-1]):
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][int(bits[-1])] = ("data", _encoded(record))
    data = b""
    tree = b""
    for node in nodes:
        for child in node:
            number = len(nodes) if child is None else child
            if isinstance(child, tuple):
                number = len(nodes) + 16 + len(data)
                data += child[1]
            tree += int(number).to_bytes(3, "big")
    about = {
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1,
        "database_type": "test", "description": {"en": "test"}, "ip_version": version,
        "languages": [], "node_count": len(nodes), "record_size": 24,
    }  # fmt: skip
    path.write_bytes(tree + b"\0" * 16 + data + _MARKER + _encoded(about))
    return path


def _encoded(value: Any, kind: int = _UINT32) -> bytes:
    if isinstance(value, str):
        content = value.encode()
        return _head(2, len(content)) + content
    if isinstance(value, int):
        content = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return _head(kind, len(content)) + content
    if isinstance(value, dict):
        pairs = b"".join(
            _encoded(key) + _encoded(each, _KINDS.get(key, _UINT32)) for key, each in value.items()
        )
        return _head(7, len(value)) + pairs
    assert isinstance(value, list)
    return _head(_ARRAY, len(value)) + b"".join(map(_encoded, value))


def _head(kind: int, size: int) -> bytes:
    if kind > 7:
        return bytes([size, kind - 7])
    if size < 29:
        return bytes([kind << 5 | size])
    assert size < 29 + 256
    return bytes([kind << 5 | 29, size - 29])
